/**
 * Facts about files and directories, remembered, and true when they are used: what the include
 * server knows of the file system. Two ways lead to that, and both may serve at once:
 *
 *                 overflow: everything is looked at once
 *                  ┌──┐
 *                  │  ▼     tscc-watch ends or is silent
 *   (start) ──▶ watched ──────────────────────────────────▶ stat
 *                  ▲                                          │
 *                  └──── a new one, INCLUDES.watchPause later ─┘
 *
 * In `watched`, nodes that a watch vouches for are not looked at; all others are, one stat call
 * each in every round in which somebody asks for them (tree-nodes.ts has a node's own states).
 */
import { setImmediate } from 'node:timers/promises';
import type { ByteString } from '../core/byte-string.js';
import { INCLUDES } from '../core/include-limits.js';
import type { Clock } from '../platform/clock.js';
import type { PipedProcess } from '../platform/piped-process.js';
import type { Errno, OpenedFile, TreeFiles } from '../platform/tree-files.js';
import { FactReview, type Changed } from './fact-review.js';
import type { ScanLanguage } from './file-content.js';
import { FileFacts } from './file-facts.js';
import type { HeaderNews } from './header-news.js';
import { PathWalk, type Walked } from './path-walk.js';
import { FileNode, type DirectoryNode, type NameFact, type TreeFile } from './tree-nodes.js';
import { Vouchers, type Degradation } from './vouchers.js';
import { Watcher } from './watcher.js';

export interface FileTreeOptions<S> {
  readonly files: TreeFiles;
  readonly clock: Clock;
  /** Starts tscc-watch; undefined: everything is looked at in each catching up. */
  readonly startWatch: (() => PipedProcess) | undefined;
  readonly scan: (bytes: Buffer, language: ScanLanguage) => S;
  /** Told of changes ahead of any question. */
  readonly news?: HeaderNews<S>;
  /** Told when facts must be looked at though a watcher was to vouch for them. */
  readonly onDegraded: (why: Degradation) => void;
}

type Mode =
  | { readonly kind: 'watched'; readonly watcher: Watcher; hasOverflowed: boolean }
  /** `retryAt`: by the monotonic clock, when a new watcher may be started. */
  | { readonly kind: 'stat'; readonly retryAt: number };

export class FileTree<S> {
  readonly #options: FileTreeOptions<S>;
  readonly #vouchers: Vouchers<S>;
  readonly #walk: PathWalk<S>;
  readonly #review: FactReview<S>;
  readonly #facts: FileFacts<S>;
  #mode: Mode = { kind: 'stat', retryAt: 0 };
  #version = 0;
  /** When what a name is changed last. */
  #namesVersion = 0;
  #moment = 0;
  /** Of the last round that is over, by the monotonic clock. */
  #lastRoundBegan = -Infinity;
  /** In this round the watcher has told all changes of what it watches. */
  #isWatched = false;
  /** The round that is under way, and the one after it, which callers still may join. */
  #current: Promise<unknown> = Promise.resolve();
  #next: Promise<void> | undefined;
  #isClosed = false;
  /** Large files that are being read. */
  readonly #hashing = new Map<TreeFile<S>, Promise<void>>();

  constructor(options: FileTreeOptions<S>) {
    this.#options = options;
    const { files } = options;
    const source = {
      scan: options.scan,
      readAgain(path: ByteString) {
        const opened = files.read(path);
        return typeof opened === 'string' ? Buffer.alloc(0) : opened.bytes;
      },
    };
    this.#vouchers = new Vouchers(
      (why) => this.#degrade(why),
      () => this.#facts.forgetDevices(),
      () => options.news?.stirred(),
    );
    this.#facts = new FileFacts(files, source, this.#vouchers);
    this.#review = new FactReview(
      files,
      this.#facts,
      this.#vouchers,
      (what) => this.#change(what),
      (change, directory, name) => options.news?.noticed(change, directory, name),
    );
    this.#walk = new PathWalk(this);
    options.news?.attach(this);
    this.#watch();
  }

  /** Grows whenever an answer that `walk` gave, or a content in it, may be another one now. */
  get version(): number {
    return this.#version;
  }

  /** Files and directories that are remembered. */
  get count(): number {
    return this.#facts.count;
  }

  /** Another one in each round, and after each change. */
  get moment(): number {
    return this.#moment;
  }

  /** Whether `version` alone tells that nothing has changed up to this round. */
  get isVouched(): boolean {
    return this.#isWatched && this.#vouchers.unvouched.size === 0;
  }

  /** Whether `version` alone tells that no name is another thing than it was. */
  get areNamesVouched(): boolean {
    return this.#isWatched && this.#vouchers.unvouchedDirectories.size === 0;
  }

  /**
   * Follows an absolute path as the kernel would; what is asked and read on the way is remembered.
   * The answer was true at some moment since the last round began.
   */
  walk(path: ByteString): Walked<S> {
    return this.#walk.walk(path);
  }

  root(): DirectoryNode<S> {
    const root = this.#facts.root();
    if (this.#facts.isFresh(root)) return root;
    this.#review.refresh(root);
    return this.#facts.root();
  }

  /** What a name is, as true as `walk`; undefined when the system does not say. */
  lookUp(directory: DirectoryNode<S>, name: ByteString): NameFact<S> | undefined {
    const fact = this.#facts.lookUp(directory, name);
    if (fact?.kind !== 'file' && fact?.kind !== 'directory') return fact;
    if (this.#facts.isFresh(fact)) return fact;
    this.#review.refresh(fact);
    return this.#facts.lookUp(directory, name);
  }

  /** Whether it is still that file, whatever is in it, which is as true as `walk` afterwards. */
  isStillThere(file: TreeFile<S>): boolean {
    if (!(file instanceof FileNode)) return false;
    if (!this.#facts.isFresh(file)) this.#review.refresh(file);
    return file.vouching !== 'forgotten' && file.isReadable;
  }

  /**
   * Whether in some directories, and in all above them, every name that was asked for is what it
   * was in a version of the tree.
   */
  isUnchanged(directories: Iterable<DirectoryNode<unknown>>, version: number): boolean {
    if (this.areNamesVouched && version >= this.#namesVersion) return true;
    for (const directory of directories as Iterable<DirectoryNode<S>>) {
      if (this.#latestChange(directory) > version) return false;
    }
    return true;
  }

  #latestChange(directory: DirectoryNode<S>): number {
    if (directory.latestAt === this.#moment) return directory.latestChange;
    const above = directory.parent === undefined ? 0 : this.#latestChange(directory.parent);
    if (!this.#facts.isFresh(directory)) this.#review.refresh(directory);
    const isForgotten = directory.vouching === 'forgotten';
    directory.latestChange = isForgotten ? Infinity : Math.max(above, directory.changedAt);
    directory.latestAt = this.#moment;
    return directory.latestChange;
  }

  /** What is in a file now. */
  read(path: ByteString): OpenedFile | Errno {
    return this.#options.files.read(path);
  }

  /** What is at a real path itself, as true as `walk`. */
  factAt(path: ByteString): NameFact<S> | undefined {
    return this.#walk.factAt(path);
  }

  /** Reads those that are not hashed yet; some may still not be, since they change all the time. */
  async hash(files: Iterable<TreeFile<S>>): Promise<void> {
    for (const file of files) {
      if (file.isHashed || !(file instanceof FileNode)) continue;
      let hashing = this.#hashing.get(file);
      if (hashing === undefined) {
        hashing = this.#hash(file);
        this.#hashing.set(file, hashing);
      }
      await hashing;
    }
  }

  /**
   * Begins a round: what walks tell afterwards was so at some moment since the call. Calls in one
   * turn of the event loop share one.
   *
   * @param since a time by the monotonic clock; a round that began later will do
   */
  startRound(since = Infinity): Promise<void> {
    if (this.#lastRoundBegan >= since) return Promise.resolve();
    this.#next ??= this.#takeTurn();
    return this.#next;
  }

  /** Lets whatever else is ready run first; what is remembered may be looked at again meanwhile. */
  async giveWay(): Promise<void> {
    await setImmediate();
  }

  /**
   * Brings all that is remembered up to date: what changed before the call is seen after it.
   * `watched`: the watcher vouches for everything; `stat`: some of it was looked at again.
   */
  async catchUp(): Promise<'watched' | 'stat'> {
    await this.startRound();
    this.#review.refreshAll();
    return this.isVouched ? 'watched' : 'stat';
  }

  /** Ends the watcher; resolves when it is gone. Nothing is caught up with afterwards. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#options.news?.close();
    if (this.#mode.kind === 'watched') await this.#mode.watcher.close();
  }

  async #hash(file: FileNode<S>): Promise<void> {
    try {
      if (await this.#facts.hash(file)) return;
      this.#facts.forget(file.parent, file.name);
      this.#change(file.parent);
    } finally {
      this.#hashing.delete(file);
    }
  }

  async #takeTurn(): Promise<void> {
    await this.#current;
    // Requests that arrive in one turn of the event loop share a round.
    await setImmediate();
    const round = this.#runRound();
    this.#current = round;
    this.#next = undefined;
    return round;
  }

  async #runRound(): Promise<void> {
    this.#watch();
    const began = this.#options.clock.monotonic();
    const mode = this.#mode;
    if (mode.kind === 'watched') await mode.watcher.reach();
    this.#moment++;
    this.#review.begin();
    // Not `mode`: the watcher may have been lost meanwhile.
    const now = this.#mode;
    this.#isWatched = now.kind === 'watched' && !now.hasOverflowed;
    if (now.kind === 'watched') now.hasOverflowed = false;
    this.#lastRoundBegan = began;
  }

  #watch(): void {
    const { startWatch, clock } = this.#options;
    if (this.#mode.kind === 'watched' || startWatch === undefined || this.#isClosed) return;
    if (clock.monotonic() < this.#mode.retryAt) return;
    const watcher = new Watcher(startWatch(), this.#vouchers, clock);
    this.#mode = { kind: 'watched', watcher, hasOverflowed: false };
    this.#vouchers.begin(watcher);
  }

  #degrade(why: Degradation): void {
    if (why.kind === 'lost') {
      const retryAt = this.#options.clock.monotonic() + INCLUDES.watchPause;
      this.#mode = { kind: 'stat', retryAt };
    } else if (why.kind === 'overflow' && this.#mode.kind === 'watched') {
      this.#mode.hasOverflowed = true;
    }
    this.#options.onDegraded(why);
  }

  #change(what: Changed<S>): void {
    this.#version++;
    this.#moment++;
    if (what === 'content') return;
    this.#namesVersion = this.#version;
    if (what === 'everything') this.#walk.reset();
    else what.changedAt = this.#version;
  }
}
