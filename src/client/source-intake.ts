/**
 * Preprocessed sources arrive on connections of their own, named by a token that the daemon gave
 * to one launcher. The intake joins the two.
 */
import type { Duplex } from 'node:stream';
import type { ByteString } from '../core/byte-string.js';

/** More than the limit arrived; the stream was closed, so the preprocessor ends by SIGPIPE. */
export class SourceTooLarge extends Error {
  override readonly name = 'SourceTooLarge';
}

export class SourceIntake {
  /** Path of the socket that takes them. */
  readonly socket: ByteString;
  readonly #maximum: number;
  readonly #expected = new Map<ByteString, (stream: Duplex) => void>();

  /** @param maximum bytes kept of one source */
  constructor(socket: ByteString, maximum: number) {
    this.socket = socket;
    this.#maximum = maximum;
  }

  /** Resolves with the whole source once its stream has ended. */
  expect(token: ByteString, signal: AbortSignal): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const forget = () => {
        this.#expected.delete(token);
        reject(signal.reason as Error);
      };
      if (signal.aborted) return forget();
      signal.addEventListener('abort', forget, { once: true });
      this.#expected.set(token, (stream) => {
        this.#expected.delete(token);
        const parts: Buffer[] = [];
        let size = 0;
        const stop = () => stream.destroy();
        signal.addEventListener('abort', stop, { once: true });
        stream.on('data', (part: Buffer) => {
          parts.push(part);
          size += part.length;
          if (size > this.#maximum) stream.destroy(new SourceTooLarge());
        });
        stream.on('error', reject);
        stream.on('end', () => resolve(Buffer.concat(parts, size)));
        stream.on('close', () => {
          signal.removeEventListener('abort', forget);
          signal.removeEventListener('abort', stop);
          // Without effect after 'end'.
          reject(new Error('the source stream was closed before its end'));
        });
        stream.resume();
      });
    });
  }

  /** A stream whose token nobody expects (its launcher is gone) is closed. */
  deliver(token: ByteString, stream: Duplex): void {
    const take = this.#expected.get(token);
    if (take === undefined) stream.destroy();
    else take(stream);
  }
}
