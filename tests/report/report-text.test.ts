import t from 'tap';
import { buildModel } from '../../src/report/analysis/build-model.js';
import { buildReport } from '../../src/report/analysis/build-report.js';
import { reportLines } from '../../src/report/report-text.js';
import { compileLine, SMALL_BUILD } from '../fixtures/build-lines.js';

await t.test('what a terminal shows', async (t) => {
  const text = reportLines(buildReport(buildModel('s', SMALL_BUILD), [])).join('\n');
  t.match(text, /^session s, 1970-01-01 00:00:01 UTC, 200 ms\n {2}4 compiles: 4 pump; 1 other/);
  t.match(
    text,
    /\n {2}75 % at work, and|\n {2}0 % all at work and compiles waiting, 75 % at work\n/,
  );
  t.match(text, /\n {2}replay of this farm: 0 % more than it took\n/);
  t.match(text, /\n {2}1 hosts, 1 slots, make -j2: 310 ms \(/);
});

await t.test('a terminal gets no control characters from a journal', async (t) => {
  const evil = compileLine(1, 'a\u001b]0;x\u0007\n', 10, { remote: 10 });
  for (const line of reportLines(buildReport(buildModel('s', [evil]), []))) {
    // oxlint-disable-next-line no-control-regex
    t.notMatch(line, /[\u0000-\u001f]/);
  }
});
