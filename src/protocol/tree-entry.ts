/**
 * What a client's file system has at a path, as far as a compile can tell: the words in which a
 * header closure is sent, and in which the server keeps a client's tree (docs/protocol.md §2).
 */
import type { ByteString } from '../core/byte-string.js';
import type { Digest } from '../core/digest.js';

/** Paths are real: absolute, without symbolic links, `.`, `..` or a slash at the end. */
export type TreeEntry = FileEntry | DirectoryEntry | SymlinkEntry | AbsentEntry;

export interface FileEntry {
  readonly kind: 'file';
  readonly path: ByteString;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** Seconds since the epoch: `__TIMESTAMP__` and `#pragma once` look at it. */
  readonly mtime: number;
  /** Permission bits. */
  readonly mode: number;
}

export interface DirectoryEntry {
  readonly kind: 'directory';
  readonly path: ByteString;
}

export interface SymlinkEntry {
  readonly kind: 'symlink';
  readonly path: ByteString;
  /** As readlink(2) gives it. */
  readonly target: ByteString;
}

/** Something was at this path when it was sent before, and is not there any more. */
export interface AbsentEntry {
  readonly kind: 'absent';
  readonly path: ByteString;
}
