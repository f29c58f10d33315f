/**
 * One upload: a list of blobs, then one stream with their encoded contents in that order. Each is
 * decoded and stored as it comes; a bad one does not harm the others.
 */
import { PassThrough, type Duplex, type Readable } from 'node:stream';
import { setImmediate as otherEvents } from 'node:timers/promises';
import { brotliDecompressSync, createBrotliDecompress } from 'node:zlib';
import type { Digest } from '../core/digest.js';
import { describeError } from '../core/errors.js';
import { STORE } from '../core/limits.js';
import { describeExpansion, expandsTooFar } from '../protocol/expansion.js';
import type { AnnouncedBlob } from '../protocol/pump-messages.js';
import { AnnouncedStream } from './announced-stream.js';

/** The blob store, as far as uploads see it. */
export interface BlobSink {
  put(digest: Digest, bytes: Uint8Array): Promise<void>;
  putPieces(digest: Digest, size: number, pieces: AsyncIterable<Uint8Array>): Promise<void>;
}

export class BlobReceiver {
  readonly #stream: AnnouncedStream;
  readonly #onStored: (digest: Digest) => void;
  readonly #onBad: (digest: Digest, why: string) => void;
  #isAbandoned = false;
  /** Resolves when each blob was stored or found bad, or after `abandon`. */
  readonly ended: Promise<void>;

  /**
   * @param onStored a content is in the store
   * @param onBad it is not, and why: a rest of a sentence that begins with the file
   */
  constructor(
    blobs: readonly AnnouncedBlob[],
    store: BlobSink,
    onStored: (digest: Digest) => void,
    onBad: (digest: Digest, why: string) => void,
  ) {
    this.#onStored = onStored;
    this.#onBad = onBad;
    const size = blobs.reduce((sum, { encodedBytes }) => sum + encodedBytes, 0);
    this.#stream = new AnnouncedStream(size, 'more content than BLOBS announced');
    this.ended = this.#receive(blobs, new Pieces(this.#stream.arrived), store).catch(
      (error: unknown) => {
        // Reading ends with an error when the upload is abandoned; all others are told as `bad`.
        if (!this.#isAbandoned) throw error;
      },
    );
  }

  /** All that was announced has come. */
  get isComplete(): boolean {
    return this.#stream.isComplete;
  }

  /** See AnnouncedStream. */
  add(bytes: Uint8Array): Promise<void> | undefined {
    return this.#stream.add(bytes);
  }

  /** Nothing more comes, or is wanted; blobs that are not there are dropped without a word. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#stream.arrived.destroy();
  }

  async #receive(blobs: readonly AnnouncedBlob[], pieces: Pieces, store: BlobSink): Promise<void> {
    let count = 0;
    for (const blob of blobs) {
      pieces.begin(blob.encodedBytes);
      try {
        await storeNext(blob, pieces, store);
        this.#onStored(blob.digest);
      } catch (error) {
        if (this.#isAbandoned) return;
        this.#onBad(blob.digest, `cannot be stored: ${describeError(error)}`);
      }
      await pieces.skip();
      if (++count % STORE.filesPerSlice === 0) await otherEvents();
    }
  }
}

async function storeNext(blob: AnnouncedBlob, pieces: Pieces, store: BlobSink): Promise<void> {
  const { digest, bytes, encoding, encodedBytes } = blob;
  if (expandsTooFar(bytes, encodedBytes)) throw new Error(describeExpansion(bytes, encodedBytes));
  if (Math.max(bytes, encodedBytes) > STORE.atOnceBytes) return storeLarge(blob, pieces, store);
  const encoded = await pieces.all();
  const content = encoding === 'none' ? encoded : decode(encoded, bytes);
  if (content.length !== bytes) {
    throw new Error(`it has ${content.length} bytes, ${bytes} were announced`);
  }
  await store.put(digest, content);
}

async function storeLarge(blob: AnnouncedBlob, pieces: Pieces, store: BlobSink): Promise<void> {
  const input = blob.encoding === 'none' ? new PassThrough() : createBrotliDecompress();
  let failure: { readonly error: unknown } | undefined;
  // Its errors reach `stored`, which reads from it.
  input.on('error', () => undefined);
  const stored = store.putPieces(blob.digest, blob.bytes, input).catch((error: unknown) => {
    failure = { error };
    input.destroy();
  });
  try {
    for (let piece = await pieces.next(); piece !== undefined; piece = await pieces.next()) {
      if (!input.destroyed && !input.write(piece)) await roomIn(input);
    }
    input.end();
  } catch (error) {
    input.destroy();
    throw error;
  } finally {
    await stored;
  }
  if (failure !== undefined) throw failure.error;
}

/** Resolves when more can be written, or is not wanted. */
function roomIn(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.readableEnded) return resolve();
    const done = () => {
      for (const event of ['drain', 'end', 'close']) stream.off(event, done);
      resolve();
    };
    for (const event of ['drain', 'end', 'close']) stream.on(event, done);
  });
}

function decode(encoded: Uint8Array, bytes: number): Buffer {
  return brotliDecompressSync(encoded, { maxOutputLength: Math.max(1, bytes) });
}

/** The stream, cut at the announced sizes. */
class Pieces {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);
  #left = 0;

  constructor(stream: Readable) {
    this.#chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** The next content has so many bytes. */
  begin(bytes: number): void {
    this.#left = bytes;
  }

  /** Some more of the content; undefined at its end. Rejects when the upload is abandoned. */
  async next(): Promise<Buffer | undefined> {
    if (this.#left === 0) return undefined;
    if (this.#rest.length === 0) {
      const { done, value } = await this.#chunks.next();
      if (done === true) throw new Error('the upload ended too early');
      this.#rest = value;
    }
    const piece = this.#rest.subarray(0, this.#left);
    this.#rest = this.#rest.subarray(piece.length);
    this.#left -= piece.length;
    return piece;
  }

  async all(): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (let piece = await this.next(); piece !== undefined; piece = await this.next()) {
      pieces.push(piece);
    }
    const [only] = pieces;
    return only !== undefined && pieces.length === 1 ? only : Buffer.concat(pieces);
  }

  async skip(): Promise<void> {
    while ((await this.next()) !== undefined);
  }
}
