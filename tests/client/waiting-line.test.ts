import t from 'tap';
import { WaitingLine, type Waiting } from '../../src/client/waiting-line.js';
import { QUEUE } from '../../src/core/scheduling-limits.js';

interface Entry extends Waiting {
  readonly name: string;
}

const entry = (name: string, over: Partial<Entry> = {}): Entry => ({
  name,
  session: '',
  expected: undefined,
  since: 0,
  kind: 'pump',
  ...over,
});

/** In the order in which they are served; each holds its place from then on. */
function served(
  entries: readonly Entry[],
  over: { places?: number; held?: Map<string, number>; now?: number } = {},
): string[] {
  const { places = Infinity, held = new Map<string, number>(), now = 0 } = over;
  const line = new WaitingLine<Entry>();
  for (const one of entries) line.add(one);
  const order: string[] = [];
  line.serve(held, now, ({ name, session }) => {
    if (order.length >= places) return false;
    order.push(name);
    held.set(session, (held.get(session) ?? 0) + 1);
    return true;
  });
  return order;
}

await t.test('first come, first served where nothing is known', async (t) => {
  t.strictSame(served([entry('a'), entry('b'), entry('c')]), ['a', 'b', 'c']);
});

await t.test('the longest first, unknown ones as usual', async (t) => {
  const entries = [
    entry('short', { expected: QUEUE.unknown / 2 }),
    entry('unknown'),
    entry('long', { expected: QUEUE.unknown * 9 }),
    entry('longer', { expected: QUEUE.unknown * 10 }),
  ];
  t.strictSame(served(entries), ['longer', 'long', 'unknown', 'short']);
});

await t.test('nobody is overtaken for ever', async (t) => {
  const entries = [
    entry('short', { expected: 1 }),
    entry('new', { expected: 9_000, since: QUEUE.patience }),
    entry('newer', { expected: 10_000, since: QUEUE.patience }),
  ];
  t.strictSame(served(entries, { now: QUEUE.patience - 1 }), ['newer', 'new', 'short']);
  t.strictSame(served(entries, { now: QUEUE.patience }), ['short', 'newer', 'new']);
});

await t.test('builds share: next is the one that holds least', async (t) => {
  const of = (session: string, count: number) =>
    Array.from({ length: count }, (_, n) => entry(`${session}${n}`, { session, expected: 9_000 }));
  const big = of('big', 6);
  const small = of('small', 2);
  t.strictSame(served([...big, ...small], { places: 4 }), ['big0', 'small0', 'big1', 'small1']);
  const held = new Map([['big', 3]]);
  t.strictSame(served([...big, ...small], { places: 3, held }), ['small0', 'small1', 'big0']);
});

await t.test('where one finds no place none of its kind is tried', async (t) => {
  const line = new WaitingLine<Entry>();
  for (const name of ['a', 'b', 'c']) line.add(entry(name));
  for (const name of ['x', 'y']) line.add(entry(name, { kind: 'plain' }));
  const tried: string[] = [];
  line.serve(new Map(), 0, ({ name, kind }) => {
    tried.push(name);
    return kind === 'plain';
  });
  t.strictSame(tried, ['a', 'x', 'y']);
  t.equal(line.size, 3);
});

await t.test('who leaves is not served', async (t) => {
  const line = new WaitingLine<Entry>();
  const [a, b] = [entry('a'), entry('b')];
  line.add(a);
  line.add(b);
  line.remove(a);
  const tried: string[] = [];
  line.serve(new Map(), 0, ({ name }) => tried.push(name) > 0);
  t.strictSame(tried, ['b']);
  t.equal(line.size, 0);
});
