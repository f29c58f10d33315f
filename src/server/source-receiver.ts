/**
 * Takes the source of a job as it arrives, decodes it and writes it to disk, holding little of it
 * in memory. Size and digest must be those announced; decoding stops with the first byte too many.
 */
import { createWriteStream } from 'node:fs';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import { finishDigest, startDigest } from '../core/digest.js';
import { describeError, errnoCode } from '../core/errors.js';
import { WIRE } from '../core/limits.js';
import { MalformedFrame } from '../protocol/field-codec.js';
import type { Job } from '../protocol/plain-messages.js';
import { JobRefused } from './job-refused.js';

export type AnnouncedSource = Pick<
  Job,
  'sourceBytes' | 'sourceDigest' | 'sourceEncoding' | 'encodedBytes'
>;

export class SourceReceiver {
  readonly #announced: AnnouncedSource;
  readonly #arrived = new PassThrough({ highWaterMark: WIRE.unprocessedBytes });
  #missing: number;

  /** Throws JobRefused when what is announced cannot be honest. */
  constructor(announced: AnnouncedSource) {
    const { sourceBytes, encodedBytes } = announced;
    if (sourceBytes > WIRE.expansionFree && sourceBytes > WIRE.expansion * encodedBytes) {
      throw new JobRefused(
        'limit',
        `${encodedBytes} bytes are said to hold ${sourceBytes}; ` +
          `more than ${WIRE.expansion} times as much is not taken: send it uncompressed`,
      );
    }
    this.#announced = announced;
    this.#missing = encodedBytes;
    // After an abort or an error, which `writeTo` reports, chunks may still come.
    this.#arrived.on('error', () => undefined);
    if (encodedBytes === 0) this.#arrived.end();
  }

  /**
   * Takes a chunk. A promise means that enough is in memory: it resolves when there is room
   * again, or when the rest is not wanted any more. Throws MalformedFrame when more comes than
   * was announced.
   */
  add(bytes: Uint8Array): Promise<void> | undefined {
    this.#missing -= bytes.length;
    if (this.#missing < 0) throw new MalformedFrame('more source than JOB announced');
    const input = this.#arrived;
    if (input.destroyed || bytes.length === 0) return undefined;
    const hasRoom = input.write(bytes);
    if (this.#missing === 0) input.end();
    if (hasRoom || this.#missing === 0) return undefined;
    return new Promise((resolve) => {
      const done = () => {
        input.off('drain', done).off('close', done);
        resolve();
      };
      input.on('drain', done).on('close', done);
    });
  }

  /**
   * Writes the decoded source to a new file; resolves when all of it is there and right. Rejects
   * with JobRefused, or with an AbortError when `signal` aborts.
   */
  async writeTo(path: string | Buffer, signal: AbortSignal): Promise<void> {
    const { sourceBytes, sourceDigest, sourceEncoding } = this.#announced;
    const hash = startDigest();
    let size = 0;
    const check = async function* (pieces: AsyncIterable<Buffer>) {
      for await (const piece of pieces) {
        size += piece.length;
        if (size > sourceBytes) {
          throw new JobRefused(
            'source',
            `the source has more than the ${sourceBytes} bytes announced`,
          );
        }
        hash.update(piece);
        yield piece;
      }
    };
    const file = createWriteStream(path, { flags: 'wx', mode: 0o600 });
    try {
      if (sourceEncoding === 'none') {
        await pipeline(this.#arrived, check, file, { signal });
      } else {
        await pipeline(this.#arrived, createBrotliDecompress(), check, file, { signal });
      }
    } catch (error) {
      if (error instanceof JobRefused || signal.aborted) throw error;
      throw isSystemError(error)
        ? new JobRefused('failed', `cannot store the source: ${describeError(error)}`)
        : new JobRefused('source', `the source cannot be decoded: ${describeError(error)}`);
    }
    if (size !== sourceBytes) {
      throw new JobRefused('source', `the source has ${size} bytes, ${sourceBytes} were announced`);
    }
    if (finishDigest(hash) !== sourceDigest) {
      throw new JobRefused('source', 'the source does not have the digest that was announced');
    }
  }

  /** Nothing more is wanted; what still comes is dropped. */
  abandon(): void {
    this.#arrived.destroy();
  }
}

/** Of the file system, not of the decoder. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && errnoCode(error) !== undefined;
}
