/**
 * The file system as tscc uses it, with paths as bytes (see system-path.ts). Metadata calls are synchronous: they
 * take microseconds, a tenth of what a trip through the thread pool costs. So are small contents.
 */
import {
  accessSync,
  appendFileSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { errnoCode } from './errno.js';
import { systemPath, type PathBytes } from './system-path.js';

/** Three trips and more through the thread pool cost more than this much of the page cache. */
const AT_ONCE = 256 * 1024;

export type FileKind = 'file' | 'directory' | 'symlink' | 'special';

export interface FileFacts {
  readonly kind: FileKind;
  /** Equal for two names of one file. */
  readonly id: string;
  readonly size: number;
  readonly modified: number;
  /** Permission bits. */
  readonly mode: number;
}

export interface Files {
  /** Undefined when there is no such file, or no way to it. Symbolic links are followed. */
  stat(path: PathBytes): FileFacts | undefined;
  /** As `stat`, for the link itself. */
  lstat(path: PathBytes): FileFacts | undefined;
  /** The path without symbolic links; undefined when a part of it is missing. */
  realPath(path: PathBytes): PathBytes | undefined;
  canRead(path: PathBytes): boolean;
  canWrite(path: PathBytes): boolean;
  /** Throws as readFile does. */
  read(path: PathBytes): string;
  readBytes(path: PathBytes): Promise<Buffer>;
  /**
   * Fills `into` from the beginning of a file that was just written, so that no disk is waited
   * for. Throws the system's error, or when the file has less.
   */
  readAtOnce(path: PathBytes, into: Uint8Array): void;
  /** Makes a file that must not exist yet, with exactly this mode. Throws the system's error. */
  writeNew(path: PathBytes, bytes: Uint8Array, mode: number): Promise<void>;
  /** Removes a file; that it is gone already is fine. */
  remove(path: PathBytes): void;
  /** Removes a file, or a directory with all that is in it; that it is gone already is fine. */
  removeTree(path: PathBytes): void;
  /** Makes the file, and its directory with those above, where needed. */
  append(path: PathBytes, text: string): void;
  /** Undefined when there is no such file. */
  size(path: PathBytes): number | undefined;
  newestFirst(directory: PathBytes): string[];
}

export const realFiles: Files = {
  stat: (path) => facts(statSync, path),
  lstat: (path) => facts(lstatSync, path),
  realPath(path) {
    return ifThere(() =>
      (realpathSync.native(systemPath(path), 'buffer') as unknown as Buffer).toString('latin1'),
    );
  },
  canRead: (path) => isAllowed(path, constants.R_OK),
  canWrite: (path) => isAllowed(path, constants.W_OK),
  read: (path) => readFileSync(systemPath(path), 'latin1'),
  readBytes: async (path) => readAtOnce(path) ?? readFile(systemPath(path)),
  readAtOnce(path, into) {
    const file = openSync(systemPath(path), 'r');
    try {
      for (let at = 0; at < into.length;) {
        const size = readSync(file, into, at, into.length - at, null);
        if (size === 0) throw new Error(`${path} has ${at} bytes, not ${into.length}`);
        at += size;
      }
    } finally {
      closeSync(file);
    }
  },
  async writeNew(path, content, mode) {
    if (content.length <= AT_ONCE) return writeAtOnce(path, content, mode);
    const file = await open(systemPath(path), 'wx', mode);
    try {
      await file.writeFile(content);
      // The daemon's own umask must not decide.
      await file.chmod(mode);
    } finally {
      await file.close();
    }
  },
  remove(path) {
    try {
      unlinkSync(systemPath(path));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  },
  removeTree: (path) => rmSync(systemPath(path), { recursive: true, force: true }),
  append(path, text) {
    const directory = path.slice(0, path.lastIndexOf('/'));
    mkdirSync(systemPath(directory), { recursive: true, mode: 0o700 });
    appendFileSync(systemPath(path), text, { mode: 0o600 });
  },
  size: (path) => facts(statSync, path)?.size,
  newestFirst(directory) {
    const names = ifThere(() => readdirSync(systemPath(directory), 'latin1')) ?? [];
    return names
      .map((name) => ({
        name,
        modified: facts(lstatSync, `${directory}/${name}`)?.modified ?? 0,
      }))
      .toSorted((a, b) => b.modified - a.modified)
      .map(({ name }) => name);
  },
};

/** Undefined where that could take a while: what it is then need not be a file at all. */
function readAtOnce(path: PathBytes): Buffer | undefined {
  const file = openSync(systemPath(path), constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(file);
    return stats.isFile() && stats.size <= AT_ONCE ? readFileSync(file) : undefined;
  } finally {
    closeSync(file);
  }
}

function writeAtOnce(path: PathBytes, content: Uint8Array, mode: number): void {
  const file = openSync(systemPath(path), 'wx', mode);
  try {
    for (let at = 0; at < content.length;) at += writeSync(file, content, at);
    fchmodSync(file, mode);
  } finally {
    closeSync(file);
  }
}

function isMissing(error: unknown): boolean {
  const code = errnoCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const code = errnoCode(error);
    // EACCES and ELOOP: there may be something, but no way leads to it.
    if (isMissing(error) || code === 'EACCES' || code === 'ELOOP' || code === 'EINVAL') {
      return undefined;
    }
    throw error;
  }
}

function facts(call: typeof statSync, path: PathBytes): FileFacts | undefined {
  const stats = ifThere(() => call(systemPath(path), { throwIfNoEntry: false }));
  if (stats === undefined) return undefined;
  return {
    kind: stats.isFile()
      ? 'file'
      : stats.isDirectory()
        ? 'directory'
        : stats.isSymbolicLink()
          ? 'symlink'
          : 'special',
    id: `${stats.dev}:${stats.ino}`,
    size: stats.size,
    modified: stats.mtimeMs,
    mode: stats.mode & 0o777,
  };
}

function isAllowed(path: PathBytes, mode: number): boolean {
  try {
    accessSync(systemPath(path), mode);
    return true;
  } catch {
    // Every failure means the same to the caller: not possible.
    return false;
  }
}
