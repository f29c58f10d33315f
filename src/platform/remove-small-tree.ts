import { opendirSync, rmdirSync, unlinkSync } from 'node:fs';

/** Entries that are removed at once: what a compile leaves, and little enough to hold nobody up. */
const ENTRIES = 64;

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
  const directory = opendirSync(path);
  try {
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
      if (budget.left-- === 0) return false;
      const inside = `${path}/${entry.name}`;
      if (!entry.isDirectory()) unlinkSync(inside);
      else if (!empty(inside, budget)) return false;
    }
  } finally {
    directory.closeSync();
  }
  rmdirSync(path);
  return true;
}
