import * as fc from 'fast-check';
import t from 'tap';
import { levelsOf, packIntervals } from '../../../src/report/analysis/intervals.js';

const interval = fc
  .tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 1, max: 20 }))
  .map(([from, length]) => ({ from, to: from + length }));

await t.test('no two in a row overlap, and there are as few rows as can be', async (t) => {
  fc.assert(
    fc.property(fc.array(interval, { maxLength: 30 }), (intervals) => {
      const lanes = packIntervals(intervals);
      for (const [i, a] of intervals.entries()) {
        for (const [j, b] of intervals.entries()) {
          if (i < j && lanes[i] === lanes[j] && a.from < b.to && b.from < a.to) return false;
        }
      }
      const levels = levelsOf(
        intervals.map((one) => ({ ...one, kind: 'x' as const })),
        ['x'],
      );
      const most = Math.max(0, ...levels.map(({ counts }) => counts.x));
      return Math.max(-1, ...lanes) + 1 === most;
    }),
  );
  t.pass();
});

await t.test('levels: how many of each kind, between changes', async (t) => {
  t.strictSame(
    levelsOf(
      [
        { from: 0, to: 10, kind: 'a' },
        { from: 5, to: 10, kind: 'b' },
        { from: 20, to: 20, kind: 'a' },
        { from: 30, to: 31, kind: 'b' },
      ],
      ['a', 'b'],
    ),
    [
      { from: 0, to: 5, counts: { a: 1, b: 0 } },
      { from: 5, to: 10, counts: { a: 1, b: 1 } },
      { from: 10, to: 30, counts: { a: 0, b: 0 } },
      { from: 30, to: 31, counts: { a: 0, b: 1 } },
    ],
  );
});
