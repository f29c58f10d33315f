import type { RefusalCode } from '../protocol/plain-messages.js';

/** A job that this server will not or cannot do; becomes a REFUSED message. */
export class JobRefused extends Error {
  override readonly name = 'JobRefused';
  readonly code: RefusalCode;

  /** @param message one line for the client's log */
  constructor(code: RefusalCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
