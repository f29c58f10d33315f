import { Packr } from 'msgpackr';
import t from 'tap';
import { WIRE } from '../../src/core/limits.js';
import { checkMessageBytes } from '../../src/protocol/message-check.js';

const packr = new Packr({ useRecords: false });
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

await t.test('whatever a message may hold passes', async (t) => {
  const values = {
    numbers: [0, 1, -1, 127, -33, 200, 60_000, -60_000, 5e9, 0.5, -129, 2 ** 31],
    texts: ['', 'a', 'x'.repeat(40), 'y'.repeat(300), 'z'.repeat(70_000)],
    flags: [true, false, null],
    pairs: [['-O', '2']],
    many: Array.from({ length: 300 }, (_, i) => i),
    bytes: [Buffer.alloc(3), Buffer.alloc(300), Buffer.alloc(70_000)],
  };
  t.doesNotThrow(() => checkMessageBytes(packr.pack(values)));
  t.doesNotThrow(() => checkMessageBytes(hex('80')), 'the empty map');
});

await t.test('what could hurt a decoder is refused', async (t) => {
  const cases: [name: string, bytes: Buffer, message: RegExp][] = [
    ['nothing', hex(''), /past its frame/],
    ['not a map', hex('93 01 02 03'), /not a map/],
    ['a second value', hex('80 80'), /after the end/],
    ['a key that is no string', hex('81 01 02'), /key/],
    ['a key that is a container', hex('81 80 02'), /key/],
    ['the unused type', hex('81 a1 61 c1'), /forbidden/],
    ['a fixed extension', hex('81 a1 61 d4 00 00'), /forbidden/],
    ['an extension with a length', hex('81 a1 61 c9 00000001 00 00'), /forbidden/],
    ['a string past the end', hex('81 a1 61 db ffffffff'), /past its frame/],
    ['bytes past the end', hex('81 a1 61 c6 00000002 00'), /past its frame/],
    ['a number cut short', hex('81 a1 61 cf 00'), /past its frame/],
    ['a length cut short', hex('81 a1 61 dd 00 00'), /past its frame/],
    ['a map cut short', hex('82 a1 61 01'), /past its frame/],
    ['an array of 4 billion', hex('81 a1 61 dd ffffffff'), /4294967295 elements/],
    ['a map of 4 billion', hex('df ffffffff'), /4294967295 elements/],
    [
      'nested array headers',
      Buffer.concat([hex('81 a1 61'), Buffer.alloc(500_000, 0x91)]),
      /nested deeper/,
    ],
  ];
  for (const [name, bytes, message] of cases) {
    t.throws(() => checkMessageBytes(bytes), { name: 'MalformedFrame', message }, name);
  }
});

await t.test('the limits themselves are allowed', async (t) => {
  const nested = (depth: number): Buffer =>
    Buffer.concat([hex('81 a1 61'), Buffer.alloc(depth - 1, 0x91), hex('00')]);
  t.doesNotThrow(() => checkMessageBytes(nested(WIRE.depth)));
  t.throws(() => checkMessageBytes(nested(WIRE.depth + 1)), /nested deeper/);
  const wide = (count: number) => packr.pack({ a: Array.from({ length: count }, () => 0) });
  t.doesNotThrow(() => checkMessageBytes(wide(WIRE.elements)));
  t.throws(() => checkMessageBytes(wide(WIRE.elements + 1)), /elements/);
});
