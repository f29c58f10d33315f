/**
 * Lists of numbers, most of them runs of neighbours, in few bytes: for each run the distance of its
 * first number from the one after the last run (zigzag), and how many follow it, as varints of seven
 * bits a byte, low bits first. A closure of 600 entries that were sent together takes four bytes.
 */
import { MalformedFrame } from './field-codec.js';

/** Numbers stay in their order. Each is a whole number from 0 to 2^31 - 1. */
export function packNumbers(numbers: readonly number[] | Uint32Array): Buffer {
  const bytes: number[] = [];
  let expected = 0;
  for (let i = 0; i < numbers.length;) {
    const first = numbers[i] ?? 0;
    let length = 1;
    while (i + length < numbers.length && numbers[i + length] === first + length) length++;
    const distance = first - expected;
    pushVarint(bytes, distance >= 0 ? 2 * distance : -2 * distance - 1);
    pushVarint(bytes, length - 1);
    expected = first + length;
    i += length;
  }
  return Buffer.from(bytes);
}

/**
 * @param limit numbers are below it
 * @param count bound of how many numbers there may be
 */
export function unpackNumbers(bytes: Uint8Array, limit: number, count: number): number[] {
  const numbers: number[] = [];
  let expected = 0;
  for (let at = 0; at < bytes.length;) {
    const distance = readVarint(bytes, at);
    const more = readVarint(bytes, distance.end);
    at = more.end;
    const first =
      expected + (distance.value % 2 === 0 ? distance.value / 2 : -(distance.value + 1) / 2);
    const end = first + more.value + 1;
    if (first < 0 || end > limit || numbers.length + more.value >= count) {
      throw new MalformedFrame(`a run from ${first} to ${end}, below ${limit}, at most ${count}`);
    }
    for (let number = first; number < end; number++) numbers.push(number);
    expected = end;
  }
  return numbers;
}

function pushVarint(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
}

/** Five bytes hold all that may be said. */
const LONGEST = 5;

function readVarint(bytes: Uint8Array, at: number): { value: number; end: number } {
  let value = 0;
  for (let i = 0; i < LONGEST; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, end: at + i + 1 };
  }
  throw new MalformedFrame('a number is cut short or too long');
}
