/** Content that a client has announced the size of, as it arrives; little of it is in memory. */
import { PassThrough } from 'node:stream';
import { WIRE } from '../core/limits.js';
import { MalformedFrame } from '../protocol/field-codec.js';

export class AnnouncedStream {
  /** Ends when all has come. An error in it is for whoever reads from it. */
  readonly arrived = new PassThrough({ highWaterMark: WIRE.unprocessedBytes });
  readonly #what: string;
  #missing: number;

  /** @param what is said when more comes than `bytes` */
  constructor(bytes: number, what: string) {
    this.#what = what;
    this.#missing = bytes;
    // After its end, which its reader is told of, chunks may still come.
    this.arrived.on('error', () => undefined);
    if (bytes === 0) this.arrived.end();
  }

  /** All that was announced has come. */
  get isComplete(): boolean {
    return this.#missing === 0;
  }

  /**
   * Takes a chunk. A promise means that enough is in memory: it resolves when there is room again,
   * or when the rest is not wanted any more. Throws MalformedFrame when more comes than was
   * announced.
   */
  add(bytes: Uint8Array): Promise<void> | undefined {
    this.#missing -= bytes.length;
    if (this.#missing < 0) throw new MalformedFrame(this.#what);
    const input = this.arrived;
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
}
