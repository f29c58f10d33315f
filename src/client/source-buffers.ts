/**
 * Memory for preprocessed sources, used again and again: touching a fresh megabyte for the first
 * time costs more than reading a source into it.
 */
import { DAEMON } from '../core/limits.js';

/** Buffers come in whole multiples of this, so that one fits the next source as well. */
const STEP = 256 * 1024;

export class SourceBuffers {
  readonly #ours = new WeakSet<ArrayBufferLike>();
  readonly #free: Buffer[] = [];
  #freeBytes = 0;

  /** A buffer of this length with any content. */
  take(size: number): Buffer {
    const at = this.#free.findLastIndex((buffer) => buffer.length >= size);
    const [found] = at < 0 ? [] : this.#free.splice(at, 1);
    this.#freeBytes -= found?.length ?? 0;
    return (found ?? this.#allocate(size)).subarray(0, size);
  }

  /** Gives a buffer back that nobody looks into any more; one that came from elsewhere is left. */
  give(buffer: Buffer): void {
    if (!this.#ours.has(buffer.buffer)) return;
    const whole = Buffer.from(buffer.buffer);
    if (this.#freeBytes + whole.length > DAEMON.freeSourceBytes) return;
    this.#free.push(whole);
    this.#freeBytes += whole.length;
  }

  #allocate(size: number): Buffer {
    const buffer = Buffer.allocUnsafeSlow(Math.ceil(size / STEP) * STEP);
    this.#ours.add(buffer.buffer);
    return buffer;
  }
}
