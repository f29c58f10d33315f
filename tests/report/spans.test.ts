import t from 'tap';
import type { Event } from '../../src/report/events.js';
import { SpanFold } from '../../src/report/spans.js';

const identity = { id: 7, cwd: '/p', argv: ['gcc', '-c', 'x.c'] };

function compile(over: Partial<Extract<Event, { event: 'compile' }>> = {}): Event {
  return {
    event: 'compile',
    ...identity,
    outcome: 'pump',
    source: 'x.c',
    output: 'x.o',
    host: 'red',
    retries: 0,
    sourceBytes: 1,
    sentBytes: 1,
    receivedBytes: 1,
    outputBytes: 1,
    preprocessCpu: 0,
    remoteCpu: 1,
    remoteRunning: 1,
    phases: {
      start: 0,
      decide: 1,
      closure: 2,
      preprocessQueue: 0,
      preprocess: 0,
      digest: 3,
      remoteQueue: 50,
      remote: 200,
      check: 4,
      verify: 5,
      write: 6,
    },
    ...over,
  };
}

await t.test('a compile elsewhere: while a server had it', async (t) => {
  const fold = new SpanFold('s');
  const bar = { session: 's', id: 7, source: 'x.c', host: 'red', start: 785, end: 985 };
  t.strictSame(fold.add(compile(), 1_000), { ...bar, outcome: 'pump', reason: null });
  t.strictSame(fold.add(compile({ outcome: 'plain', demotion: 'no-sandbox' }), 1_000), {
    ...bar,
    outcome: 'plain',
    reason: 'no-sandbox',
  });
});

await t.test('a compile here: while the compiler ran', async (t) => {
  const fold = new SpanFold('s');
  const local = { event: 'local', ...identity, source: 'x.c', waited: 30 } as const;
  t.equal(fold.add({ ...local, decline: 'lto' }, 1_000), undefined);
  t.equal(fold.add({ ...local, id: 8, fallback: 'no-server' }, 1_010), undefined);
  const end = (id: number) => fold.add({ event: 'local-end', id, ran: 90 }, 1_100);
  const bar = {
    session: 's',
    source: 'x.c',
    host: null,
    outcome: 'local',
    start: 1_010,
    end: 1_100,
  };
  t.strictSame(end(8), { ...bar, id: 8, reason: 'no-server' });
  t.strictSame(end(7), { ...bar, id: 7, reason: 'lto' });
  t.equal(end(7), undefined, 'once');
});

await t.test('what is no compile has no bar', async (t) => {
  const fold = new SpanFold('s');
  t.equal(fold.add({ event: 'other', ...identity, kind: 'link' }, 1), undefined);
  t.equal(fold.add({ event: 'local-end', id: 7, ran: 5 }, 9), undefined, 'its end neither');
});
