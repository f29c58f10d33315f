import t from 'tap';
import { MalformedFrame } from '../../src/protocol/field-codec.js';
import { packNumbers, unpackNumbers } from '../../src/protocol/number-runs.js';

const LARGEST = 2 ** 31 - 1;

await t.test('numbers stay what they were, in their order', async (t) => {
  const lists = [
    [],
    [0],
    [5, 6, 7, 3, 2, 1, 1, 1, 0],
    [LARGEST, 0, LARGEST - 1, LARGEST],
    Array.from({ length: 600 }, (_, i) => i),
    Array.from({ length: 600 }, (_, i) => (i * 7919) % 10_007),
  ];
  for (const numbers of lists) {
    t.strictSame(unpackNumbers(packNumbers(numbers), LARGEST + 1, 1000), numbers);
  }
});

await t.test('what was sent together takes few bytes', async (t) => {
  t.equal(packNumbers(Array.from({ length: 600 }, (_, i) => i)).length, 3);
  const holes = Array.from({ length: 700 }, (_, i) => i).filter((n) => n % 100 !== 3);
  t.ok(packNumbers(holes).length <= 2 * 8);
});

await t.test('nothing is believed', async (t) => {
  const bad: [string, Uint8Array][] = [
    ['a number that is cut short', Buffer.from([0x80])],
    ['a run that is cut short', Buffer.from([2])],
    ['a number without end', Buffer.from([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0])],
    ['a number at the limit', packNumbers([100])],
    ['a run over the limit', packNumbers([98, 99, 100])],
    ['a negative number', Buffer.from([1, 0])],
    ['more numbers than allowed', packNumbers([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])],
    ['a run of billions', Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 0x7f])],
  ];
  for (const [what, bytes] of bad) {
    t.throws(() => unpackNumbers(bytes, 100, 10), MalformedFrame, what);
  }
});
