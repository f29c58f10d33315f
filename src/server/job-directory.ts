/** A private directory for each job, below this server's in `PLACE/jobs` (server-directory.ts). */
import { mkdirSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { removeSmallTree } from '../platform/remove-small-tree.js';
import { removeTree, ServerDirectory } from './server-directory.js';

export interface JobDirectory {
  readonly path: string;
  /** Makes an empty directory in it, mode 0700; gives its path. Throws the system's error. */
  add(name: string): string;
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
   * Sweeps a place (scratch.ts, or the store) and makes this server's directory in it. Rejects with the
   * system's error when it cannot be written; trouble with leftovers only goes to `log`.
   */
  static async open(place: string, log: (line: string) => void): Promise<JobDirectories> {
    return new JobDirectories(await ServerDirectory.open(`${place}/jobs`, log));
  }

  /** A new directory, empty, mode 0700. Rejects with the system's error. */
  async create(): Promise<JobDirectory> {
    const path = makeDirectory(`${this.#root.path}/${++this.#last}`);
    return {
      path,
      add: (name) => makeDirectory(`${path}/${name}`),
      async remove() {
        // What was just sent goes out first.
        await setImmediate();
        if (!removeSmallTree(path)) await removeTree(path);
      },
    };
  }

  /** Removes this server's directory. */
  async close(): Promise<void> {
    await this.#root.close();
  }
}

function makeDirectory(path: string): string {
  mkdirSync(path, { mode: 0o700 });
  return path;
}
