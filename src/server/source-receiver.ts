/**
 * Takes the source of a job as it arrives, decodes it and writes it to disk, holding little of it
 * in memory. Size and digest must be those announced; decoding stops with the first byte too many.
 */
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import { finishDigest, startDigest } from '../core/digest.js';
import { describeError, errnoCode } from '../core/errors.js';
import { describeExpansion, expandsTooFar } from '../protocol/expansion.js';
import type { Job } from '../protocol/plain-messages.js';
import { AnnouncedStream } from './announced-stream.js';
import { JobRefused } from './job-refused.js';

export type AnnouncedSource = Pick<
  Job,
  'sourceBytes' | 'sourceDigest' | 'sourceEncoding' | 'encodedBytes'
>;

export class SourceReceiver {
  readonly #announced: AnnouncedSource;
  readonly #stream: AnnouncedStream;

  /** Throws JobRefused when what is announced cannot be honest. */
  constructor(announced: AnnouncedSource) {
    const { sourceBytes, encodedBytes } = announced;
    if (expandsTooFar(sourceBytes, encodedBytes)) {
      throw new JobRefused('limit', describeExpansion(sourceBytes, encodedBytes));
    }
    this.#announced = announced;
    this.#stream = new AnnouncedStream(encodedBytes, 'more source than JOB announced');
  }

  /** See AnnouncedStream. */
  add(bytes: Uint8Array): Promise<void> | undefined {
    return this.#stream.add(bytes);
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
        await pipeline(this.#stream.arrived, check, file, { signal });
      } else {
        await pipeline(this.#stream.arrived, createBrotliDecompress(), check, file, { signal });
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
    this.#stream.arrived.destroy();
  }
}

/** Of the file system, not of the decoder. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && errnoCode(error) !== undefined;
}
