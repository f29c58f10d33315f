/** The server's log in a file. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { describeError, EXIT, TsccError } from '../core/errors.js';

/** As other daemons' logs: its group may read it. */
const MODE = 0o640;

export class LogFile {
  readonly #descriptor: number;
  /** The last write left a line without its end. */
  #isTorn = false;

  /** Opens for appending; throws a TsccError when that cannot be done. */
  constructor(path: string) {
    try {
      this.#descriptor = openSync(path, 'a', MODE);
    } catch (error) {
      throw new TsccError(
        `the log file cannot be written: ${describeError(error)}; give another with --log-file`,
        EXIT.ioError,
      );
    }
  }

  /** Whether all of it was written. Never throws: a full disk must not end the server. */
  write(text: string): boolean {
    const bytes = Buffer.from(this.#isTorn ? `\n${text}` : text);
    try {
      const written = writeSync(this.#descriptor, bytes);
      if (written > 0) this.#isTorn = bytes[written - 1] !== 0x0a;
      return written === bytes.length;
    } catch {
      return false;
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
