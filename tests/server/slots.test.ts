import t from 'tap';
import { Slots, type Place } from '../../src/server/slots.js';

/** Asks for slots and notes who gets them. */
class Bench {
  readonly started: string[] = [];
  changes = 0;
  readonly slots: Slots;

  constructor(total: number, queuePerSlot: number) {
    this.slots = new Slots(total, queuePerSlot, () => this.changes++);
  }

  queue(client: string, name: string): Place {
    const place = this.slots.admit(client);
    if (place === undefined) throw new Error(`${name} is not admitted`);
    place.request(() => this.started.push(name), 0);
    return place;
  }
}

await t.test('as many run as there are slots', async (t) => {
  const bench = new Bench(2, 2);
  const first = bench.queue('a', 'a1');
  bench.queue('a', 'a2');
  bench.queue('a', 'a3');
  t.same(bench.started, ['a1', 'a2']);
  t.match(bench.slots, { running: 2, waiting: 1, total: 2 });
  t.same(bench.slots.besides('a'), { running: 0, waiting: 0 });
  t.same(bench.slots.besides('b'), { running: 2, waiting: 1 });
  first.release();
  t.same(bench.started, ['a1', 'a2', 'a3']);
  first.release();
  t.match(bench.slots, { running: 2, waiting: 0 }, 'a second release changes nothing');
});

await t.test('clients take turns, however many jobs one has waiting', async (t) => {
  const bench = new Bench(1, 10);
  let running = bench.queue('a', 'a1');
  const places = new Map([['a1', running]]);
  for (const name of ['a2', 'a3', 'a4', 'b1', 'b2', 'c1']) {
    places.set(name, bench.queue(name.charAt(0), name));
  }
  for (let i = 0; i < 6; i++) {
    running = places.get(bench.started.at(-1) ?? '') ?? running;
    running.release();
  }
  t.same(bench.started, ['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4']);
});

await t.test('a full queue pushes back, but locks no client out', async (t) => {
  const bench = new Bench(1, 2);
  for (const name of ['a1', 'a2', 'a3']) bench.queue('a', name);
  t.equal(bench.slots.admit('a'), undefined);
  const place = bench.slots.admit('b');
  t.ok(place);
  t.equal(bench.slots.admit('b'), undefined, 'one place, not two');
  place?.release();
  t.match(bench.slots, { running: 1, waiting: 2 });
});

await t.test('a full queue is shared', async (t) => {
  const bench = new Bench(1, 6);
  for (let i = 0; i < 7; i++) bench.queue('a', `a${i}`);
  for (let i = 0; i < 3; i++) t.ok(bench.slots.admit('b'), 'half of it');
  t.equal(bench.slots.admit('b'), undefined);
  bench.queue('c', 'c1');
  for (let i = 0; i < 2; i++) t.ok(bench.slots.admit('c'));
  t.equal(bench.slots.admit('c'), undefined, 'a and c have jobs that could run: three each');
});

await t.test('jobs whose sources never come take no room from others', async (t) => {
  const bench = new Bench(2, 4);
  for (let i = 0; i < 500; i++) {
    let admitted = 0;
    while (admitted < 20 && bench.slots.admit(`staller ${i}`) !== undefined) admitted++;
    if (admitted !== 10) t.fail(`staller ${i} has ${admitted}`);
  }
  for (let job = 0; job < 10; job++) bench.queue('honest', `job ${job}`);
  t.same(bench.started, ['job 0', 'job 1']);
  t.equal(bench.slots.admit('honest'), undefined);
});

await t.test('who leaves the queue does not get a slot', async (t) => {
  const bench = new Bench(1, 10);
  const running = bench.queue('a', 'a1');
  const leaving = bench.queue('a', 'a2');
  bench.queue('b', 'b1');
  leaving.release();
  t.equal(bench.slots.waiting, 1);
  running.release();
  t.same(bench.started, ['a1', 'b1']);
});

await t.test('a place that was given up cannot be used', async (t) => {
  const bench = new Bench(1, 10);
  const place = bench.slots.admit('a');
  place?.release();
  place?.request(() => bench.started.push('a1'), 0);
  t.same(bench.started, []);
  t.match(bench.slots, { running: 0, waiting: 0 });
});

await t.test('the number of slots may change', async (t) => {
  const bench = new Bench(1, 1);
  const [first] = ['a1', 'a2'].map((name) => bench.queue('a', name));
  t.equal(bench.slots.admit('a'), undefined, 'the queue is full');
  const changes = bench.changes;
  bench.slots.resize(3);
  t.same(bench.started, ['a1', 'a2'], 'who waits is started');
  t.ok(bench.changes > changes, 'and clients are told');
  for (const name of ['a3', 'a4', 'a5', 'a6']) bench.queue('a', name);
  t.equal(bench.slots.admit('a'), undefined, 'a queue for three');

  bench.slots.resize(1);
  t.match(bench.slots, { total: 1, running: 3, waiting: 3 }, 'those that run go on');
  first?.release();
  t.match(bench.slots, { running: 2, waiting: 3 }, 'and none is started');
});

await t.test('every change is told', async (t) => {
  const bench = new Bench(1, 10);
  const place = bench.slots.admit('a');
  t.equal(bench.changes, 1, 'admitted');
  place?.request(() => undefined, 0);
  t.equal(bench.changes, 2, 'running');
  place?.release();
  t.equal(bench.changes, 3, 'released');
});

await t.test('a gate may hold back who has a slot, and lets go of who has left', async (t) => {
  const inside = new Set<object>();
  let isOpen = true;
  const gate = {
    enter(place: object, bytes: number, running: number) {
      const enters = isOpen && bytes < 100;
      if (enters) inside.add(place);
      return enters || running === 0;
    },
    leave: (place: object) => void inside.delete(place),
  };
  const slots = new Slots(3, 10, () => undefined, gate);
  const started: string[] = [];
  const queue = (client: string, name: string, bytes: number) => {
    const place = slots.admit(client);
    place?.request(() => started.push(name), bytes);
    return place;
  };
  const first = queue('a', 'a1', 1);
  queue('a', 'a2', 100);
  queue('b', 'b1', 1);
  t.same(started, ['a1'], 'the next one is not overtaken: it would wait for ever');
  t.match(slots, { running: 1, waiting: 2 });
  first?.release();
  t.same(started, ['a1', 'a2', 'b1'], 'alone it goes');
  isOpen = false;
  queue('b', 'b2', 1);
  t.match(slots, { running: 2, waiting: 1 });
  isOpen = true;
  slots.retry();
  t.same(started, ['a1', 'a2', 'b1', 'b2']);
  t.equal(inside.size, 2);
});
