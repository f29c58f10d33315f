/** How the blob store's files are written, dressed and read. */
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  createReadStream,
  fchmodSync,
  futimesSync,
  linkSync,
  lstatSync,
  openSync,
  readFileSync,
  unlinkSync,
  utimesSync,
  writeSync,
  type Stats,
} from 'node:fs';
import { open } from 'node:fs/promises';
import type { ByteString } from '../core/byte-string.js';
import { digestOf, finishDigest, startDigest, type Digest } from '../core/digest.js';
import { errnoCode } from '../core/errors.js';
import { STORE } from '../core/limits.js';
import { systemPath } from '../platform/system-path.js';
import type { FileEntry } from '../protocol/tree-entry.js';
import { JobRefused } from './job-refused.js';

/** What an inode says besides its content. */
export type Looks = Pick<FileEntry, 'mtime' | 'mode'>;

/** Of blobs that no entry was seen for. */
const PLAIN: Looks = { mtime: 0, mode: 0o444 };

const EMPTY = digestOf('');

/** Bytes of large contents that are read, hashed and written in one step. */
const STEP = 1 << 20;

/** As layers need them: all may read, whatever the client's mode is. */
export function looksOf({ mtime, mode }: Looks = PLAIN): Looks {
  return { mtime, mode: (mode & 0o777) | 0o444 };
}

export function dress(path: ByteString, { mtime, mode }: Looks): void {
  chmodSync(systemPath(path), mode);
  utimesSync(systemPath(path), Date.now() / 1000, mtime);
}

export function isThere(path: ByteString): boolean {
  return lstatSync(systemPath(path), { throwIfNoEntry: false }) !== undefined;
}

/** Of the file that may be used as a blob; undefined when there is none. */
export function blobStats(path: ByteString, digest: Digest): Stats | undefined {
  const stats = lstatSync(systemPath(path), { throwIfNoEntry: false });
  // Who owns a file can change it; an empty one was not on the disk yet when the machine died.
  const isBlob =
    stats?.isFile() === true &&
    stats.uid === process.geteuid?.() &&
    (stats.size > 0 || digest === EMPTY);
  return isBlob ? stats : undefined;
}

export function unlinkIfThere(path: ByteString): void {
  try {
    unlinkSync(systemPath(path));
  } catch (error) {
    if (errnoCode(error) !== 'ENOENT') throw error;
  }
}

/**
 * The file `from` at `to`, with the same looks: a link, or a copy where the file system has no
 * links or (`full`) no more of them for this file. Throws the system's error.
 */
export function linkOrCopy(from: ByteString, to: ByteString): 'linked' | 'copied' | 'full' {
  try {
    linkSync(systemPath(from), systemPath(to));
    return 'linked';
  } catch (error) {
    const code = errnoCode(error);
    if (code !== 'EMLINK' && code !== 'EPERM' && code !== 'EXDEV') throw error;
    const { mtimeMs, mode } = lstatSync(systemPath(from));
    copyFileSync(systemPath(from), systemPath(to), constants.COPYFILE_EXCL);
    dress(to, { mtime: mtimeMs / 1000, mode: mode & 0o777 });
    return code === 'EMLINK' ? 'full' : 'copied';
  }
}

/** A new file. Throws the system's error. */
export function writeAtOnce(path: ByteString, bytes: Uint8Array, looks: Looks): void {
  const file = openSync(systemPath(path), 'wx', 0o600);
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
    fchmodSync(file, looks.mode);
    futimesSync(file, Date.now() / 1000, looks.mtime);
  } finally {
    closeSync(file);
  }
}

/**
 * A new file from pieces that come to `size` bytes; answers the digest of what was written.
 * Rejects with JobRefused when they do not, or with the error of the system or of `pieces`.
 */
export async function writePieces(
  path: ByteString,
  size: number,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<Digest> {
  const file = await open(systemPath(path), 'wx', 0o600);
  try {
    const hash = startDigest();
    let written = 0;
    for await (const piece of pieces) {
      written += piece.length;
      if (written > size) throw new JobRefused('source', `more than the ${size} bytes announced`);
      hash.update(piece);
      for (let at = 0; at < piece.length;) at += (await file.write(piece, at)).bytesWritten;
    }
    if (written < size) throw new JobRefused('source', `${written} bytes of the ${size} announced`);
    return finishDigest(hash);
  } finally {
    await file.close();
  }
}

export async function hashOf(path: ByteString, size: number): Promise<Digest> {
  if (size <= STORE.atOnceBytes) return digestOf(readFileSync(systemPath(path)));
  const hash = startDigest();
  const pieces = createReadStream(systemPath(path), { highWaterMark: STEP });
  for await (const piece of pieces) hash.update(piece as Buffer);
  return finishDigest(hash);
}

export function* cut(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += STEP) yield bytes.subarray(at, at + STEP);
}
