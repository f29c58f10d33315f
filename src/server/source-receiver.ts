/**
 * Takes the source of a job as it arrives, decodes it and writes it to disk, holding little of it
 * in memory. Size and digest must be those announced; decoding stops with the first byte too many.
 * Small sources, which most are, are done at once: streams cost more than all else about them.
 */
import { createWriteStream, writeFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import { digestOf, finishDigest, startDigest, type Digest } from '../core/digest.js';
import { describeError, errnoCode } from '../core/errors.js';
import { STORE } from '../core/limits.js';
import { decompressAtOnce } from '../platform/compression.js';
import { describeExpansion, expandsTooFar } from '../protocol/expansion.js';
import type { Job } from '../protocol/plain-messages.js';
import { AnnouncedStream } from './announced-stream.js';
import { JobRefused } from './job-refused.js';
import { WholeContent } from './whole-content.js';

export type AnnouncedSource = Pick<
  Job,
  'sourceBytes' | 'sourceDigest' | 'sourceEncoding' | 'encodedBytes'
>;

export class SourceReceiver {
  readonly #announced: AnnouncedSource;
  readonly #content: AnnouncedStream | WholeContent;

  /** Throws JobRefused when what is announced cannot be honest. */
  constructor(announced: AnnouncedSource) {
    const { sourceBytes, encodedBytes } = announced;
    if (expandsTooFar(sourceBytes, encodedBytes)) {
      throw new JobRefused('limit', describeExpansion(sourceBytes, encodedBytes));
    }
    this.#announced = announced;
    const isSmall = Math.max(sourceBytes, encodedBytes) <= STORE.atOnceBytes;
    const Content = isSmall ? WholeContent : AnnouncedStream;
    this.#content = new Content(encodedBytes, 'more source than JOB announced');
  }

  /** See AnnouncedStream. */
  add(bytes: Uint8Array): Promise<void> | undefined {
    return this.#content.add(bytes) ?? undefined;
  }

  /**
   * Writes the decoded source to a new file; resolves when all of it is there and right. Rejects
   * with JobRefused, or with an AbortError when `signal` aborts.
   */
  async writeTo(path: string | Buffer, signal: AbortSignal): Promise<void> {
    try {
      if (this.#content instanceof WholeContent) {
        const bytes = this.#decoded(await this.#content.arrived(signal));
        this.#check(bytes.length, digestOf(bytes));
        writeFileSync(path, bytes, { flag: 'wx', mode: 0o600 });
      } else {
        await this.#stream(this.#content, path, signal);
      }
    } catch (error) {
      if (error instanceof JobRefused || signal.aborted) throw error;
      throw isSystemError(error)
        ? new JobRefused('failed', `cannot store the source: ${describeError(error)}`)
        : new JobRefused('source', `the source cannot be decoded: ${describeError(error)}`);
    }
  }

  /** Nothing more is wanted; what still comes is dropped. */
  abandon(): void {
    if (this.#content instanceof AnnouncedStream) this.#content.arrived.destroy();
  }

  #decoded(encoded: Uint8Array): Uint8Array {
    const { sourceBytes, sourceEncoding } = this.#announced;
    if (sourceEncoding === 'none') return encoded;
    try {
      return decompressAtOnce(encoded, sourceBytes);
    } catch (error) {
      throw errnoCode(error) === 'ERR_BUFFER_TOO_LARGE' ? this.#tooLong() : error;
    }
  }

  async #stream({ arrived }: AnnouncedStream, path: string | Buffer, signal: AbortSignal) {
    const { sourceBytes, sourceEncoding } = this.#announced;
    const tooLong = () => this.#tooLong();
    const hash = startDigest();
    let size = 0;
    const check = async function* (pieces: AsyncIterable<Buffer>) {
      for await (const piece of pieces) {
        size += piece.length;
        if (size > sourceBytes) throw tooLong();
        hash.update(piece);
        yield piece;
      }
    };
    const file = createWriteStream(path, { flags: 'wx', mode: 0o600 });
    if (sourceEncoding === 'none') await pipeline(arrived, check, file, { signal });
    else await pipeline(arrived, createBrotliDecompress(), check, file, { signal });
    this.#check(size, finishDigest(hash));
  }

  #check(size: number, digest: Digest): void {
    const { sourceBytes, sourceDigest } = this.#announced;
    if (size !== sourceBytes) {
      throw new JobRefused('source', `the source has ${size} bytes, ${sourceBytes} were announced`);
    }
    if (digest !== sourceDigest) {
      throw new JobRefused('source', 'the source does not have the digest that was announced');
    }
  }

  #tooLong(): JobRefused {
    const { sourceBytes } = this.#announced;
    return new JobRefused('source', `the source has more than the ${sourceBytes} bytes announced`);
  }
}

/** Of the file system, not of the decoder. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && errnoCode(error) !== undefined;
}
