import { lstatSync, readdirSync, rmdirSync, unlinkSync, type Dirent } from 'node:fs';
import { errnoCode } from './errno.js';

/** Entries that are removed at once: what a compile leaves, and little enough to hold nobody up. */
const ENTRIES = 64;

/** Bytes of a directory that says how much it holds: more is not read at once. Tmpfs counts 20 for an entry. */
const DIRECTORY_BYTES = 4096;

/**
 * Removes a directory with all that is in it, without the thread pool. False when it has more than a
 * few entries or one that cannot be removed: then some of it may be left. Follows no link; nobody
 * else may change it meanwhile.
 */
export function removeSmallTree(path: string): boolean {
  try {
    return empty(path, { left: ENTRIES });
  } catch {
    // A directory that is closed to us, or a path too long: for a thorough removal, which tells.
    return false;
  }
}

function empty(path: string, budget: { left: number }): boolean {
  if (lstatSync(path).size > DIRECTORY_BYTES) return false;
  for (const entry of entriesOf(path)) {
    if (budget.left-- === 0) return false;
    const inside = `${path}/${entry.name}`;
    if (!entry.isDirectory()) unlinkSync(inside);
    else if (!empty(inside, budget)) return false;
  }
  rmdirSync(path);
  return true;
}

/** Of one that nobody may look into, as overlayfs leaves it, none: if there are any, rmdir says so. */
function entriesOf(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (errnoCode(error) === 'EACCES') return [];
    throw error;
  }
}
