import t from 'tap';
import type { Event } from '../../src/report/events.js';
import { explanationLines } from '../../src/report/explanation-text.js';
import { explainFile, fileEnding, fileNamed } from '../../src/report/explanation.js';

const PHASES = {
  start: 0,
  decide: 1,
  closure: 2.25,
  preprocessQueue: 0,
  preprocess: 0,
  digest: 0,
  remoteQueue: 0.01,
  remote: 120,
  check: 0.5,
  verify: 0,
  write: 3,
};

const PUMP: Event = {
  event: 'compile',
  id: 3,
  cwd: '/b/sub',
  argv: ['gcc', '-c', '../x.c', '-o', 'x.o'],
  outcome: 'pump',
  source: '../x.c',
  output: 'x.o',
  host: 'red',
  retries: 1,
  sourceBytes: 1000,
  sentBytes: 100,
  receivedBytes: 200,
  outputBytes: 400,
  preprocessCpu: 0,
  remoteCpu: 95,
  remoteRunning: 110,
  phases: PHASES,
  closureSize: 171,
  healed: ['/b/gen.h'],
  stale: 2,
};
const LOCAL: Event = {
  event: 'local',
  id: 4,
  cwd: '/b',
  argv: ['gcc', '-c', 'd/y.c'],
  source: 'd/y.c',
  fallback: 'server-lost',
  detail: 'red went away',
  waited: 12,
};

const lines = (events: readonly Event[]) =>
  events.map((event, at) => ({ v: 1 as const, time: 1_000 * at, ...event }));

const ids = (events: readonly Event[], name: string, cwd = '/b') =>
  explainFile(lines(events), fileNamed(name, cwd)).map(({ id }) => id);

await t.test('a file is named by source or output, from anywhere', async (t) => {
  const events = [PUMP, LOCAL];
  t.strictSame(ids(events, 'sub/x.o'), [3]);
  t.strictSame(ids(events, './x.c'), [3]);
  t.strictSame(ids(events, '/b/sub/../x.c'), [3]);
  t.strictSame(ids(events, 'x.o', '/b/sub'), [3]);
  t.strictSame(ids(events, 'y.o'), [4], 'where the journal has no output, it follows from argv');
  t.strictSame(ids(events, 'd/y.o'), []);
  t.strictSame(ids(events, 'x.o'), []);
  t.equal(explainFile(lines(events), fileEnding('sub/x.o')).length, 1);
  t.equal(explainFile(lines(events), fileEnding('../x.o')).length, 1);
  t.equal(explainFile(lines(events), fileEnding('b/x.o')).length, 0, 'whole components only');
});

await t.test('outputs of compiles that stayed here', async (t) => {
  const of = (...argv: string[]) => [{ ...LOCAL, argv, source: argv.at(-1) ?? '' }];
  t.strictSame(ids(of('gcc', '-c', '-o', 'o/z.o', 'z.c'), 'o/z.o'), [4]);
  t.strictSame(ids(of('gcc', '-c', '-oz.obj', 'z.c'), 'z.obj'), [4]);
  t.strictSame(ids(of('gcc', '-c', '--output=z.obj', 'z.c'), 'z.obj'), [4]);
  t.strictSame(ids(of('gcc', '-S', 'e/z.c'), 'z.s'), [4]);
  t.strictSame(ids(of('gcc', '-c', ''), ''), [], 'a command without a source');
});

await t.test('the newest first, each with its own end', async (t) => {
  const compiles = explainFile(
    lines([
      LOCAL,
      { event: 'local-end', id: 4, ran: 70 },
      { event: 'other', id: 5, cwd: '/b', argv: ['gcc'], kind: 'link' },
      { ...LOCAL, id: 6 },
      // The session was joined again, and counts anew.
      { ...LOCAL, id: 4 },
      { event: 'local-end', id: 4, ran: 80 },
      { event: 'local-end', id: 9, ran: 90 },
    ]),
    fileNamed('d/y.c', '/b'),
  );
  t.strictSame(
    compiles.map(({ id, ran, waited }) => [id, ran, waited]),
    [
      [4, 80, 12],
      [6, null, 12],
      [4, 70, 12],
    ],
  );
});

await t.test('a pump compile for people', async (t) => {
  const [compile] = explainFile(lines([PUMP]), fileNamed('/b/x.c', '/'));
  t.strictSame(compile && explanationLines(compile), [
    'x.o (../x.c): pump on red',
    '  at 1970-01-01 00:00:00 UTC, command 3 of the session',
    '  after 1 other server failed',
    '  repeated 2 times: a file changed meanwhile',
    '  closure-healed: /b/gen.h had to be added',
    '  closure: 171 entries',
    '  bytes: source 1000, sent 100, received 200, output 400',
    '  processor time: there 95 ms',
    '  waits: decide 1.0 ms, closure 2.3 ms, remote 120 ms, check 0.5 ms, write 3.0 ms, in all 127 ms',
    '  in /b/sub: gcc -c ../x.c -o x.o',
  ]);
});

await t.test('reasons with their meaning', async (t) => {
  const first = (event: Event) => {
    const [compile] = explainFile(lines([event]), () => true);
    return compile === undefined ? [] : explanationLines(compile);
  };
  t.match(first(LOCAL).slice(0, 2), [
    /^y\.o \(d\/y\.c\): local$/,
    /^ {2}fallback server-lost: the connection .* \(red went away\)$/,
  ]);
  t.match(first(LOCAL).at(-2), /^ {2}waited 12 ms to start here$/);
  const { fallback: _, ...rest } = LOCAL;
  t.match(first({ ...rest, decline: 'option:-fplugin=' })[1], /^ {2}decline option:/);
  t.match(first({ ...LOCAL, event: 'failed' } as unknown as Event)[0], /: failed$/);
  const plain: Event = { ...PUMP, outcome: 'plain', demotion: 'no-sandbox', preprocessCpu: 20 };
  t.match(first(plain).slice(0, 2), [/: plain on red$/, /^ {2}demotion no-sandbox: no server can/]);
  t.match(first(plain).join('\n'), /preprocessor here 20 ms/);
});

await t.test('a journal of an older version has fewer fields', async (t) => {
  const { closureSize: _, healed: _h, stale: _s, ...old } = PUMP;
  const [compile] = explainFile(lines([old]), () => true);
  t.match(compile, { closureSize: null, healed: [], stale: 0 });
});

await t.test('why that host, who failed before, and a race', async (t) => {
  const failures = [{ host: 'green', reason: 'server-lost', detail: 'gone' }] as const;
  const raced = {
    ...PUMP,
    failures,
    choice: 'race',
    race: { loser: 'blue', isLater: true },
  } as const;
  const [compile] = explainFile(lines([raced]), fileNamed('sub/x.o', '/b'));
  t.match(compile, { failures, choice: 'race', race: { loser: 'blue' } });
  const text = compile === undefined ? '' : explanationLines(compile).join('\n');
  t.match(text, '\n  after 1 other server failed\n    server-lost on green (gone)\n');
  t.match(text, '\n  red: it took too long on another host\n');
  t.match(text, '\n  raced: begun later than on blue, and done first\n');
});
