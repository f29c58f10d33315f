/**
 * The system calls of the include server, one each. Failures that answer a question (there is no
 * such file, it may not be read) come as the system's code, since for most names that a
 * preprocessor asks for there is no file.
 */
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
import { errnoCode } from './errno.js';
import { systemPath, type PathBytes } from './system-path.js';

/** The system's name of an error: `ENOENT`, `EACCES`… */
export type Errno = string;

export interface OpenedFile {
  /** Taken before the first byte was read. */
  readonly stats: Stats;
  readonly bytes: Buffer;
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

function orErrno<T>(call: () => T): T | Errno {
  try {
    return call();
  } catch (error) {
    const code = errnoCode(error);
    // Errors of Node's own (a bad argument) are bugs.
    if (code === undefined || !/^E[A-Z0-9]+$/.test(code) || code.startsWith('ERR_')) throw error;
    return code;
  }
}
