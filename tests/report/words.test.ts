import t from 'tap';
import { bytes, duration, percentage } from '../../src/report/words.js';

await t.test('durations', async (t) => {
  t.strictSame(
    [0.04, 3.4, 999.4, 1_000, 99_949, 99_951, 3_599_400, 3_600_000, Infinity].map(duration),
    ['0.0 ms', '3 ms', '999 ms', '1.0 s', '99.9 s', '1 min 40 s', '59 min 59 s', '1 h 0 min', '–'],
  );
});

await t.test('bytes and shares', async (t) => {
  t.strictSame([999, 1_000, 2.5e6, 3e9].map(bytes), ['999 B', '1.0 kB', '2.5 MB', '3.0 GB']);
  t.strictSame([0, 0.004, 0.5, 1].map(percentage), ['0 %', '0.4 %', '50 %', '100 %']);
});
