/**
 * A private directory for each job, below `STORE/jobs/PID-START-RANDOM/`, where START is the
 * server's start time as the kernel counts it. Several servers may share a store: each sweeps only
 * what servers left behind that are no more.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { describeError, errnoCode } from '../core/errors.js';
import { makeDirectory } from '../platform/make-directory.js';

export interface JobDirectory {
  readonly path: string;
  /** Removes it with all that is in it. */
  remove(): Promise<void>;
}

/** A compiler's stragglers, already killed, may still create a file: tried again so often. */
const REMOVAL = { recursive: true, force: true, maxRetries: 5, retryDelay: 20 } as const;

const SERVER_NAME = /^(\d+)-(\d+)-[^/]+$/;

export class JobDirectories {
  readonly #root: string;
  #last = 0;

  private constructor(root: string) {
    this.#root = root;
  }

  /**
   * Sweeps the store and makes this server's directory in it. Rejects with the system's error
   * when the store cannot be written; trouble with leftovers only goes to `log`.
   */
  static async open(store: string, log: (line: string) => void): Promise<JobDirectories> {
    const jobs = `${store}/jobs`;
    await makeDirectory(jobs);
    await sweep(jobs, log);
    const start = await startTime(process.pid);
    return new JobDirectories(await mkdtemp(`${jobs}/${process.pid}-${start}-`));
  }

  /** A new directory, mode 0700, with an empty directory `tmp` in it. */
  async create(): Promise<JobDirectory> {
    const path = `${this.#root}/${++this.#last}`;
    const remove = () => removeTree(path);
    await mkdir(path, { mode: 0o700 });
    try {
      await mkdir(`${path}/tmp`, { mode: 0o700 });
    } catch (error) {
      // A full disk, most likely; the caller never learns of the directory that was made.
      await remove();
      throw error;
    }
    return { path, remove };
  }

  /** Removes this server's directory. */
  async close(): Promise<void> {
    await removeTree(this.#root);
  }
}

/**
 * In a sealed root a client's own programs run. They may leave directories that nobody can look
 * into, or a tree deeper than any path is long: then it takes more than Node has, and more time.
 */
async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, REMOVAL);
  } catch (error) {
    if (!['EACCES', 'EPERM', 'ENAMETOOLONG'].includes(errnoCode(error) ?? '')) throw error;
    await promisify(execFile)('chmod', ['-R', 'u+rwx', path]);
    await promisify(execFile)('rm', ['-rf', path]);
  }
}

async function sweep(jobs: string, log: (line: string) => void): Promise<void> {
  for (const name of await readdir(jobs)) {
    const [, pid, start] = SERVER_NAME.exec(name) ?? [];
    if (pid === undefined || (await startTime(Number(pid))) === start) continue;
    try {
      await removeTree(`${jobs}/${name}`);
      log(`removed ${jobs}/${name}, left by a server that is gone`);
    } catch (error) {
      log(`cannot remove ${jobs}/${name}: ${describeError(error)}`);
    }
  }
}

/** Start of a process in clock ticks since the boot, undefined when there is no such process. */
async function startTime(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
    // Field 22; counted from the end of the command's name, which may hold anything.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch (error) {
    if (errnoCode(error) === 'ENOENT' || errnoCode(error) === 'ESRCH') return undefined;
    throw error;
  }
}
