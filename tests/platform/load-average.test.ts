import t from 'tap';
import { loadAverage } from '../../src/platform/load-average.js';

void t.test('is looked up once a second at most', async (t) => {
  let [now, load] = [5_000, 1.5];
  const average = loadAverage({ monotonic: () => now }, () => [load++, 9, 9]);
  t.equal(average(), 1.5);
  now += 999;
  t.equal(average(), 1.5);
  now += 1;
  t.equal(average(), 2.5);
});

void t.test("is the kernel's", async (t) => {
  t.ok(loadAverage({ monotonic: () => 0 })() >= 0);
});
