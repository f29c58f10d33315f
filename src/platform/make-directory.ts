import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoCode } from './errno.js';

/**
 * Makes a directory and the missing ones above it, mode 0700; fine when it exists. Rejects with
 * the system's error. (Node's own recursive mkdir never returns where a file system answers ENOENT
 * below a directory that exists, as /proc does.)
 */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (errnoCode(error) === 'EEXIST') return;
    const parent = dirname(path);
    if (errnoCode(error) !== 'ENOENT' || parent === path) throw error;
    await makeDirectory(parent);
    await mkdir(path, { mode: 0o700 }).catch((again: unknown) => {
      // Another process was as quick.
      if (errnoCode(again) !== 'EEXIST') throw again;
    });
  }
}
