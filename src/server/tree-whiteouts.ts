/**
 * Whiteouts: what tells overlayfs that a name of the layers below is not there, a character device
 * 0:0. Linux lets everybody make one since 5.8, but Node.js has no mknod: mknod(1) makes one, and
 * links to it do for all names.
 */
import { execFile } from 'node:child_process';
import { linkSync } from 'node:fs';
import { promisify } from 'node:util';
import type { ByteString } from '../core/byte-string.js';
import { errnoCode } from '../core/errors.js';
import { systemPath } from '../platform/system-path.js';

const run = promisify(execFile);

export class Whiteouts {
  readonly #directory: string;
  #made = 0;
  #current: Promise<string> | undefined;

  /** @param directory exists; devices `whiteout-N` are made in it */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Rejects with an Error that says what cannot be done. */
  async place(at: ByteString): Promise<void> {
    const device = this.#current ?? this.#make();
    try {
      linkSync(await device, systemPath(at));
    } catch (error) {
      // It has as many names as a file may have.
      if (errnoCode(error) !== 'EMLINK') throw error;
      if (this.#current === device) this.#current = undefined;
      linkSync(await (this.#current ?? this.#make()), systemPath(at));
    }
  }

  #make(): Promise<string> {
    const path = `${this.#directory}/whiteout-${++this.#made}`;
    const making = run('mknod', ['-m', '444', path, 'c', '0', '0']).then(() => path);
    this.#current = making;
    making.catch(() => {
      if (this.#current === making) this.#current = undefined;
    });
    return making;
  }
}
