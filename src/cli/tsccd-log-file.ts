/** The server's log in a file that may be rotated: it is opened again on request. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { describeError, EXIT, TsccError } from '../core/errors.js';

/** As other daemons' logs: its group may read it. */
const MODE = 0o640;

export class LogFile {
  readonly #path: string;
  #descriptor: number;
  #lost = 0;

  /** Opens for appending; throws a TsccError when that cannot be done. */
  constructor(path: string) {
    this.#path = path;
    try {
      this.#descriptor = openSync(path, 'a', MODE);
    } catch (error) {
      throw new TsccError(
        `the log file cannot be written: ${describeError(error)}; give another with --log-file`,
        EXIT.ioError,
      );
    }
  }

  /** Never throws: a full disk must not end the server. What was lost is told when there is room. */
  write(line: string): void {
    const lost = this.#lost === 0 ? '' : `(${this.#lost} lines before this one were lost)\n`;
    try {
      writeSync(this.#descriptor, `${lost}${line}\n`);
      this.#lost = 0;
    } catch {
      this.#lost++;
    }
  }

  /** The file by this name may be another one now. If it cannot be opened the old one is kept. */
  reopen(): void {
    const old = this.#descriptor;
    try {
      this.#descriptor = openSync(this.#path, 'a', MODE);
      closeSync(old);
    } catch (error) {
      this.write(`the log file cannot be opened again: ${describeError(error)}`);
    }
  }
}
