/** Small content that a client has announced the size of, gathered in memory as it arrives. */
import { MalformedFrame } from '../protocol/field-codec.js';

export class WholeContent {
  readonly #pieces: Uint8Array[] = [];
  readonly #what: string;
  #missing: number;
  #onComplete: (() => void) | undefined;

  /** @param what is said when more comes than `bytes` */
  constructor(bytes: number, what: string) {
    this.#what = what;
    this.#missing = bytes;
  }

  /** Takes a chunk. Throws MalformedFrame when more comes than was announced. */
  add(bytes: Uint8Array): void {
    this.#missing -= bytes.length;
    if (this.#missing < 0) throw new MalformedFrame(this.#what);
    this.#pieces.push(bytes);
    if (this.#missing === 0) this.#onComplete?.();
  }

  /** Resolves when all has come; rejects with the signal's reason when it aborts before that. */
  async arrived(signal: AbortSignal): Promise<Uint8Array> {
    signal.throwIfAborted();
    if (this.#missing > 0) await this.#complete(signal);
    const [first] = this.#pieces;
    return this.#pieces.length === 1 && first !== undefined ? first : Buffer.concat(this.#pieces);
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
