/**
 * The paths of one client's tree: for each what the client said of it and when, and what the
 * newest layers show there. "When" is a count of entries: a job sees the tree as it was after the
 * entries that came before it. No side effects.
 */
import type { ByteString } from '../core/byte-string.js';
import type { TreeEntry } from '../protocol/tree-entry.js';
import { SHARED_DIRECTORY } from './tree-entry-check.js';

/** An entry of the client and where it belongs. */
export interface Known {
  readonly number: number;
  readonly entry: TreeEntry;
  readonly node: PathNode;
}

/** What a layer has at a path; an entry, or a directory because something is in it. */
export type Shown = Known | typeof IMPLIED;

/** A directory that no entry names. */
export const IMPLIED = { number: 0, entry: { kind: 'directory', path: '' } } as const;

/** As of `since` entries, and until the next one, the client has this at the path. */
interface Statement {
  readonly since: number;
  readonly entry: TreeEntry;
  /** Not said in so many words: a directory since something is in it, absent with all around it. */
  readonly isImplied: boolean;
  readonly earlier: Statement | undefined;
}

export class PathNode {
  readonly path: ByteString;
  readonly parent: PathNode | undefined;
  readonly children = new Map<ByteString, PathNode>();
  /** What the stack of layers shows here. */
  shown: Shown | undefined;
  /** Entries that the client had sent when it said so. */
  shownSince = 0;
  newest: Statement | undefined;
  /** Marks of the plan being made (tree-plan.ts): named by the closure, above such a path. */
  wanted: Known | undefined;
  isAboveWanted = false;

  constructor(path: ByteString, parent: PathNode | undefined) {
    this.path = path;
    this.parent = parent;
  }

  state(entry: TreeEntry, since: number, isImplied: boolean): void {
    this.newest = { since, entry, isImplied, earlier: this.newest };
  }

  /** What the client had here after `count` entries, as far as it said. */
  asOf(count: number): TreeEntry | undefined {
    let statement = this.newest;
    while (statement !== undefined && statement.since > count) statement = statement.earlier;
    return statement?.entry;
  }

  /** Did the client say, after what is shown, that something else is here? */
  get isDoubtful(): boolean {
    const { shown } = this;
    if (shown === undefined) return false;
    for (let said = this.newest; said !== undefined; said = said.earlier) {
      if (said.since <= this.shownSince) return false;
      if (!isAlike(said.entry, shown.entry)) return true;
    }
    return false;
  }
}

/** All paths, from the root directory, which is always there. */
export class PathTree {
  /** Its path is empty, so that `path + '/' + name` is right for all. */
  readonly root = new PathNode('', undefined);
  /** Nodes that show what is doubtful: a job's plan must look at them. */
  readonly doubtful = new Set<PathNode>();

  #size = 0;

  constructor() {
    this.root.shown = IMPLIED;
  }

  /** Paths, those of all directories on the way among them. */
  get size(): number {
    return this.#size;
  }

  /** Takes an entry whose path was checked. */
  add(entry: TreeEntry, number: number): Known {
    let node = this.root;
    for (const name of namesOf(entry.path)) {
      const kind = node.newest?.entry.kind;
      if (entry.kind !== 'absent' && kind !== undefined && kind !== 'directory') {
        this.#say(node, { kind: 'directory', path: node.path }, number, true);
      }
      node = node.children.get(name) ?? this.#newChild(node, name);
    }
    this.#say(node, entry, number, false);
    if (entry.kind === 'absent') this.#emptied(node.parent, number);
    return { number, entry, node };
  }

  #newChild(node: PathNode, name: ByteString): PathNode {
    const child = new PathNode(`${node.path}/${name}`, node);
    node.children.set(name, child);
    this.#size++;
    return child;
  }

  /** Looks again whether a node shows what is doubtful. */
  review(node: PathNode): void {
    if (node.isDoubtful) this.doubtful.add(node);
    else this.doubtful.delete(node);
  }

  #say(node: PathNode, entry: TreeEntry, number: number, isImplied: boolean): void {
    // The job root has that directory in any case.
    if (node.path !== SHARED_DIRECTORY || entry.kind === 'directory') {
      node.state(entry, number, isImplied);
      this.review(node);
    }
    if (entry.kind === 'directory') return;
    for (const child of node.children.values()) {
      if (!isGone(child)) this.#say(child, { kind: 'absent', path: child.path }, number, true);
    }
  }

  /** A directory that was there only since something was in it goes with the last of that. */
  #emptied(node: PathNode | undefined, number: number): void {
    if (node?.parent === undefined || node.newest?.isImplied === false) return;
    for (const child of node.children.values()) if (!isGone(child)) return;
    if (!isGone(node)) this.#say(node, { kind: 'absent', path: node.path }, number, true);
    this.#emptied(node.parent, number);
  }
}

function isGone(node: PathNode): boolean {
  return node.newest?.entry.kind === 'absent';
}

/** Can one stand for the other where neither is asked for? */
export function isAlike(one: TreeEntry, other: TreeEntry): boolean {
  if (one.kind === 'symlink' && other.kind === 'symlink') return one.target === other.target;
  return one.kind === other.kind;
}

/** Would layers be the same with either? */
export function isSame(one: TreeEntry, other: TreeEntry): boolean {
  if (one.kind === 'file' && other.kind === 'file') {
    return one.digest === other.digest && one.mtime === other.mtime && one.mode === other.mode;
  }
  return isAlike(one, other);
}

export function namesOf(path: ByteString): ByteString[] {
  return path === '/' ? [] : path.slice(1).split('/');
}
