/** A private directory for each job, below this server's in `STORE/jobs` (server-directory.ts). */
import { mkdirSync } from 'node:fs';
import { removeSmallTree } from '../platform/remove-small-tree.js';
import { removeTree, ServerDirectory } from './server-directory.js';

export interface JobDirectory {
  readonly path: string;
  /** Removes it with all that is in it. */
  remove(): Promise<void>;
}

export class JobDirectories {
  readonly #root: ServerDirectory;
  #last = 0;

  private constructor(root: ServerDirectory) {
    this.#root = root;
  }

  /**
   * Sweeps the store and makes this server's directory in it. Rejects with the system's error
   * when the store cannot be written; trouble with leftovers only goes to `log`.
   */
  static async open(store: string, log: (line: string) => void): Promise<JobDirectories> {
    return new JobDirectories(await ServerDirectory.open(`${store}/jobs`, log));
  }

  /** A new directory, mode 0700, with an empty directory `tmp` in it. */
  async create(): Promise<JobDirectory> {
    const path = `${this.#root.path}/${++this.#last}`;
    const remove = async () => {
      if (!removeSmallTree(path)) await removeTree(path);
    };
    mkdirSync(path, { mode: 0o700 });
    try {
      mkdirSync(`${path}/tmp`, { mode: 0o700 });
    } catch (error) {
      // A full disk, most likely; the caller never learns of the directory that was made.
      await remove();
      throw error;
    }
    return { path, remove };
  }

  /** Removes this server's directory. */
  async close(): Promise<void> {
    await this.#root.close();
  }
}
