/**
 * Who says that a remembered fact still holds: keeps the watches of nodes, and from what the
 * watcher tells the sets that each round looks at. See `Vouching` for a node's states.
 */
import { constants } from 'node:os';
import type { ByteString } from '../core/byte-string.js';
import { isSameInode, type Inode } from './file-stamp.js';
import { nodesBelow, UNASKED, type DirectoryNode, type TreeNode } from './tree-nodes.js';
import { WATCH_MASK, type Watcher, type WatchListener } from './watcher.js';

/** Why facts are looked at one by one, though a watcher was to vouch for them. */
export type Degradation =
  /** Changes came faster than they were read; everything is looked at once. */
  | { readonly kind: 'overflow' }
  /** The user has no watches left (fs.inotify.max_user_watches). */
  | { readonly kind: 'watch-limit'; readonly path: ByteString }
  | { readonly kind: 'lost'; readonly reason: string };

export class Vouchers<S> implements WatchListener {
  /** Looked at when somebody asks for them. */
  readonly unvouched = new Set<TreeNode<S>>();
  /** Those of them that are directories: with none of these, all names are vouched for. */
  readonly unvouchedDirectories = new Set<DirectoryNode<S>>();
  /** Those that have their watch, and must be looked at once more. */
  readonly confirming = new Set<TreeNode<S>>();
  /** Looked at in the next round: something was told about them. */
  readonly suspects = new Set<TreeNode<S>>();
  /** Directories with doubtful names; nothing else about them is in doubt. */
  readonly touched = new Set<DirectoryNode<S>>();
  readonly #onDegraded: (why: Degradation) => void;
  readonly #onRemounted: () => void;
  readonly #onStir: () => void;
  readonly #requests = new Map<number, TreeNode<S>>();
  /** Mostly one; a file with several names has one watch. */
  readonly #byWatch = new Map<number, TreeNode<S>[]>();
  #watcher: Watcher | undefined;
  #root: DirectoryNode<S> | undefined;
  #saidLimit = false;

  /**
   * @param onRemounted called when paths may lead into other file systems than before
   * @param onStir called when something that is remembered may have changed
   */
  constructor(onDegraded: (why: Degradation) => void, onRemounted: () => void, onStir: () => void) {
    this.#onDegraded = onDegraded;
    this.#onRemounted = onRemounted;
    this.#onStir = onStir;
  }

  /** Everything that is remembered is to be watched by this one. */
  begin(watcher: Watcher): void {
    this.#watcher = watcher;
    this.#saidLimit = false;
    if (this.#root === undefined) return;
    for (const node of nodesBelow(this.#root)) this.#ask(node);
  }

  /** Of a node just made; its directory before it. */
  takeUp(node: TreeNode<S>): void {
    if (node.kind === 'directory' && node.parent === undefined) this.#root = node;
    this.#doubt(node);
    this.#ask(node);
  }

  /** Another file or directory has its place. */
  renew(node: TreeNode<S>): void {
    this.#unwatch(node);
    this.#doubt(node);
    this.#ask(node);
  }

  /** It and all below it are no longer remembered. Returns how many nodes that are. */
  release(top: TreeNode<S>): number {
    let count = 0;
    if (top === this.#root) this.#root = undefined;
    for (const node of nodesBelow(top)) {
      count++;
      this.#unwatch(node);
      this.#trust(node);
      this.confirming.delete(node);
      this.suspects.delete(node);
      if (node.kind === 'directory') this.touched.delete(node);
      node.vouching = 'forgotten';
    }
    return count;
  }

  /** It was looked at just now. */
  confirm(node: TreeNode<S>): void {
    this.suspects.delete(node);
    if (node.vouching !== 'confirming') return;
    node.vouching = 'vouched';
    this.confirming.delete(node);
    this.#trust(node);
  }

  suspectAll(): void {
    if (this.#root === undefined) return;
    for (const node of nodesBelow(this.#root)) this.suspects.add(node);
  }

  added(request: number, watch: number, inode: Inode): void {
    const node = this.#take(request);
    const sharing = this.#byWatch.get(watch);
    if (node === undefined) {
      if (sharing === undefined) this.#watcher?.remove(watch);
      return;
    }
    if (sharing === undefined) this.#byWatch.set(watch, [node]);
    else sharing.push(node);
    node.watch = watch;
    if (isSameInode(node.stamp, inode)) {
      node.vouching = 'confirming';
      this.confirming.add(node);
      return;
    }
    // Something else had its place when the watch was made.
    node.vouching = 'stat';
    node.stamp.isDoubtful = true;
    this.suspects.add(node);
  }

  refused(request: number, errno: number): void {
    const node = this.#take(request);
    if (node === undefined) return;
    node.vouching = 'stat';
    if (errno !== constants.errno.ENOSPC || this.#saidLimit) return;
    this.#saidLimit = true;
    this.#onDegraded({ kind: 'watch-limit', path: node.path });
  }

  changed(watch: number, mask: number, name: ByteString | undefined): void {
    for (const node of [...(this.#byWatch.get(watch) ?? [])]) {
      if (name !== undefined && node.kind === 'directory') {
        this.#doubtName(node, mask, name);
        continue;
      }
      node.stamp.isDoubtful = true;
      this.suspects.add(node);
      this.#onStir();
      // The kernel has taken the watch away: its inode is gone, or a file system was unmounted.
      if ((mask & WATCH_MASK.ignored) !== 0) this.renew(node);
    }
  }

  overflowed(): void {
    this.suspectAll();
    this.#onDegraded({ kind: 'overflow' });
  }

  remounted(): void {
    this.#onRemounted();
    this.suspectAll();
  }

  lost(reason: string): void {
    this.#watcher = undefined;
    this.#requests.clear();
    this.#byWatch.clear();
    this.confirming.clear();
    if (this.#root !== undefined) {
      for (const node of nodesBelow(this.#root)) {
        node.watch = 0;
        node.vouching = 'stat';
        this.#doubt(node);
      }
    }
    this.#onDegraded({ kind: 'lost', reason });
  }

  #doubt(node: TreeNode<S>): void {
    this.unvouched.add(node);
    if (node.kind === 'directory') this.unvouchedDirectories.add(node);
  }

  #trust(node: TreeNode<S>): void {
    this.unvouched.delete(node);
    if (node.kind === 'directory') this.unvouchedDirectories.delete(node);
  }

  #doubtName(directory: DirectoryNode<S>, mask: number, name: ByteString): void {
    const fact = directory.names.get(name);
    if (fact === undefined || fact.kind === 'unasked') {
      // Nobody was told anything: objects appear beside headers all the time.
      if ((mask & WATCH_MASK.gone) !== 0) directory.names.delete(name);
      else if (directory.isListed) directory.names.set(name, UNASKED);
      return;
    }
    if (fact.kind === 'file') fact.stamp.isDoubtful = true;
    directory.doubtfulNames.add(name);
    this.touched.add(directory);
    this.#onStir();
  }

  #ask(node: TreeNode<S>): void {
    node.vouching = 'stat';
    this.confirming.delete(node);
    if (this.#watcher === undefined || !node.isLocal) return;
    node.vouching = 'asked';
    const what = node.kind === 'directory' ? 'names' : 'content';
    node.request = this.#watcher.add(what, node.path);
    this.#requests.set(node.request, node);
  }

  #take(request: number): TreeNode<S> | undefined {
    const node = this.#requests.get(request);
    this.#requests.delete(request);
    // Otherwise it was forgotten meanwhile, or asked again for what has taken its place.
    return node?.request === request ? node : undefined;
  }

  #unwatch(node: TreeNode<S>): void {
    node.request = 0;
    const sharing = this.#byWatch.get(node.watch);
    if (sharing !== undefined) {
      sharing.splice(sharing.indexOf(node), 1);
      if (sharing.length === 0) {
        this.#byWatch.delete(node.watch);
        this.#watcher?.remove(node.watch);
      }
    }
    node.watch = 0;
  }
}
