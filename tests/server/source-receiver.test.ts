import { readFileSync } from 'node:fs';
import { brotliCompressSync } from 'node:zlib';
import t from 'tap';
import { digestOf } from '../../src/core/digest.js';
import { WIRE } from '../../src/core/limits.js';
import { SourceReceiver } from '../../src/server/source-receiver.js';

const never = new AbortController().signal;

function announce(source: Buffer, encoding: 'brotli' | 'none') {
  const encoded = encoding === 'brotli' ? brotliCompressSync(source) : source;
  const announced = {
    sourceBytes: source.length,
    sourceDigest: digestOf(source),
    sourceEncoding: encoding,
    encodedBytes: encoded.length,
  };
  return { encoded, receiver: new SourceReceiver(announced) };
}

await t.test('a source arrives in any pieces', async (t) => {
  const source = Buffer.from('int main(void) { return 0; }\n'.repeat(1000));
  for (const encoding of ['brotli', 'none'] as const) {
    for (const size of [1, 7, 100_000]) {
      const { encoded, receiver } = announce(source, encoding);
      const path = `${t.testdir({})}/source`;
      const written = receiver.writeTo(path, never);
      for (let at = 0; at < encoded.length; at += size) {
        await receiver.add(encoded.subarray(at, at + size));
      }
      await written;
      t.ok(readFileSync(path).equals(source), `${encoding} by ${size}`);
    }
  }
});

await t.test('a source that comes before it can be stored asks for patience', async (t) => {
  const source = Buffer.alloc(3 * WIRE.unprocessedBytes, 'x');
  const { encoded, receiver } = announce(source, 'none');
  const half = encoded.subarray(0, 2 * WIRE.unprocessedBytes);
  const room = receiver.add(half);
  t.type(room, Promise);
  const path = `${t.testdir({})}/source`;
  const written = receiver.writeTo(path, never);
  await room;
  t.equal(receiver.add(encoded.subarray(half.length)), undefined, 'the last needs none');
  await written;
  t.ok(readFileSync(path).equals(source));
});

await t.test('who waits for room is told when the rest is not wanted', async (t) => {
  const { encoded, receiver } = announce(Buffer.alloc(3 * WIRE.unprocessedBytes, 'x'), 'none');
  const room = receiver.add(encoded.subarray(1));
  receiver.abandon();
  await room;
  t.equal(receiver.add(encoded.subarray(0, 1)), undefined, 'and more is dropped');
});

await t.test('an abort ends it', async (t) => {
  const { encoded, receiver } = announce(Buffer.from('source'), 'brotli');
  const stop = new AbortController();
  const written = receiver.writeTo(`${t.testdir({})}/source`, stop.signal);
  t.equal(receiver.add(encoded.subarray(0, 3)), undefined);
  stop.abort();
  await t.rejects(written, { name: 'AbortError' });
  t.equal(receiver.add(encoded.subarray(3)), undefined);
});

await t.test(
  'what is behind the end of the compressed source is an error or nothing',
  async (t) => {
    const source = Buffer.from('int x;');
    const encoded = Buffer.concat([brotliCompressSync(source), Buffer.from('trailing garbage')]);
    const receiver = new SourceReceiver({
      sourceBytes: source.length,
      sourceDigest: digestOf(source),
      sourceEncoding: 'brotli',
      encodedBytes: encoded.length,
    });
    t.equal(receiver.add(encoded), undefined);
    const path = `${t.testdir({})}/source`;
    await receiver.writeTo(path, never);
    t.ok(readFileSync(path).equals(source));
  },
);

await t.test('a disk that takes nothing is not the fault of the source', async (t) => {
  const { encoded, receiver } = announce(Buffer.from('source'), 'brotli');
  t.equal(receiver.add(encoded), undefined);
  const written = receiver.writeTo(`${t.testdir({})}/none/source`, never);
  await t.rejects(written, { name: 'JobRefused', code: 'failed', message: /cannot store/ });
});

await t.test('an announcement that cannot be honest is refused at once', async (t) => {
  const fields = {
    sourceDigest: digestOf('x'),
    sourceEncoding: 'brotli',
    encodedBytes: 10,
  } as const;
  const announced = (sourceBytes: number) => () => new SourceReceiver({ ...fields, sourceBytes });
  t.doesNotThrow(announced(WIRE.expansionFree));
  t.throws(announced(WIRE.expansionFree + 1), { code: 'limit' });
  const receiver = new SourceReceiver({ ...fields, sourceBytes: 10 });
  t.throws(() => receiver.add(Buffer.alloc(11)), { name: 'MalformedFrame' });
});
