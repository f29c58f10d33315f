/** What a compiler learns about a directory of its search path before it takes it up. */
import { statSync } from 'node:fs';
import { errnoCode } from './errno.js';
import { systemPath, type PathBytes } from './system-path.js';

export type DirectoryLook =
  /** `identity` is equal for two names of one directory: device and inode. */
  | { readonly kind: 'directory'; readonly identity: string }
  /** ENOENT: compilers pass it over. */
  | { readonly kind: 'absent' }
  /** Anything else: a file, or no way to it (ENOTDIR, EACCES, ELOOP). Compilers object. */
  | { readonly kind: 'obstructed' };

/** @param path absolute */
export type LookAtDirectory = (path: PathBytes) => DirectoryLook;

export const lookAtDirectory: LookAtDirectory = (path) => {
  let stat;
  try {
    stat = statSync(systemPath(path), { bigint: true });
  } catch (error) {
    return { kind: errnoCode(error) === 'ENOENT' ? 'absent' : 'obstructed' };
  }
  if (!stat.isDirectory()) return { kind: 'obstructed' };
  return { kind: 'directory', identity: `${stat.dev}:${stat.ino}` };
};
