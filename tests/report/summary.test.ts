import t from 'tap';
import { emptyStatus, type SessionStatus } from '../../src/report/statistics.js';
import { summarize } from '../../src/report/summary.js';

const status = (over: Partial<SessionStatus>): SessionStatus => ({ ...emptyStatus('s'), ...over });

const HOST = { compiles: 0, remoteCpu: 0, sentBytes: 0, receivedBytes: 0, state: 'up' };

await t.test('nothing happened', async (t) => {
  t.strictSame(summarize(status({}), undefined), ['0 compiles: none']);
});

await t.test('one line for compiles: those that were, and how long it took', async (t) => {
  const one = { pump: 0, plain: 1, cache: 0, local: 0 };
  t.strictSame(summarize(status({ outcomes: one }), undefined), ['1 compile: 1 plain']);
  t.strictSame(summarize(status({ outcomes: { pump: 3, plain: 1, cache: 2, local: 4 } }), 61_250), [
    '10 compiles in 61.3 s: 3 pump, 1 plain, 2 cache, 4 local',
  ]);
  t.strictSame(summarize(status({ outcomes: one, failed: 2, cancelled: 1 }), undefined), [
    '1 compile: 1 plain, 2 failed (TSCC_FALLBACK=0), 1 interrupted',
  ]);
});

await t.test('how well compiles were sealed off', async (t) => {
  t.strictSame(summarize(status({ tiers: { 2: 4, 3: 90 } }), undefined).slice(1), [
    'sandbox: tier 2 for 4, tier 3 for 90',
  ]);
});

await t.test('recoveries and races are named', async (t) => {
  const over = { recovered: { 'server-lost': 2, 'daemon-lost': 1 }, races: { run: 3, won: 1 } };
  t.strictSame(summarize(status(over), undefined).slice(1), [
    'recovered: 2 × server-lost (another server did it)',
    'recovered: 1 × daemon-lost (another session daemon was asked)',
    'raced: 3 stragglers on a second server, 1 done there first',
  ]);
});

await t.test('hosts: those that compiled, and those that are not up', async (t) => {
  const lines = summarize(
    status({
      remoteCpu: 12_340,
      sentBytes: 1_500_000,
      receivedBytes: 250_000,
      hosts: {
        red: { ...HOST, compiles: 2 },
        green: { ...HOST, state: 'down: refused' },
        blue: HOST,
      },
    }),
    undefined,
  );
  t.strictSame(lines.slice(1), [
    '1 host: 12.3 s of compiler time, 1.5 MB sent, 250.0 kB received',
    'host green is down: refused',
  ]);
});

await t.test('every reason with its count and its meaning, the most frequent first', async (t) => {
  const lines = summarize(
    status({
      demotions: { 'no-sandbox': 2, 'side-outputs': 1 },
      declines: { lto: 1, 'option:-fplugin=': 3 },
      fallbacks: { 'server-lost': 1, 'no-server': 2 },
      other: { query: 1, link: 2 },
    }),
    undefined,
  );
  t.match(lines.slice(1), [
    /^plain: 2 × no-sandbox \(no server can seal/,
    /^plain: 1 × side-outputs \(an option writes/,
    /^local: 3 × option:-fplugin= \(tscc does not send out -fplugin=\)$/,
    /^local: 1 × lto \(link-time/,
    /^fallback: 2 × no-server \(no compile server could be reached\)$/,
    /^fallback: 1 × server-lost \(the connection/,
    /^other commands: 2 × link, 1 × query$/,
  ]);
  for (const line of lines) t.notMatch(line, '\n');
});

await t.test('what pump mode sent, repeated and had not foreseen', async (t) => {
  const lines = summarize(
    status({
      uploads: { files: 171, bytes: 5_000_000, sentBytes: 1_200_000 },
      stale: 1,
      healed: 2,
    }),
    undefined,
  );
  t.strictSame(lines.slice(1), [
    '171 files uploaded: 5.0 MB, 1.2 MB on the wire',
    '1 compile repeated: files changed',
    'closure-healed: 2 × a header that tscc had not foreseen',
  ]);
});

await t.test('generated headers: their number, and the last ones with their times', async (t) => {
  const files = Object.fromEntries(
    Array.from({ length: 20 }, (_, i) => [`/b/h${i}`, { created: 1, changed: 0, last: 1_000 * i }]),
  );
  files['/b/config.h'] = { created: 1, changed: 2, last: 61_500 };
  const headers = { created: 21, changed: 2, files };
  const lines = summarize(status({ started: 500, headers }), undefined).slice(1);
  t.equal(lines[0], 'generated headers: 21 created, 2 changed');
  t.equal(lines[1], '  changed after 61.0 s: /b/config.h, 3 times');
  t.equal(lines[2], '  created after 18.5 s: /b/h19');
  t.equal(lines.length, 9);
});

await t.test('compiles that were done here too', async (t) => {
  const lines = summarize(
    status({ verified: 3, mismatches: 1, unverified: { 'inputs-changed': 2 } }),
    undefined,
  );
  t.strictSame(lines.slice(1), [
    'verified: 3 compiles done here too, 1 differ',
    'unverified: 2 × inputs-changed (a file that it reads changed before it was done here)',
  ]);
});
