/**
 * The system calls of the include server, one each. Failures that answer a question (there is no
 * such file, it may not be read) come as the system's code, since for most names that a
 * preprocessor asks for there is no file.
 */
import { createHash } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  statfsSync,
  type Stats,
} from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { errnoCode } from './errno.js';
import { systemPath, type PathBytes } from './system-path.js';

/** The system's name of an error: `ENOENT`, `EACCES`… */
export type Errno = string;

export interface OpenedFile {
  /** Taken before the first byte was read. */
  readonly stats: Stats;
  readonly bytes: Buffer;
}

export interface HashedFile {
  /** Taken before the first byte was read, and the same after the last. */
  readonly stats: Stats;
  /** SHA-256, in hex. */
  readonly digest: string;
}

export interface TreeFiles {
  /** Milliseconds since the epoch, by the clock that stamps files. */
  now(): number;
  /** Of the link itself. */
  lstat(path: PathBytes): Stats | Errno;
  /**
   * As `lstat` of a regular file, but by opening it: that makes a network file system ask its
   * server.
   */
  statOpened(path: PathBytes): Stats | Errno;
  list(directory: PathBytes): PathBytes[] | Errno;
  /** Undefined when it is no link (any more), or may not be read. */
  readLink(path: PathBytes): PathBytes | undefined;
  /** A regular file's content; `ELOOP` if it is a link, `EINVAL` if anything else. */
  read(path: PathBytes): OpenedFile | Errno;
  /** As `read`, while other work goes on; `EAGAIN` if the file changed meanwhile. */
  hash(path: PathBytes): Promise<HashedFile | Errno>;
  maySearch(directory: PathBytes): boolean;
  /** Magic number, as statfs(2) lists them; 0 when it cannot be told. */
  fileSystem(path: PathBytes): number;
}

/** Without O_NONBLOCK, what has become a FIFO meanwhile would hold us up for ever. */
const HOW = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

export const realTreeFiles: TreeFiles = {
  now: () => Date.now(),
  lstat: (path) =>
    orErrno(() => lstatSync(systemPath(path), { throwIfNoEntry: false }) ?? 'ENOENT'),
  statOpened: (path) => orErrno(() => withOpened(path, (_fd, stats) => stats)),
  list: (directory) => orErrno(() => readdirSync(systemPath(directory), 'latin1')),
  readLink(path) {
    const target = orErrno(() => ({ path: readlinkSync(systemPath(path), 'latin1') }));
    return typeof target === 'string' ? undefined : target.path;
  },
  read: (path) =>
    orErrno(() =>
      withOpened(path, (fd, stats) =>
        stats.isFile() ? { stats, bytes: readAll(fd, stats.size) } : 'EINVAL',
      ),
    ),
  async hash(path) {
    let file: FileHandle;
    try {
      file = await open(systemPath(path), HOW);
    } catch (error) {
      return errnoOf(error);
    }
    try {
      return await hashOpened(file);
    } catch (error) {
      return errnoOf(error);
    } finally {
      await file.close();
    }
  },
  maySearch: (directory) =>
    orErrno(() => {
      accessSync(systemPath(directory), constants.X_OK);
      return true;
    }) === true,
  fileSystem(path) {
    const type = orErrno(() => statfsSync(systemPath(path)).type);
    return typeof type === 'number' ? type : 0;
  },
};

function withOpened<T>(path: PathBytes, use: (fd: number, stats: Stats) => T): T {
  const fd = openSync(systemPath(path), HOW);
  try {
    return use(fd, fstatSync(fd));
  } finally {
    closeSync(fd);
  }
}

/**
 * Files of a few KiB share such a piece of memory: to get one for each costs more than to read it.
 * Larger pieces would come from the kernel each time, page by page.
 */
const SLAB = 64 * 1024;
let slab = Buffer.alloc(0);

/** What is there to its end: the size is a hint, since the file may grow, or be one of /proc. */
function readAll(fd: number, size: number): Buffer {
  const isShared = size < SLAB / 4;
  if (isShared && slab.length <= size) slab = Buffer.allocUnsafeSlow(SLAB);
  let bytes = isShared ? slab : Buffer.allocUnsafeSlow(size + 1);
  let at = 0;
  for (;;) {
    if (at === bytes.length) bytes = Buffer.concat([bytes], 2 * at);
    const count = readSync(fd, bytes, at, bytes.length - at, null);
    at += count;
    // A regular file that gives less than was asked for is at its end, but for /proc's, of size 0.
    if (count > 0 && (at !== size || size === 0)) continue;
    if (bytes === slab) slab = slab.subarray(at);
    return bytes.subarray(0, at);
  }
}

/** Piece by piece: the event loop turns between two of them, each of a fraction of a millisecond. */
const PIECE = 256 * 1024;

async function hashOpened(file: FileHandle): Promise<HashedFile | Errno> {
  const stats = await file.stat();
  if (!stats.isFile()) return 'EINVAL';
  const hash = createHash('sha256');
  const piece = Buffer.allocUnsafeSlow(PIECE);
  for (let at = 0; ;) {
    const { bytesRead } = await file.read(piece, 0, PIECE, at);
    if (bytesRead === 0) break;
    hash.update(piece.subarray(0, bytesRead));
    at += bytesRead;
  }
  const { mtimeMs, ctimeMs, size } = await file.stat();
  const isSame = mtimeMs === stats.mtimeMs && ctimeMs === stats.ctimeMs && size === stats.size;
  return isSame ? { stats, digest: hash.digest('hex') } : 'EAGAIN';
}

function orErrno<T>(call: () => T): T | Errno {
  try {
    return call();
  } catch (error) {
    return errnoOf(error);
  }
}

function errnoOf(error: unknown): Errno {
  const code = errnoCode(error);
  // Errors of Node's own (a bad argument) are bugs.
  if (code === undefined || !/^E[A-Z0-9]+$/.test(code) || code.startsWith('ERR_')) throw error;
  return code;
}
