/**
 * What is remembered of the file system: directories by real path, in each the names that were
 * asked for. Nodes hold facts and decide nothing.
 */
import { joinPath, type ByteString } from '../core/byte-string.js';
import type { DirectoryEntry, FileEntry, SymlinkEntry } from '../protocol/tree-entry.js';
import type { FileContent, RememberedContent } from './file-content.js';
import type { FileStamp, Inode } from './file-stamp.js';

/**
 * How a node's facts are kept true:
 *
 *   asked ──ADDED──▶ confirming ──looked at again──▶ vouched
 *     │ REFUSED, watcher lost         │ lost            │ lost
 *     └───────────────────────────▶ stat ◀──────────────┘      (any) ──forgotten──▶ forgotten
 *
 * `vouched`: changes are told. All others are looked at once in each round in which somebody asks
 * for them; `confirming` in the next one, for what happened before the watch was there. `stat` is what lies on file systems of other machines,
 * cannot be watched, or has no watcher.
 */
export type Vouching = 'asked' | 'confirming' | 'vouched' | 'stat' | 'forgotten';

/** A name that a listing showed and nobody has asked for; or one that must be looked at again. */
export const UNASKED = { kind: 'unasked' } as const;
/** ENOENT. */
export const ABSENT = { kind: 'absent' } as const;
/** A device, FIFO or socket. */
export const SPECIAL = { kind: 'special' } as const;

/** What a name in a directory is, as somebody was told. */
export type NameFact<S> =
  typeof ABSENT | typeof SPECIAL | SymlinkEntry | FileNode<S> | DirectoryNode<S>;

export type TreeNode<S> = FileNode<S> | DirectoryNode<S>;

abstract class Node<S> {
  readonly parent: DirectoryNode<S> | undefined;
  readonly name: ByteString;
  /** Real path. */
  readonly path: ByteString;
  readonly isLocal: boolean;
  stamp: FileStamp;
  vouching: Vouching = 'stat';
  /** The round in which it was made or looked at last. */
  seen = 0;
  /** Numbers of its watch, and of the last request for one; 0 for none. */
  watch = 0;
  request = 0;

  constructor(
    parent: DirectoryNode<S> | undefined,
    name: ByteString,
    stamp: FileStamp,
    isLocal: boolean,
  ) {
    this.parent = parent;
    this.name = name;
    this.path = parent === undefined ? '/' : joinPath(parent.path, name);
    this.stamp = stamp;
    this.isLocal = isLocal;
  }
}

/** A regular file that walks have led to. */
export interface TreeFile<S> {
  /** Real path. */
  readonly path: ByteString;
  /** What it looked like last. */
  readonly stamp: Inode;
  /** Whether it is known what is in it: `content` and `entry` may be asked for. */
  readonly isHashed: boolean;
  content(): FileContent<S>;
  /** The same object for as long as the same is there. */
  entry(): FileEntry;
}

export class FileNode<S> extends Node<S> implements TreeFile<S> {
  readonly kind = 'file';
  declare readonly parent: DirectoryNode<S>;
  /**
   * Undefined: it may not be read. Walks lead to no such file. 'unhashed': it is large, and may be
   * read.
   */
  body: RememberedContent<S> | 'unhashed' | undefined;
  #entry: FileEntry | undefined;

  get isReadable(): boolean {
    return this.body !== undefined;
  }

  get isHashed(): boolean {
    return typeof this.body === 'object';
  }

  content(): FileContent<S> {
    if (typeof this.body === 'object') return this.body;
    throw new Error(`Internal error: ${this.path} is ${this.body ?? 'unreadable'}`);
  }

  entry(): FileEntry {
    const { digest, size, mtime, mode } = this.content();
    const known = this.#entry;
    // Content read anew may be what it was: a large file's is, whenever it might have changed.
    if (known?.digest === digest && known.mtime === mtime && known.mode === mode) return known;
    this.#entry = { kind: 'file', path: this.path, digest, size, mtime, mode };
    return this.#entry;
  }
}

export class DirectoryNode<S> extends Node<S> {
  readonly kind = 'directory';
  readonly entry: DirectoryEntry;
  readonly names = new Map<ByteString, NameFact<S> | typeof UNASKED>();
  /** Names that are not among `names` are absent. */
  isListed = false;
  /** Whether names in it may be looked up. */
  isSearchable: boolean;
  /** The tree's version when a name that somebody was told about became another thing. */
  changedAt = 0;
  /** The latest such change in it or above it, and the moment when that was so. */
  latestChange = 0;
  latestAt = -1;
  /** Names somebody knows something about that may have changed. */
  readonly doubtfulNames = new Set<ByteString>();

  constructor(
    parent: DirectoryNode<S> | undefined,
    name: ByteString,
    stamp: FileStamp,
    isLocal: boolean,
    isSearchable: boolean,
  ) {
    super(parent, name, stamp, isLocal);
    this.entry = { kind: 'directory', path: this.path };
    this.isSearchable = isSearchable;
  }
}

/** The node itself, then all below it, each directory before what is in it. */
export function* nodesBelow<S>(node: TreeNode<S>): Generator<TreeNode<S>> {
  yield node;
  if (node.kind === 'file') return;
  for (const fact of node.names.values()) {
    if (fact.kind === 'file' || fact.kind === 'directory') yield* nodesBelow(fact);
  }
}
