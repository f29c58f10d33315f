/**
 * Files of a closure that are one file here, by hard links. Clang takes them for one and the same,
 * which they would not be in the copy of a tree. Pure.
 */
import type { ByteString } from '../core/byte-string.js';
import type { Inode } from './file-stamp.js';

/** A path whose file another one of these has too; undefined when there is none. */
export function hardLinked(
  files: Iterable<{ readonly path: ByteString; readonly stamp: Inode }>,
): ByteString | undefined {
  const paths = new Map<string, ByteString>();
  for (const { path, stamp } of files) {
    const inode = `${stamp.dev}:${stamp.ino}`;
    const other = paths.get(inode);
    if (other !== undefined && other !== path) return path;
    paths.set(inode, path);
  }
  return undefined;
}
