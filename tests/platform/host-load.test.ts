import t from 'tap';
import { availableMemory, loadAverage } from '../../src/platform/host-load.js';

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

void t.test('free memory, looked up as seldom', async (t) => {
  let now = 0;
  const look = () => `MemFree:  1 kB\nMemAvailable:   ${3 + now} kB\n`;
  const memory = availableMemory({ monotonic: () => now }, look);
  t.equal(memory(), 3 * 1024);
  now += 999;
  t.equal(memory(), 3 * 1024);
  now += 1;
  t.equal(memory(), 1003 * 1024);
  t.ok(availableMemory({ monotonic: () => 0 })() > 0, "the kernel's");
});
