import t from 'tap';
import { buildModel } from '../../src/report/analysis/build-model.js';
import { buildReport } from '../../src/report/analysis/build-report.js';
import { pumpSummary } from '../../src/report/pump-summary.js';
import { addEvent, emptyStatus, type SessionStatus } from '../../src/report/statistics.js';
import { SMALL_BUILD } from '../fixtures/build-lines.js';

let status = emptyStatus('s');
for (const line of SMALL_BUILD) status = addEvent(status, line);
const found = {
  path: '/state/reports/s.html',
  report: buildReport(buildModel('s', SMALL_BUILD), []),
};

await t.test(
  'a build: outcomes, reasons, speed-up, the slowest three, where the report is',
  async (t) => {
    t.strictSame(pumpSummary(status, 210, found), [
      '4 compiles in 0.2 s: 4 pump',
      '2 hosts: 0.1 s of compiler time, 80 B sent, 120 B received',
      'other commands: 1 × link',
      'speed-up 0.8 over 150 ms of compiler time; at best 75 ms on this farm',
      'slowest: c.o 120 ms, a.o 110 ms, b.o 60 ms',
      'report: /state/reports/s.html',
    ]);
  },
);

await t.test('ten lines at most, and every reason with its count', async (t) => {
  const full: SessionStatus = {
    ...status,
    headers: { created: 1, changed: 0, files: { '/b/h': { created: 1, changed: 0, last: 9 } } },
    demotions: { 'no-sandbox': 12 },
    declines: { lto: 9, coverage: 8, modules: 7, language: 6 },
    fallbacks: { 'no-server': 5, 'server-lost': 4 },
  };
  const lines = pumpSummary(full, 210, found);
  t.equal(lines.length, 10);
  const text = lines.join('\n');
  for (const reason of [
    '12 × no-sandbox',
    '9 × lto',
    '8 × coverage',
    '7 × modules',
    '6 × language',
  ]) {
    t.match(text, reason);
  }
  t.match(text, /fallback: 5 × no-server; fallback: 4 × server-lost; other commands: 1 × link\n/);
  t.match(text, 'generated headers: 1 created');
  t.notMatch(text, '/b/h');
});

await t.test('without a report, and without compiles', async (t) => {
  t.strictSame(pumpSummary(emptyStatus('s'), 5, undefined), ['0 compiles in 0.0 s: none']);
  const nothing = { path: '/x.html', report: buildReport(buildModel('s', []), []) };
  t.strictSame(pumpSummary(emptyStatus('s'), 5, nothing).slice(1), ['report: /x.html']);
});
