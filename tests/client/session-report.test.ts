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
  t.equal(finish.length, 1, 'one at a time, however long it takes');
  finish[0]?.('one');
  t.strictSame(await Promise.all([first, second]), ['one', 'one']);
  clock.advance(LIVE.reportAge - 1);
  t.equal(await report.page(), 'one');
  clock.advance(1);
  const next = report.page();
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
