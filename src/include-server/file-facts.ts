/** Asks the file system, remembers what it says, and asks nothing twice. */
import { joinPath, type ByteString } from '../core/byte-string.js';
import { digestOf, type Digest } from '../core/digest.js';
import { INCLUDES } from '../core/include-limits.js';
import type { TreeFiles } from '../platform/tree-files.js';
import { RememberedContent, type ContentSource } from './file-content.js';
import { isSameInode, stampOf, type StampStats } from './file-stamp.js';
import {
  ABSENT,
  DirectoryNode,
  FileNode,
  SPECIAL,
  nodesBelow,
  UNASKED,
  type NameFact,
  type TreeNode,
} from './tree-nodes.js';
import type { Vouchers } from './vouchers.js';

/**
 * Magic numbers (statfs(2)) of the file systems that this kernel alone writes, so that it sees each
 * change and stamps it with its own clock; also, a listing of theirs has all names there are.
 */
const LOCAL_FILE_SYSTEMS: ReadonlySet<number> = new Set([
  0xef53, // ext4 (ext2, ext3)
  0x58465342, // XFS
  0x9123683e, // Btrfs
  0x01021994, // tmpfs
  // overlayfs, which every container's root is: changes made through it are told since Linux 4.19
  // (Node 20 needs 4.18). To change its layers beneath it is undefined, for compilers as for us.
  0x794c7630,
]);

/** By statfs's magic number. */
export const isLocalFileSystem = (type: number): boolean => LOCAL_FILE_SYSTEMS.has(type);

/** An entry that changes while it is looked at is looked at so often. */
const TRIES = 8;

/** No way to it, rather than trouble on the way. */
export const isMissing = (errno: string): boolean => errno === 'ENOENT' || errno === 'ENOTDIR';

export class FileFacts<S> {
  readonly #files: TreeFiles;
  readonly #source: ContentSource<S>;
  readonly #vouchers: Vouchers<S>;
  /** By device number. */
  readonly #isLocal = new Map<number, boolean>();
  #root: DirectoryNode<S> | undefined;
  #count = 0;
  #bytes = 0;
  #round = 0;
  #unsure = new Set<DirectoryNode<S>>();

  constructor(files: TreeFiles, source: ContentSource<S>, vouchers: Vouchers<S>) {
    this.#files = files;
    this.#source = source;
    this.#vouchers = vouchers;
  }

  /** Nodes that are remembered. */
  get count(): number {
    return this.#count;
  }

  /** Of the files that are remembered: of what is kept of them, it is about the size. */
  get bytes(): number {
    return this.#bytes;
  }

  /** From now on only those are fresh that are looked at again, or vouched for. */
  beginRound(): void {
    this.#round++;
  }

  /** Whether what is known of it was so at some moment of this round. */
  isFresh(node: TreeNode<unknown>): boolean {
    return node.vouching === 'vouched' || node.seen === this.#round;
  }

  setSeen(node: TreeNode<S>): void {
    node.seen = this.#round;
  }

  /** The directory `/`. Throws when the system does not even know that. */
  root(): DirectoryNode<S> {
    if (this.#root === undefined) {
      const now = this.#files.now();
      const stats = this.#files.lstat('/');
      if (typeof stats === 'string') throw new Error(`Cannot look at '/': ${stats}`);
      this.#root = this.#makeDirectory(undefined, '', stats, now);
    }
    return this.#root;
  }

  /**
   * What `name` is in a directory that may be searched. Undefined when the system does not say;
   * that is not remembered.
   */
  lookUp(directory: DirectoryNode<S>, name: ByteString): NameFact<S> | undefined {
    const known = directory.names.get(name);
    if (known !== undefined && known.kind !== 'unasked') return known;
    if (known === undefined && this.#isListed(directory) && !directory.names.has(name)) {
      directory.names.set(name, ABSENT);
      return ABSENT;
    }
    for (let tries = 0; tries < TRIES; tries++) {
      const fact = this.#ask(directory, name);
      if (fact === undefined) continue;
      directory.names.set(name, fact);
      return fact;
    }
    this.#unsure.add(directory);
    return undefined;
  }

  /** Directories of which an answer was given since the last call that could not be remembered. */
  takeUnsure(): ReadonlySet<DirectoryNode<S>> {
    const unsure = this.#unsure;
    if (unsure.size > 0) this.#unsure = new Set();
    return unsure;
  }

  /**
   * Reads a file anew. `same`: nobody can tell the difference; `changed`: content, mode or time
   * are others, or it may no longer (or now) be read; `other`: there is no such file any more. A
   * large file is only opened, and `changed`: `hash` is to follow.
   *
   * @param stats taken after `now`
   */
  read(node: FileNode<S>, stats: StampStats, now: number): 'same' | 'changed' | 'other' {
    const isLarge = stats.size > INCLUDES.wholeBytes;
    const opened = isLarge ? this.#open(node.path) : this.#files.read(node.path);
    if (typeof opened === 'string') {
      if (opened !== 'EACCES') return 'other';
      const wasReadable = node.body !== undefined;
      node.stamp = stampOf(stats, now, node.isLocal);
      this.#setBody(node, undefined);
      return wasReadable ? 'changed' : 'same';
    }
    node.stamp = stampOf(opened.stats, now, node.isLocal);
    const { bytes } = opened;
    if (bytes === undefined) {
      this.#setBody(node, 'unhashed');
      return 'changed';
    }
    const previous = node.body === 'unhashed' ? undefined : node.body;
    const read = { stats: opened.stats, digest: digestOf(bytes), bytes };
    const body = new RememberedContent(node.path, read, this.#source, previous);
    if (body.equals(previous)) return 'same';
    this.#setBody(node, body);
    return 'changed';
  }

  /** What is in a large file. It may stay unhashed: it changed meanwhile. False: it is gone. */
  async hash(node: FileNode<S>): Promise<boolean> {
    const now = this.#files.now();
    const { stamp } = node;
    const hashed = await this.#files.hash(node.path);
    // It was looked at again meanwhile: somebody will ask again.
    if (node.stamp !== stamp || node.vouching === 'forgotten') return true;
    if (typeof hashed === 'string') return hashed === 'EAGAIN';
    const { stats } = hashed;
    const digest = hashed.digest as Digest;
    const read = { stats, digest, bytes: undefined };
    const body = new RememberedContent(node.path, read, this.#source, undefined);
    this.#setBody(node, body);
    node.stamp = stampOf(stats, now, node.isLocal);
    // Nothing may be lost of what was told about it while it was read.
    if (stamp.isDoubtful) node.stamp.isDoubtful = true;
    if (!isSameInode(stamp, stats)) this.#vouchers.renew(node);
    return true;
  }

  #open(path: ByteString): { stats: StampStats; bytes: undefined } | string {
    const stats = this.#files.statOpened(path);
    if (typeof stats === 'string') return stats;
    return stats.isFile() ? { stats, bytes: undefined } : 'EINVAL';
  }

  /** A name's fact, and all that hangs from it, is no longer so. */
  forget(directory: DirectoryNode<S>, name: ByteString): void {
    const fact = directory.names.get(name);
    if (fact?.kind === 'file' || fact?.kind === 'directory') this.#release(fact);
    directory.names.set(name, UNASKED);
  }

  forgetAll(): void {
    if (this.#root !== undefined) this.#release(this.#root);
    this.#root = undefined;
  }

  /** File systems have come or gone, and device numbers with them. */
  forgetDevices(): void {
    this.#isLocal.clear();
  }

  #setBody(node: FileNode<S>, body: FileNode<S>['body']): void {
    this.#bytes -= bytesOf(node);
    node.body = body;
    this.#bytes += bytesOf(node);
  }

  #release(node: TreeNode<S>): void {
    for (const below of nodesBelow(node)) {
      if (below.kind === 'file') this.#bytes -= bytesOf(below);
    }
    this.#count -= this.#vouchers.release(node);
  }

  /** Lists it when it has been asked often enough. */
  #isListed(directory: DirectoryNode<S>): boolean {
    if (directory.isListed) return true;
    if (
      !directory.isLocal ||
      directory.names.size < INCLUDES.namesBeforeListing ||
      directory.stamp.size > INCLUDES.listedDirectoryBytes
    ) {
      return false;
    }
    const names = this.#files.list(directory.path);
    if (typeof names === 'string') return false;
    for (const name of names) if (!directory.names.has(name)) directory.names.set(name, UNASKED);
    directory.isListed = true;
    return true;
  }

  /** Undefined when it changed while it was looked at, or the system has trouble. */
  #ask(directory: DirectoryNode<S>, name: ByteString): NameFact<S> | undefined {
    const now = this.#files.now();
    const path = joinPath(directory.path, name);
    const stats = this.#files.lstat(path);
    if (typeof stats === 'string') return isMissing(stats) ? ABSENT : undefined;
    if (stats.isFile()) return this.#makeFile(directory, name, stats, now);
    if (stats.isDirectory()) return this.#makeDirectory(directory, name, stats, now);
    if (!stats.isSymbolicLink()) return SPECIAL;
    const target = this.#files.readLink(path);
    return target === undefined ? undefined : { kind: 'symlink', path, target };
  }

  #makeDirectory(
    parent: DirectoryNode<S> | undefined,
    name: ByteString,
    stats: StampStats,
    now: number,
  ): DirectoryNode<S> {
    const path = parent === undefined ? '/' : joinPath(parent.path, name);
    const isLocal = this.#isOnLocal(path, stats);
    const stamp = stampOf(stats, now, isLocal);
    const isSearchable = this.#files.maySearch(path);
    const node = new DirectoryNode(parent, name, stamp, isLocal, isSearchable);
    this.setSeen(node);
    this.#count++;
    this.#vouchers.takeUp(node);
    return node;
  }

  #makeFile(
    parent: DirectoryNode<S>,
    name: ByteString,
    stats: StampStats,
    now: number,
  ): FileNode<S> | undefined {
    const isLocal = this.#isOnLocal(joinPath(parent.path, name), stats);
    const node = new FileNode<S>(parent, name, stampOf(stats, now, isLocal), isLocal);
    if (this.read(node, stats, now) === 'other') return undefined;
    this.setSeen(node);
    this.#count++;
    this.#vouchers.takeUp(node);
    return node;
  }

  #isOnLocal(path: ByteString, { dev }: StampStats): boolean {
    let isLocal = this.#isLocal.get(dev);
    if (isLocal === undefined) {
      isLocal = isLocalFileSystem(this.#files.fileSystem(path));
      this.#isLocal.set(dev, isLocal);
    }
    return isLocal;
  }
}

/** A large file's content is not kept; what the scanner makes of one is little. */
function bytesOf({ body }: FileNode<unknown>): number {
  return typeof body === 'object' && body.size <= INCLUDES.wholeBytes ? body.size : 0;
}
