import * as fc from 'fast-check';
import t from 'tap';
import { joinRuns, splitRuns } from '../../src/report/file-runs.js';

await t.test('runs of neighbours, each number once', async (t) => {
  t.equal(joinRuns([4, 1, 2, 3, 9, 2, 7, 8]), '1-4 7-9');
  t.equal(joinRuns([5]), '5');
  t.equal(joinRuns([]), '');
  t.strictSame(splitRuns('1-4 7', 100), [1, 2, 3, 4, 7]);
});

await t.test('what was joined is what is split', async (t) => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(500)), (numbers) => {
      const sorted = numbers.toSorted((a, b) => a - b);
      return splitRuns(joinRuns(numbers), 501).join() === sorted.join();
    }),
  );
  t.pass();
});

await t.test('a damaged journal costs nothing', async (t) => {
  t.strictSame(splitRuns('x 3- -4 5-4 1-999999999 1e9 7.5', 4), [1, 2, 3]);
});
