import t from 'tap';
import { realClock } from '../../src/platform/clock.js';

const elapsed = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => realClock.after(milliseconds, resolve));

await t.test('a timer fires once its time has passed', async (t) => {
  const began = realClock.monotonic();
  await elapsed(10);
  // Node's timers count whole milliseconds.
  t.ok(realClock.monotonic() - began >= 9);
});

await t.test('a cancelled timer never fires, and may be cancelled again', async (t) => {
  const fired: string[] = [];
  const first = realClock.after(1, () => fired.push('cancelled'));
  realClock.after(1, () => fired.push('kept'));
  first.cancel();
  first.cancel();
  await elapsed(5);
  t.strictSame(fired, ['kept']);
});

await t.test('now is what people call the time, monotonic is not', async (t) => {
  t.ok(Math.abs(realClock.now() - Date.now()) < 1_000);
  t.ok(realClock.monotonic() < realClock.now());
});
