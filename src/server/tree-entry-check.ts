/** What a client may say of its tree. Pure. */
import type { ByteString } from '../core/byte-string.js';
import { INCLUDES } from '../core/include-limits.js';
import { MalformedFrame } from '../protocol/field-codec.js';
import type { TreeEntry } from '../protocol/tree-entry.js';

/** Throws MalformedFrame where an entry cannot come from an honest client. */
export function checkEntry(entry: TreeEntry): void {
  const { kind, path } = entry;
  if (!isRealPath(path)) throw new MalformedFrame(`${JSON.stringify(path)} is no real path`);
  if (path === '/' && kind !== 'directory') throw new MalformedFrame('/ is not a directory');
  if (kind === 'symlink' && !isTarget(entry.target)) {
    throw new MalformedFrame(`the link ${path} leads to ${JSON.stringify(entry.target)}`);
  }
  if (kind === 'file' && !(Number.isSafeInteger(entry.size) && entry.size >= 0)) {
    throw new MalformedFrame(`${path} has ${entry.size} bytes`);
  }
  if (kind === 'file' && !(Number.isSafeInteger(entry.mtime) && Number.isInteger(entry.mode))) {
    throw new MalformedFrame(`${path} has the time ${entry.mtime} and the mode ${entry.mode}`);
  }
}

/**
 * Every job root has these by itself (docs/protocol.md §3): devices, and a place for temporary
 * files. A client's own must not hide them.
 */
const OWN = ['/dev/null', '/dev/zero', '/dev/urandom', '/.tscc'];

/** The directory that a client's tree and the job root share. */
export const SHARED_DIRECTORY = '/dev';

/** Can a job root show it? */
export function isShowable({ kind, path }: TreeEntry): boolean {
  if (path === SHARED_DIRECTORY) return kind === 'directory';
  return !OWN.some((own) => path === own || path.startsWith(`${own}/`));
}

function isRealPath(path: ByteString): boolean {
  if (path === '/') return true;
  if (path.length > INCLUDES.pathBytes || !path.startsWith('/') || path.includes('\0'))
    return false;
  // Of all names on the way: not empty, not '.' or '..', not too long.
  return !/\/(?:\/|$|\.\.?(?:\/|$)|[^/]{256})/.test(path);
}

function isTarget(target: ByteString): boolean {
  return target !== '' && target.length <= INCLUDES.pathBytes && !target.includes('\0');
}
