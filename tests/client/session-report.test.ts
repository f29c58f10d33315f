import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { SessionReport } from '../../src/client/session-report.js';
import { LIVE } from '../../src/core/live-limits.js';
import { ManualClock } from '../fixtures/manual-clock.js';

await t.test('made once for all who ask meanwhile and soon after', async (t) => {
  const clock = new ManualClock();
  const finish: ((page: string) => void)[] = [];
  const report = new SessionReport(() => new Promise((resolve) => finish.push(resolve)), clock);
  const first = report.page();
  clock.advance(2 * LIVE.reportAge);
  const second = report.page();
  await setImmediate();
  t.equal(finish.length, 1, 'one at a time, however long it takes');
  finish[0]?.('one');
  t.strictSame(await Promise.all([first, second]), ['one', 'one']);
  clock.advance(LIVE.reportAge - 1);
  t.equal(await report.page(), 'one');
  clock.advance(1);
  const next = report.page();
  await setImmediate();
  t.equal(finish.length, 2);
  finish[1]?.('two');
  t.equal(await next, 'two');
});

await t.test('where there is none, the next one who asks causes another try', async (t) => {
  let tries = 0;
  const report = new SessionReport(async () => {
    if (++tries === 1) throw new Error('no session yet');
    return 'a page';
  }, new ManualClock());
  await t.rejects(report.page(), { message: 'no session yet' });
  t.equal(await report.page(), 'a page');
});

await t.test('one that was made or begun before a build ended is not shown after it', async (t) => {
  const clock = new ManualClock();
  const finish: ((page: string) => void)[] = [];
  const report = new SessionReport(() => new Promise((resolve) => finish.push(resolve)), clock);
  report.outdate();
  const before = report.page();
  await setImmediate();
  report.outdate();
  const after = report.page();
  await setImmediate();
  t.equal(finish.length, 1, 'one at a time');
  finish[0]?.('too early');
  t.equal(await before, 'too early', 'who asked before has it');
  await setImmediate();
  t.equal(finish.length, 2);
  finish[1]?.('whole');
  t.equal(await after, 'whole');
  t.equal(await report.page(), 'whole');
  report.outdate();
  const last = report.page();
  await setImmediate();
  finish[2]?.('newest');
  t.equal(await last, 'newest');
});
