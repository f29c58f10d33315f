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
 * each (tree-nodes.ts has a node's own states).
 */
import { setImmediate } from 'node:timers/promises';
import type { ByteString } from '../core/byte-string.js';
import { INCLUDES } from '../core/limits.js';
import type { Clock } from '../platform/clock.js';
import type { PipedProcess } from '../platform/piped-process.js';
import type { Errno, OpenedFile, TreeFiles } from '../platform/tree-files.js';
import { FactReview } from './fact-review.js';
import type { ScanLanguage } from './file-content.js';
import { FileFacts } from './file-facts.js';
import { PathWalk, type Walked } from './path-walk.js';
import { FileNode, type NameFact, type TreeFile } from './tree-nodes.js';
import { Vouchers, type Degradation } from './vouchers.js';
import { Watcher } from './watcher.js';

export interface FileTreeOptions<S> {
  readonly files: TreeFiles;
  readonly clock: Clock;
  /** Starts tscc-watch; undefined: everything is looked at in each catching up. */
  readonly startWatch: (() => PipedProcess) | undefined;
  readonly scan: (bytes: Buffer, language: ScanLanguage) => S;
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
  /** The round that is under way, and the one after it, which callers still may join. */
  #current: Promise<unknown> = Promise.resolve();
  #next: Promise<'watched' | 'stat'> | undefined;
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
    );
    this.#facts = new FileFacts(files, source, this.#vouchers);
    this.#walk = new PathWalk(this.#facts);
    this.#review = new FactReview(files, this.#facts, this.#vouchers, () => this.#change());
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

  /**
   * Follows an absolute path as the kernel would; what is asked and read on the way is remembered.
   * The answer is as true as the last catching up, or younger.
   */
  walk(path: ByteString): Walked<S> {
    return this.#walk.walk(path);
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
   * Brings the view up to date: what changed before the call is seen after it. `watched`: the
   * watcher vouches for everything that is remembered; `stat`: some of it was looked at again.
   */
  catchUp(): Promise<'watched' | 'stat'> {
    this.#next ??= this.#takeTurn();
    return this.#next;
  }

  /** Ends the watcher; resolves when it is gone. Nothing is caught up with afterwards. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#mode.kind === 'watched') await this.#mode.watcher.close();
  }

  async #hash(file: FileNode<S>): Promise<void> {
    try {
      if (await this.#facts.hash(file)) return;
      this.#facts.forget(file.parent, file.name);
      this.#change();
    } finally {
      this.#hashing.delete(file);
    }
  }

  async #takeTurn(): Promise<'watched' | 'stat'> {
    await this.#current;
    // Requests that arrive in one turn of the event loop share a round.
    await setImmediate();
    const round = this.#catchUp();
    this.#current = round;
    this.#next = undefined;
    return round;
  }

  async #catchUp(): Promise<'watched' | 'stat'> {
    this.#watch();
    const mode = this.#mode;
    if (mode.kind === 'watched') await mode.watcher.reach();
    this.#review.run();
    // Not `mode`: the watcher may have been lost meanwhile.
    const now = this.#mode;
    if (now.kind === 'stat') return 'stat';
    const isVouched = this.#vouchers.unvouched.size === 0 && !now.hasOverflowed;
    now.hasOverflowed = false;
    return isVouched ? 'watched' : 'stat';
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

  #change(): void {
    this.#version++;
    this.#walk.reset();
  }
}
