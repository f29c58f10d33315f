import t from 'tap';
import { REPORT } from '../../src/core/limits.js';
import { addEvent, emptyStatus } from '../../src/report/statistics.js';
import type { Event, JournalLine, VerifyVerdict } from '../../src/report/events.js';

const IDENTITY = { id: 1, cwd: '/b', argv: ['gcc', '-c', 'x.c'] };
const PHASES = {
  start: 0,
  decide: 1,
  closure: 0,
  check: 0,
  verify: 0,
  preprocessQueue: 0,
  preprocess: 5,
  digest: 1,
  remoteQueue: 0,
  remote: 10,
  write: 1,
};
const COMPILE: Event = {
  event: 'compile',
  ...IDENTITY,
  outcome: 'plain',
  source: 'x.c',
  output: 'x.o',
  host: 'h1',
  tier: 3,
  retries: 0,
  sourceBytes: 1000,
  sentBytes: 100,
  receivedBytes: 200,
  outputBytes: 400,
  preprocessCpu: 5,
  remoteCpu: 9,
  remoteRunning: 10,
  phases: PHASES,
};

function fold(events: readonly Event[]) {
  return events.reduce(
    (status, event, at) => addEvent(status, { v: 1, time: 1_000 + at, ...event }),
    emptyStatus('s'),
  );
}

await t.test('what other servers made good, and races', async (t) => {
  const lost = { host: 'h2', reason: 'server-lost', detail: 'gone' } as const;
  const status = fold([
    { ...COMPILE, retries: 2, failures: [lost, { ...lost, host: 'h3', reason: 'server-failed' }] },
    { ...COMPILE, retries: 1, failures: [lost], race: { loser: 'h2', isLater: true } },
    { ...COMPILE, race: { loser: 'h2', isLater: false } },
    { ...COMPILE, askedAgain: true },
  ]);
  t.strictSame(status.recovered, { 'server-lost': 2, 'server-failed': 1, 'daemon-lost': 1 });
  t.strictSame(status.races, { run: 2, won: 1 });
  t.strictSame(status.fallbacks, {});
});

await t.test('each compile is one outcome', async (t) => {
  const local = { event: 'local', ...IDENTITY, source: 'x.c', waited: 1 } as const;
  const status = fold([
    COMPILE,
    COMPILE,
    { ...local, decline: 'option:-fplugin=' },
    { ...local, decline: 'no-hosts' },
    { ...local, decline: 'no-hosts' },
    { ...local, fallback: 'server-lost' },
    { event: 'local-end', id: 1, ran: 5 },
    { event: 'other', ...IDENTITY, kind: 'link' },
    { event: 'cancelled', ...IDENTITY, phase: 'remote:h1', why: 'interrupted' },
    { event: 'failed', ...IDENTITY, source: 'x.c', fallback: 'no-server' },
  ]);
  t.strictSame(status.outcomes, { pump: 0, plain: 2, cache: 0, local: 4 });
  t.strictSame(status.declines, { 'option:-fplugin=': 1, 'no-hosts': 2 });
  t.strictSame(status.fallbacks, { 'server-lost': 1, 'no-server': 1 });
  t.strictSame(status.other, { link: 1 });
  t.strictSame(status.tiers, { 3: status.outcomes.plain + status.outcomes.pump });
  t.match(status, { cancelled: 1, failed: 1, started: 1_000, lastEvent: 1_009, ended: null });
});

await t.test('hosts', async (t) => {
  const status = fold([
    { event: 'host', host: 'h1', state: 'up', detail: '' },
    COMPILE,
    { event: 'host', host: 'h1', state: 'down', detail: 'reset' },
  ]);
  t.strictSame(status.hosts, {
    h1: { compiles: 1, remoteCpu: 9, sentBytes: 100, receivedBytes: 200, state: 'down: reset' },
  });
});

await t.test('an event of a newer version changes no counter', async (t) => {
  const unknown = { v: 1, time: 5, event: 'healed' } as unknown as JournalLine;
  t.strictSame(addEvent(emptyStatus('s'), unknown), {
    ...emptyStatus('s'),
    started: 5,
    lastEvent: 5,
  });
});

await t.test('pump mode: uploads, repetitions, and why a compile was not one', async (t) => {
  const pump = { ...COMPILE, outcome: 'pump', closureSize: 100 } as const;
  const status = fold([
    { ...pump, healed: ['/b/a.h', '/b/c.h'], stale: 1 },
    { ...pump, healed: [], stale: 0 },
    { ...COMPILE, demotion: 'no-sandbox' },
    { event: 'upload', host: 'h1', count: 3, bytes: 900, encodedBytes: 300 },
  ]);
  t.match(status, { outcomes: { pump: 2, plain: 1 }, healed: 2, stale: 1 });
  t.strictSame(status.demotions, { 'no-sandbox': 1 });
  t.strictSame(status.uploads, { files: 3, bytes: 900, sentBytes: 300 });
  t.equal(status.sentBytes, 3 * COMPILE.sentBytes + 300);
  t.match(status.hosts, { h1: { compiles: 3, sentBytes: 3 * COMPILE.sentBytes + 300 } });
});

await t.test('headers that come and change: all counted, the newest listed last', async (t) => {
  const header = (path: string, change: 'created' | 'changed'): Event => {
    return { event: 'header', path, change };
  };
  const status = fold([
    header('/b/a.h', 'created'),
    header('/b/b.h', 'created'),
    header('/b/a.h', 'changed'),
  ]);
  t.match(status.headers, { created: 2, changed: 1 });
  t.strictSame(Object.entries(status.headers.files), [
    ['/b/b.h', { created: 1, changed: 0, last: 1_001 }],
    ['/b/a.h', { created: 1, changed: 1, last: 1_002 }],
  ]);
  const many = fold(
    Array.from({ length: REPORT.headers + 5 }, (_, i) => header(`/b/${i}.h`, 'created')),
  );
  t.equal(many.headers.created, REPORT.headers + 5);
  t.equal(Object.keys(many.headers.files).length, REPORT.headers);
  t.notOk(Object.hasOwn(many.headers.files, '/b/0.h'));
});

await t.test('compiles that were done here too', async (t) => {
  const verify = (verdict: VerifyVerdict): Event => ({
    event: 'verify',
    id: 1,
    host: 'h1',
    source: 'x.c',
    output: 'x.o',
    verdict,
    differences: [],
  });
  const status = fold([
    verify('same'),
    verify('mismatch'),
    verify('not-reproducible'),
    verify('not-reproducible'),
    { event: 'environment', environment: 1, variables: {} },
  ]);
  t.match(status, { verified: 2, mismatches: 1, unverified: { 'not-reproducible': 2 } });
  t.strictSame(status.outcomes, { pump: 0, plain: 0, cache: 0, local: 0 });
});
