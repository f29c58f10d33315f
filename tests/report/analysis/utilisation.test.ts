import t from 'tap';
import { buildModel } from '../../../src/report/analysis/build-model.js';
import { utilisationOf } from '../../../src/report/analysis/utilisation.js';
import { compileLine, localEnd, localLine, SMALL_BUILD } from '../../fixtures/build-lines.js';

await t.test('the build that is computed by hand', async (t) => {
  const { slots, shares, series, concurrency } = utilisationOf(buildModel('s', SMALL_BUILD), 20);
  t.equal(slots, 2);
  t.equal(concurrency, 2);
  // Of 2 slots in 200 ms: 300 ms at work; 20 + 10 + 10 + 10 ms in the client's hands.
  t.strictSame(shares, { full: 0, working: 300 / 400, client: 50 / 400, nothing: 50 / 400 });
  t.strictSame(series[0], { full: 0, working: 0, client: 2, nothing: 0 });
  t.strictSame(series[6], { full: 0, working: 1, client: 1, nothing: 0 });
  t.strictSame(series[17], { full: 0, working: 0, client: 1, nothing: 1 });
  t.strictSame(series[19], { full: 0, working: 0, client: 0, nothing: 2 });
});

await t.test('compiles that wait for a slot, here or there', async (t) => {
  const model = buildModel('s', [
    compileLine(1, 'a', 100, { remote: 100 }),
    compileLine(
      2,
      'b',
      200,
      { remoteQueue: 40, remote: 160 },
      { remoteQueued: 60, remoteRunning: 100 },
    ),
  ]);
  t.strictSame(utilisationOf(model, 1).shares, { full: 0.5, working: 0.5, client: 0, nothing: 0 });
});

await t.test('nothing went out', async (t) => {
  const model = buildModel('s', [localLine(1, 'a', 0), localEnd(1, 50, 50)]);
  t.match(utilisationOf(model, 4), {
    slots: 0,
    concurrency: 1,
    shares: { full: 0, working: 0, client: 0, nothing: 0 },
  });
  t.match(utilisationOf(buildModel('s', []), 4), { slots: 0, concurrency: 0 });
});
