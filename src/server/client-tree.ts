/**
 * One client's file system as far as it was sent, and layers of it for jobs:
 *
 *   entries ──▶ what the client has at each path (tree-nodes.ts), contents on their way (tree-blobs.ts)
 *   job     ──▶ what one more layer must have (tree-plan.ts) ──▶ layer on disk (tree-layer.ts)
 *   layers  ──▶ merged when there are many (tree-merge.ts)
 *
 * A layer never changes. Jobs get theirs in the order in which they came, since each builds upon
 * the layers before.
 */
import { fromText, type ByteString } from '../core/byte-string.js';
import type { Digest } from '../core/digest.js';
import { describeError } from '../core/errors.js';
import { STORE } from '../core/limits.js';
import type { Clock } from '../platform/clock.js';
import { MalformedFrame } from '../protocol/field-codec.js';
import type { FileEntry, TreeEntry } from '../protocol/tree-entry.js';
import { linkOrCopy } from './blob-files.js';
import { BlobMissing } from './blob-store.js';
import { JobRefused } from './job-refused.js';
import { TreeBlobs, type Blobs } from './tree-blobs.js';
import { checkEntry, isShowable } from './tree-entry-check.js';
import { Layer, makeTreeDirectory, removeAll, type LayerSources } from './tree-layer.js';
import { TreeLookup } from './tree-lookup.js';
import { layersToMerge, mergeLayers } from './tree-merge.js';
import { isSame, PathTree, type Known } from './tree-nodes.js';
import { Contradiction, planLayer, type LayerItems, type TreePlan } from './tree-plan.js';
import { Whiteouts } from './tree-whiteouts.js';

/** A client's tree as one job sees it; it stays as it is until it is released. */
export interface TreeSnapshot {
  /** Directories on this host, top first; none for a closure without entries. */
  readonly layers: readonly ByteString[];
  /**
   * Number of the closure's file that an absolute path leads to, symbolic links, `.` and `..`
   * followed as the kernel does; undefined when it leads to none.
   */
  fileAt(path: ByteString): number | undefined;
  /** Whether an absolute path leads to a file, which the closure need not have. */
  leadsTo(path: ByteString, real: ByteString): boolean;
  /** Content of the closure's file that is at a path itself; undefined when none is. */
  digestAt(path: ByteString): Digest | undefined;
  /** Once; the layers may be removed then. */
  release(): void;
}

export interface TreeStore extends Blobs {
  place(entry: FileEntry, at: ByteString, isOwn: boolean): Promise<void>;
}

export class ClientTree {
  readonly #directory: ByteString;
  readonly #log: (line: string) => void;
  readonly #store: TreeStore;
  readonly #blobs: TreeBlobs;
  readonly #whiteouts: Whiteouts;
  readonly #paths = new PathTree();
  /** The one path whose file in the layers is a link to the blob. */
  readonly #blobPaths = new Map<Digest, ByteString>();
  /** By number, the first is 1. */
  readonly #known: (Known | undefined)[] = [undefined];
  /** Top first; held. */
  #stack: readonly Layer[] = [];
  #lastLayer = 0;
  #living = 0;
  #queue: Promise<unknown> = Promise.resolve();
  #queued = 0;
  #merge: Promise<void> | undefined;
  #isClosed = false;
  #onEmpty: (() => void) | undefined;

  /**
   * @param directory this tree's own, on the file system of `store`; made with the first layer
   * @param ask tells the client that the server lacks these contents
   * @param log takes a line about trouble on this host
   * @param clock bounds the wait for contents
   */
  constructor(
    directory: string,
    store: TreeStore,
    ask: (digests: readonly Digest[]) => void,
    log: (line: string) => void,
    clock: Clock,
  ) {
    this.#directory = fromText(directory);
    this.#store = store;
    this.#blobs = new TreeBlobs(store, ask, clock);
    this.#whiteouts = new Whiteouts(directory);
    this.#log = log;
  }

  /** Entries so far, and number of the last one. */
  get count(): number {
    return this.#known.length - 1;
  }

  /** Bytes of memory that what the client has told takes, about. */
  get toldBytes(): number {
    return (this.#known.length + this.#paths.size) * STORE.entryBytes;
  }

  /** Layers on top of one another. */
  get depth(): number {
    return this.#stack.length;
  }

  /**
   * Takes entries, numbered on from the last one, and begins to get the contents that the store
   * lacks. Throws MalformedFrame.
   */
  add(entries: readonly TreeEntry[]): void {
    if (this.count + entries.length > STORE.treeEntries) {
      throw new MalformedFrame(`more than ${STORE.treeEntries} entries in one connection`);
    }
    for (const entry of entries) {
      checkEntry(entry);
      this.#known.push(this.#paths.add(entry, this.#known.length));
      if (this.#paths.size > STORE.treePaths) {
        throw new MalformedFrame(`more than ${STORE.treePaths} paths in one connection`);
      }
    }
    this.#blobs.want(entries.filter((entry) => entry.kind === 'file'));
  }

  /** The client has these contents no more: jobs that need them are refused (`missing`). */
  gone(digests: readonly Digest[]): void {
    this.#blobs.gone(digests);
  }

  /** This content could not be taken: jobs that need it are refused (`failed`), and told why. */
  lost(digest: Digest, why: string): void {
    this.#blobs.lost(digest, why);
  }

  /** The store has this content now. */
  arrived(digest: Digest): void {
    this.#blobs.arrived(digest);
  }

  /**
   * Layers that show this closure, and nothing that the client had said was gone. Calls are
   * answered in their order. Rejects with JobRefused when that cannot be, the signal aborts or the
   * tree is closed; with MalformedFrame when the closure names what is no entry.
   *
   * @param closure numbers of entries, each path once
   */
  async snapshot(closure: readonly number[], signal: AbortSignal): Promise<TreeSnapshot> {
    if (this.#isClosed) throw new JobRefused('failed', 'the client is gone');
    const isShown = this.#checkNumbers(closure);
    if (isShown && this.#queued === 0 && this.#paths.doubtful.size === 0) {
      return this.#snapshotOf(closure);
    }
    const wanted = closure.map((number) => this.#known[number]).filter((known) => !!known);
    const files = unshownFiles(wanted);
    const letGo = this.#store.hold(files.map(({ digest }) => digest));
    this.#blobs.want(files);
    const count = this.count;
    this.#queued++;
    const turn = this.#queue.then(async () => {
      await this.#show(wanted, count, signal);
      return this.#snapshotOf(closure);
    });
    this.#queue = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      this.#queued--;
      letGo();
    }
  }

  /** Resolves when the last snapshot is released and the directory removed. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#blobs.close();
    await this.#queue;
    await this.#merge;
    for (const layer of this.#stack) layer.release();
    this.#stack = [];
    if (this.#living > 0) await new Promise<void>((resolve) => (this.#onEmpty = resolve));
    await removeAll(this.#directory);
  }

  /** Throws MalformedFrame; answers whether the newest layers show all as it is. */
  #checkNumbers(closure: readonly number[]): boolean {
    let isShown = true;
    for (const number of closure) {
      const known = this.#known[number];
      if (known === undefined || known.entry.kind === 'absent') {
        throw new MalformedFrame(`a closure has ${number}, of ${this.count} entries; no such file`);
      }
      isShown &&= known.node.shown === known;
    }
    return isShown;
  }

  #snapshotOf(closure: readonly number[]): TreeSnapshot {
    const layers = this.#stack;
    for (const layer of layers) layer.hold();
    const lookup = new TreeLookup(closure, (number) => this.#known[number]?.entry);
    let isHeld = true;
    return {
      layers: layers.map(({ path }) => path),
      fileAt: (path) => lookup.fileAt(path),
      leadsTo: (path, real) => lookup.leadsTo(path, real),
      digestAt: (path) => lookup.digestAt(path),
      release() {
        if (isHeld) for (const layer of layers) layer.release();
        isHeld = false;
      },
    };
  }

  /** Sees to it that the stack shows these, and nothing that was gone after `count` entries. */
  async #show(wanted: readonly Known[], count: number, signal: AbortSignal): Promise<void> {
    for (let round = 1; ; round++) {
      await this.#blobs.present(unshownFiles(wanted), signal);
      if (this.#stack.length >= STORE.layersAtMost) await this.#merge;
      if (signal.aborted) throw new JobRefused('failed', 'the job was cancelled');
      const plan = this.#plan(wanted, count);
      try {
        if (plan.items.size > 0) await this.#push(plan.items);
        plan.commit();
        return;
      } catch (error) {
        if (!(error instanceof BlobMissing) || round === STORE.missingRounds)
          throw asRefusal(error);
      }
    }
  }

  #plan(wanted: readonly Known[], count: number): TreePlan {
    try {
      return planLayer(this.#paths, wanted, count);
    } catch (error) {
      if (!(error instanceof Contradiction)) throw error;
      throw new JobRefused('source', `the closure is no file system: ${error.message}`);
    }
  }

  async #push(items: LayerItems): Promise<void> {
    for (const item of items.values()) {
      if (item === 'whiteout' || isShowable(item.entry)) continue;
      throw new JobRefused('failed', `a compile here has its own ${item.entry.path}`);
    }
    const missing: BlobMissing[] = [];
    const layer = await this.#write(items, {
      file: (entry, _node, at) => this.#placeFile(entry, at, missing),
      whiteout: (at) => this.#whiteouts.place(at),
    });
    if (missing[0] !== undefined) {
      layer.release();
      throw missing[0];
    }
    this.#stack = [layer, ...this.#stack];
    this.#mergeIfDeep();
  }

  /**
   * Compilers take files for one and the same by their inode: no two paths share a blob's.
   *
   * @param missing takes what the store does not have any more, so that all of it is found at once
   */
  async #placeFile(entry: FileEntry, at: ByteString, missing: BlobMissing[]): Promise<void> {
    const { digest, path } = entry;
    const holder = this.#blobPaths.get(digest) ?? path;
    this.#blobPaths.set(digest, holder);
    try {
      await this.#store.place(entry, at, holder !== path);
    } catch (error) {
      if (!(error instanceof BlobMissing)) throw error;
      missing.push(error);
    }
  }

  async #write(items: LayerItems, sources: LayerSources): Promise<Layer> {
    makeTreeDirectory(this.#directory);
    this.#living++;
    return Layer.write(`${this.#directory}/${++this.#lastLayer}`, items, sources, (removal) => {
      void this.#removed(removal);
    });
  }

  async #removed(removal: Promise<void>): Promise<void> {
    try {
      await removal;
    } catch (error) {
      this.#log(`cannot remove a layer: ${describeError(error)}`);
    }
    if (--this.#living === 0) this.#onEmpty?.();
  }

  /** In the background; jobs go on with the layers as they are. */
  #mergeIfDeep(): void {
    if (this.#merge !== undefined || this.#isClosed) return;
    const sizes = this.#stack.map(({ items }) => items.size);
    const count = layersToMerge(sizes, STORE.layers);
    if (count === 0) return;
    this.#merge = this.#mergeTop(count)
      .catch((error: unknown) => this.#log(`cannot merge layers: ${describeError(error)}`))
      .finally(() => (this.#merge = undefined));
  }

  async #mergeTop(count: number): Promise<void> {
    const merging = this.#stack.slice(0, count);
    const found = mergeLayers(
      merging.map(({ items }) => items),
      this.#stack.slice(count).map(({ items }) => items),
    );
    const items = new Map(Array.from(found, ([node, { item }]) => [node, item]));
    const merged = await this.#write(items, {
      file(_entry, node, at) {
        const from = merging[found.get(node)?.from ?? 0];
        if (from !== undefined) linkOrCopy(from.path + node.path, at);
      },
      whiteout: (at) => this.#whiteouts.place(at),
    });
    // Layers may have come on top meanwhile.
    const above = this.#stack.findIndex((layer) => layer === merging[0]);
    this.#stack = [...this.#stack.slice(0, above), merged, ...this.#stack.slice(above + count)];
    for (const layer of merging) layer.release();
  }
}

/** Files that the newest layers do not show as they are. */
function unshownFiles(wanted: readonly Known[]): FileEntry[] {
  const files: FileEntry[] = [];
  for (const known of wanted) {
    const { entry, node } = known;
    if (entry.kind !== 'file' || node.shown === known) continue;
    if (node.shown === undefined || !isSame(node.shown.entry, entry)) files.push(entry);
  }
  return files;
}

function asRefusal(error: unknown): Error {
  if (error instanceof JobRefused || error instanceof MalformedFrame) return error;
  return new JobRefused('failed', `cannot make its tree: ${describeError(error)}`, {
    cause: error,
  });
}
