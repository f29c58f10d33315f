/** The file in which service scripts find the server's process id. */
import { lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { describeError, errnoCode, EXIT, TsccError } from '../core/errors.js';

export class PidFile {
  readonly #path: string;
  readonly #content = `${process.pid}\n`;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Puts the file in place at once and whole. One that is there already is replaced: this server
   * holds the port, so it is of a server that is gone or of another port. Throws a TsccError.
   */
  write(): void {
    const temporary = `${this.#path}.${process.pid}`;
    try {
      const present = lstatSync(this.#path, { throwIfNoEntry: false });
      // A rename would replace /dev/null just as well.
      if (present?.isFile() === false) throw new Error('it is there and is no regular file');
      writeFileSync(temporary, this.#content, { flag: 'wx', mode: 0o644 });
      renameSync(temporary, this.#path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw new TsccError(
        `the pid file ${this.#path} cannot be written: ${describeError(error)}; ` +
          'give another with --pid-file',
        EXIT.ioError,
      );
    }
  }

  /** Unless another server has put its own in place since. */
  remove(): void {
    try {
      if (readFileSync(this.#path, 'latin1') === this.#content) rmSync(this.#path);
    } catch (error) {
      if (errnoCode(error) !== 'ENOENT') throw error;
    }
  }
}
