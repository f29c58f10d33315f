import { randomBytes } from 'node:crypto';
import { brotliCompressSync } from 'node:zlib';
import t from 'tap';
import { digestOf, type Digest } from '../../src/core/digest.js';
import { STORE, WIRE } from '../../src/core/limits.js';
import { BROTLI } from '../../src/platform/compression.js';
import type { AnnouncedBlob } from '../../src/protocol/pump-messages.js';
import { BlobReceiver, type BlobSink } from '../../src/server/blob-receiver.js';

/** Keeps what is right, as the store does. */
class MemoryStore implements BlobSink {
  readonly blobs = new Map<Digest, Buffer>();

  async put(digest: Digest, bytes: Uint8Array): Promise<void> {
    if (digestOf(bytes) !== digest) throw new Error('it has another digest');
    this.blobs.set(digest, Buffer.from(bytes));
  }

  async putPieces(digest: Digest, size: number, pieces: AsyncIterable<Uint8Array>): Promise<void> {
    const all: Uint8Array[] = [];
    let length = 0;
    for await (const piece of pieces) {
      all.push(piece);
      length += piece.length;
      if (length > size) throw new Error('more than announced');
    }
    if (length < size) throw new Error('less than announced');
    await this.put(digest, Buffer.concat(all));
  }
}

/** At once, as clients do it. */
function compress(content: Buffer): Buffer {
  return brotliCompressSync(content, BROTLI);
}

interface Upload {
  readonly blob: AnnouncedBlob;
  readonly encoded: Buffer;
}

function upload(
  content: Buffer,
  encoding: 'brotli' | 'none',
  more: Partial<AnnouncedBlob> = {},
): Upload {
  const encoded = encoding === 'brotli' ? compress(content) : content;
  const bytes = content.length;
  const blob = { digest: digestOf(content), bytes, encoding, encodedBytes: encoded.length };
  return { blob: { ...blob, ...more }, encoded };
}

function receiverOf(uploads: readonly Upload[], store: BlobSink) {
  const stored: Digest[] = [];
  const bad = new Map<Digest, string>();
  const receiver = new BlobReceiver(
    uploads.map(({ blob }) => blob),
    store,
    (digest) => stored.push(digest),
    (digest, why) => bad.set(digest, why),
  );
  return { receiver, stored, bad, all: Buffer.concat(uploads.map(({ encoded }) => encoded)) };
}

await t.test('contents of all sizes arrive in any pieces, in order', async (t) => {
  const contents = [
    Buffer.from('small'),
    Buffer.alloc(0),
    randomBytes(2 * STORE.atOnceBytes),
    Buffer.from('int x;\n'.repeat(1000)),
    Buffer.alloc(STORE.atOnceBytes + 1, 'z'),
    ...Array.from({ length: 2 * STORE.filesPerSlice }, (_, index) => Buffer.from(`file ${index}`)),
  ];
  for (const size of [10_007, 64 * 1024, 1e9]) {
    const store = new MemoryStore();
    const uploads = contents.flatMap((content, index) => [
      upload(content, index % 2 === 0 ? 'brotli' : 'none'),
      upload(Buffer.concat([content, Buffer.from('!')]), index % 2 === 0 ? 'none' : 'brotli'),
    ]);
    const { receiver, stored, bad, all } = receiverOf(uploads, store);
    t.notOk(receiver.isComplete);
    for (let at = 0; at < all.length; at += size) {
      await receiver.add(all.subarray(at, at + size));
    }
    t.ok(receiver.isComplete);
    await receiver.ended;
    t.same(
      stored,
      uploads.map(({ blob }) => blob.digest),
      `in pieces of ${size}`,
    );
    t.same([...bad], []);
    t.ok(contents.every((content) => store.blobs.get(digestOf(content))?.equals(content)));
  }
});

await t.test('a bad one does not harm the others', async (t) => {
  const large = Buffer.from('large '.repeat(STORE.atOnceBytes / 4));
  const noise = randomBytes(STORE.atOnceBytes + 1);
  const garbage = Buffer.concat([compress(large), randomBytes(300_000)]);
  const uploads: Upload[] = [
    upload(Buffer.from('another content'), 'none', { digest: digestOf('announced') }),
    upload(Buffer.from('not compressed'), 'none', { encoding: 'brotli' }),
    upload(noise, 'none', { encoding: 'brotli', digest: digestOf('noise') }),
    upload(Buffer.from('shorter'), 'brotli', { bytes: 8 }),
    upload(Buffer.from('longer'), 'brotli', { bytes: 5 }),
    upload(large, 'brotli', { bytes: large.length - 1, digest: digestOf('too many') }),
    upload(large, 'none', { digest: digestOf('other large') }),
    upload(Buffer.alloc(WIRE.expansionFree + 1), 'brotli'),
  ];
  const good = Array.from(uploads, (_, index) => upload(Buffer.from(`good ${index}`), 'brotli'));
  const behind = {
    blob: { ...upload(large, 'brotli').blob, encodedBytes: garbage.length },
    encoded: garbage,
  };
  const mixed = [...uploads.flatMap((one, index) => [one, good[index] ?? one]), behind];
  const last = upload(Buffer.from('the last'), 'none');
  for (const size of [10_007, 1e9]) {
    const { receiver, stored, bad, all } = receiverOf([...mixed, last], new MemoryStore());
    for (let at = 0; at < all.length; at += size) await receiver.add(all.subarray(at, at + size));
    await receiver.ended;
    t.same(new Set(bad.keys()), new Set(uploads.map(({ blob }) => blob.digest)));
    for (const { blob } of [...good, last]) t.ok(stored.includes(blob.digest));
    t.match(bad.get(digestOf('announced')), /cannot be stored: it has another digest/);
    t.match(bad.get(digestOf(Buffer.alloc(WIRE.expansionFree + 1))), /said to hold 1048577/);
  }
});

await t.test('who sends faster than the store can take is asked for patience', async (t) => {
  const store = new MemoryStore();
  let goOn = () => {};
  const held = new Promise<void>((resolve) => (goOn = resolve));
  const slow: BlobSink = {
    put: (digest, bytes) => held.then(() => store.put(digest, bytes)),
    putPieces: (digest, size, pieces) => held.then(() => store.putPieces(digest, size, pieces)),
  };
  const content = randomBytes(2 * WIRE.unprocessedBytes);
  const uploads = [upload(Buffer.from('first'), 'none'), upload(content, 'none')];
  const { receiver, stored, all } = receiverOf(uploads, slow);
  const room = receiver.add(all.subarray(0, all.length - 1));
  t.type(room, Promise);
  goOn();
  await room;
  t.equal(receiver.add(all.subarray(all.length - 1)), undefined);
  await receiver.ended;
  t.equal(stored.length, 2);
});

await t.test('an upload that is given up ends without a word', async (t) => {
  for (const content of [Buffer.from('small'), randomBytes(2 * STORE.atOnceBytes)]) {
    const { receiver, stored, bad, all } = receiverOf([upload(content, 'none')], new MemoryStore());
    void receiver.add(all.subarray(1));
    receiver.abandon();
    await receiver.ended;
    t.equal(receiver.add(all.subarray(0, 1)), undefined, 'and more is dropped');
    t.same([stored, [...bad]], [[], []]);
  }
});

await t.test('more than was announced is malformed, nothing at all is fine', async (t) => {
  const { receiver, all } = receiverOf([upload(Buffer.from('x'), 'none')], new MemoryStore());
  t.throws(() => receiver.add(Buffer.concat([all, all])), { name: 'MalformedFrame' });
  receiver.abandon();
  const none = receiverOf([], new MemoryStore());
  await none.receiver.ended;
  t.ok(none.receiver.isComplete);
});
