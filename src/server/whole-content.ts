/** Small content that a client has announced the size of, gathered in memory as it arrives. */
import { MalformedFrame } from '../protocol/field-codec.js';

export class WholeContent {
  /** However small the pieces are, this is all that they take. */
  readonly #bytes: Buffer;
  readonly #what: string;
  #filled = 0;
  #onComplete: (() => void) | undefined;

  /** @param what is said when more comes than `bytes` */
  constructor(bytes: number, what: string) {
    this.#bytes = Buffer.allocUnsafe(bytes);
    this.#what = what;
  }

  /** Takes a chunk. Throws MalformedFrame when more comes than was announced. */
  add(bytes: Uint8Array): void {
    if (bytes.length > this.#bytes.length - this.#filled) throw new MalformedFrame(this.#what);
    this.#bytes.set(bytes, this.#filled);
    this.#filled += bytes.length;
    if (this.#filled === this.#bytes.length) this.#onComplete?.();
  }

  /** Resolves when all has come; rejects with the signal's reason when it aborts before that. */
  async arrived(signal: AbortSignal): Promise<Uint8Array> {
    signal.throwIfAborted();
    if (this.#filled < this.#bytes.length) await this.#complete(signal);
    return this.#bytes;
  }

  #complete(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#onComplete = () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
    });
  }
}
