/**
 * Where jobs have their files while they run. They live for a second and are removed: in memory, where
 * the host has room for them there, that costs no disk (docs/decisions/0018).
 */
import { lstatSync, mkdirSync, statfsSync } from 'node:fs';
import { describeError, errnoCode } from '../core/errors.js';
import { SERVER } from '../core/limits.js';

/** POSIX shared memory: a file system in memory on every Linux host. */
export const SHARED_MEMORY = '/dev/shm';
/** TMPFS_MAGIC of linux/magic.h. */
const TMPFS = 0x01021994;

/**
 * This user's directory in shared memory, made if need be; or why there is none. Everybody may write
 * there, so only a directory is good that is ours and closed to others.
 *
 * @param slots jobs at once
 */
export function scratchInMemory(
  slots: number,
  uid: number,
  memory = SHARED_MEMORY,
): { readonly path: string } | { readonly why: string } {
  const path = `${memory}/tscc-${uid}`;
  try {
    const { type, bavail, bsize } = statfsSync(memory);
    if (type !== TMPFS) return { why: `${memory} is not in memory` };
    const [free, wanted] = [bavail * bsize, slots * SERVER.scratchPerSlot];
    if (free < wanted) {
      return { why: `${memory} has ${inMiB(free)} free, and ${slots} slots want ${inMiB(wanted)}` };
    }
    makeUnlessThere(path);
    const { mode, uid: owner } = lstatSync(path);
    // The kind as well: a link could lead anywhere.
    if (owner !== uid || (mode & 0o177_077) !== 0o040_000) {
      return { why: `${path} is no directory of uid ${uid} that is closed to others` };
    }
    return { path };
  } catch (error) {
    return { why: describeError(error) };
  }
}

function makeUnlessThere(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (errnoCode(error) !== 'EEXIST') throw error;
  }
}

const inMiB = (bytes: number) => `${Math.floor(bytes / 2 ** 20)} MiB`;
