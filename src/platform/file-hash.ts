/** Content digests of files, remembered for as long as the files look unchanged. */
import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { systemPath } from './system-path.js';

/** Milliseconds, several times what a file system's clock may stand still for (10 at 100 Hz). */
const CLOCK_TICK = 50;

/** What changes when a file's content does, as one comparable string. */
export type FileStamp = string;

/** Stamp of the regular file that `path` leads to; undefined if there is none, or no way to it. */
export function fileStamp(path: string): FileStamp | undefined {
  let stat;
  try {
    // Times as floating-point milliseconds resolve 0.25 µs, and cost half of what bigints do.
    stat = statSync(systemPath(path), { throwIfNoEntry: false });
  } catch {
    // PATH may lead through directories that are closed to this user, or round in circles: an exec
    // along it passes them by as well.
    return undefined;
  }
  if (stat === undefined || !stat.isFile()) return undefined;
  return `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeMs}:${stat.ctimeMs}`;
}

/**
 * What changes when names come and go in a directory; undefined when it changed so recently that
 * the next change may leave its times as they are. One that is not there has a stamp too.
 */
export function directoryStamp(path: string): FileStamp | undefined {
  let stat;
  try {
    stat = statSync(systemPath(path), { throwIfNoEntry: false });
  } catch {
    // As in fileStamp: what cannot be looked into is passed by.
    return undefined;
  }
  if (stat === undefined) return 'absent';
  if (Date.now() - Math.max(stat.mtimeMs, stat.ctimeMs) < CLOCK_TICK) return undefined;
  return `${stat.dev}:${stat.ino}:${stat.mtimeMs}:${stat.ctimeMs}`;
}

/** The first `length` bytes of a file, fewer if it is shorter. */
export async function readStart(path: string, length: number): Promise<Buffer> {
  const file = await open(systemPath(path), 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(systemPath(path), { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

export class FileHashes {
  readonly #byStamp = new Map<FileStamp, Promise<string>>();

  /**
   * SHA-256, in hex, of the file at `path`, whose stamp the caller took before. Files with one
   * stamp are one file, and concurrent calls read it once. Rejects if it cannot be read.
   */
  hash(path: string, stamp: FileStamp): Promise<string> {
    const known = this.#byStamp.get(stamp);
    if (known !== undefined) return known;
    const hashing = hashFile(path);
    this.#byStamp.set(stamp, hashing);
    hashing.catch(() => this.#byStamp.delete(stamp));
    return hashing;
  }
}
