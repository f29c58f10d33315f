/**
 * The server's own files that may stand for a client's: those that everybody on this host may
 * read, in the directories of the system. A client that knows a file's digest gets its content by
 * it, so that nothing else may be taken.
 */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  realpathSync,
  statSync,
  type Stats,
} from 'node:fs';
import { fromBytes, type ByteString } from '../core/byte-string.js';
import { errnoCode } from '../core/errors.js';
import { systemPath } from '../platform/system-path.js';

const ROOTS = ['/usr', '/lib', '/lib32', '/lib64', '/libx32', '/opt'];

/** Without O_NONBLOCK, a FIFO would hold the server up for ever. */
const HOW = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

/** An open file; whoever has it closes it. */
export interface AdoptableFile {
  readonly descriptor: number;
}

/** The file at `path` if it may be adopted and has this size, else undefined. */
export function openAdoptable(path: ByteString, size: number): AdoptableFile | undefined {
  if (!isBelowRoots(path)) return undefined;
  try {
    const real = realPath(path);
    if (!isBelowRoots(real) || !isOpenToAll(real)) return undefined;
    const descriptor = openSync(systemPath(real), HOW);
    if (isAdoptable(fstatSync(descriptor), size)) return { descriptor };
    closeSync(descriptor);
    return undefined;
  } catch (error) {
    // Whatever the system says (not there, not allowed, too many links): there is no such file.
    if (errnoCode(error) === undefined) throw error;
    return undefined;
  }
}

/** The whole content; throws when the file has less by now. */
export function readAdoptable({ descriptor }: AdoptableFile, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  for (let at = 0; at < size;) {
    const count = readSync(descriptor, bytes, at, size - at, at);
    if (count === 0) return bytes.subarray(0, at);
    at += count;
  }
  return bytes;
}

function isBelowRoots(path: ByteString): boolean {
  return ROOTS.some((root) => path.startsWith(`${root}/`));
}

function isAdoptable(stats: Stats, size: number): boolean {
  return stats.isFile() && stats.size === size && (stats.mode & constants.S_IROTH) !== 0;
}

/** May everybody pass through all directories on the way? */
function isOpenToAll(path: ByteString): boolean {
  for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
    const { mode } = statSync(systemPath(path.slice(0, slash)));
    if ((mode & constants.S_IXOTH) === 0) return false;
  }
  return true;
}

function realPath(path: ByteString): ByteString {
  return fromBytes(realpathSync.native(systemPath(path), { encoding: 'buffer' }));
}
