import t from 'tap';
import { putNewest } from '../../src/core/newest.js';

await t.test('the oldest is forgotten, and what is put again is the newest', (t) => {
  const map = new Map<string, number>();
  for (const [key, value] of [
    ['a', 1],
    ['b', 2],
    ['a', 3],
    ['c', 4],
  ] as const) {
    putNewest(map, key, value, 2);
  }
  t.strictSame(
    [...map],
    [
      ['a', 3],
      ['c', 4],
    ],
  );
  t.end();
});
