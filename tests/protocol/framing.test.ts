import t from 'tap';
import { WIRE } from '../../src/core/limits.js';
import { MalformedFrame } from '../../src/protocol/field-codec.js';
import { FRAME, frameHeader, WireSplitter, type FrameType } from '../../src/protocol/framing.js';

function frame(type: FrameType, job: number, body: string | Uint8Array): Buffer {
  const bytes = Buffer.from(body as string);
  return Buffer.concat([frameHeader(type, job, bytes.length), bytes]);
}

const shown = (splitter: WireSplitter, bytes: Uint8Array) =>
  [...splitter.push(bytes)].map(({ type, job, body }) => [type, job, Buffer.from(body).toString()]);

await t.test('the header is length, type and job in little-endian', async (t) => {
  t.equal(frameHeader(FRAME.chunk, 0x01020304, 2).toString('hex'), '070000002104030201');
});

await t.test('frames come out whole however the bytes come in', async (t) => {
  const stream = Buffer.concat([
    frame(FRAME.ping, 0, ''),
    frame(FRAME.chunk, 7, 'abc'),
    frame(FRAME.chunk, 8, ''),
  ]);
  const expected = [
    [FRAME.ping, 0, ''],
    [FRAME.chunk, 7, 'abc'],
    [FRAME.chunk, 8, ''],
  ];
  for (let size = 1; size <= stream.length; size++) {
    const splitter = new WireSplitter();
    const seen = [];
    for (let at = 0; at < stream.length; at += size) {
      seen.push(...shown(splitter, stream.subarray(at, at + size)));
    }
    t.same(seen, expected, `in pieces of ${size}`);
  }
});

await t.test('a body of the largest size passes, one byte more does not', async (t) => {
  const limits = [
    [FRAME.chunk, WIRE.chunkBytes],
    [FRAME.job, WIRE.controlBytes],
  ] as const;
  for (const [type, limit] of limits) {
    t.equal([...new WireSplitter().push(frame(type, 1, Buffer.alloc(limit)))].length, 1);
    const header = frameHeader(type, 1, limit + 1);
    t.throws(() => [...new WireSplitter().push(header)], MalformedFrame);
  }
});

await t.test('a bad header is refused with its first bytes', async (t) => {
  const giant = Buffer.from('ffffffff', 'hex');
  t.throws(() => [...new WireSplitter().push(giant)], /4294967295 bytes/);
  t.throws(() => [...new WireSplitter().push(Buffer.from('04000000', 'hex'))], /4 bytes/);
  t.throws(() => [...new WireSplitter().push(Buffer.from('0500000099', 'hex'))], /type 153/);
});
