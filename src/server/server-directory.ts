/**
 * A directory of one running server, `PARENT/PID-START-RANDOM/`, where START is the server's start
 * time as the kernel counts it. Several servers may share a store: each sweeps only what servers
 * left behind that are no more.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { describeError, errnoCode } from '../core/errors.js';
import { makeDirectory } from '../platform/make-directory.js';

/** A compiler's stragglers, already killed, may still create a file: tried again so often. */
export const REMOVAL = { recursive: true, force: true, maxRetries: 5, retryDelay: 20 } as const;

const SERVER_NAME = /^(\d+)-(\d+)-[^/]+$/;

export class ServerDirectory {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Sweeps `parent` and makes this server's directory in it, mode 0700. Rejects with the system's
   * error when it cannot be written; trouble with leftovers only goes to `log`.
   */
  static async open(parent: string, log: (line: string) => void): Promise<ServerDirectory> {
    await makeDirectory(parent);
    await sweep(parent, log);
    const start = await startTime(process.pid);
    return new ServerDirectory(await mkdtemp(`${parent}/${process.pid}-${start}-`));
  }

  /** Removes it with all that is in it. */
  async close(): Promise<void> {
    await removeTree(this.path);
  }
}

/**
 * In a sealed root a client's own programs run. They may leave directories that nobody can look
 * into, or a tree deeper than any path is long: then it takes more than Node has, and more time.
 */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, REMOVAL);
  } catch (error) {
    if (!['EACCES', 'EPERM', 'ENAMETOOLONG'].includes(errnoCode(error) ?? '')) throw error;
    await promisify(execFile)('chmod', ['-R', 'u+rwx', path]);
    await promisify(execFile)('rm', ['-rf', path]);
  }
}

async function sweep(parent: string, log: (line: string) => void): Promise<void> {
  for (const name of await readdir(parent)) {
    const [, pid, start] = SERVER_NAME.exec(name) ?? [];
    if (pid === undefined || (await startTime(Number(pid))) === start) continue;
    try {
      await removeTree(`${parent}/${name}`);
      log(`removed ${parent}/${name}, left by a server that is gone`);
    } catch (error) {
      log(`cannot remove ${parent}/${name}: ${describeError(error)}`);
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
