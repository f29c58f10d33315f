/**
 * What one more layer must have so that the stack shows a job's closure and nothing that was gone
 * when the job came. Pure: the tree changes only by `commit`.
 *
 * Overlayfs decides what hides what: a directory joins with directories below it until something
 * else comes; anything but a directory hides all below it.
 */
import {
  IMPLIED,
  isAlike,
  isSame,
  type Known,
  type PathNode,
  type PathTree,
  type Shown,
} from './tree-nodes.js';

export const WHITEOUT = 'whiteout';

/** What a layer has at a path. */
export type LayerItem = Shown | typeof WHITEOUT;

/** Parents before what is in them; the root is not among them. */
export type LayerItems = ReadonlyMap<PathNode, LayerItem>;

/** The closure cannot be a file system. */
export class Contradiction extends Error {
  override readonly name = 'Contradiction';
}

export interface TreePlan {
  readonly items: LayerItems;
  /** The layer is on top now. */
  commit(): void;
}

/**
 * @param wanted the closure, absent entries not among them
 * @param count entries that the client had sent when the job came
 *
 * Throws Contradiction.
 */
export function planLayer(tree: PathTree, wanted: readonly Known[], count: number): TreePlan {
  try {
    mark(wanted);
    return new Planning(tree, wanted, count).plan();
  } finally {
    unmark(wanted);
  }
}

type Changes = Map<PathNode, { readonly shown: Shown | undefined; readonly since: number }>;

class Planning {
  readonly #tree: PathTree;
  readonly #wanted: readonly Known[];
  readonly #count: number;
  readonly #items = new Map<PathNode, LayerItem>();
  /** Nodes that will show something else. */
  readonly #changes: Changes = new Map();

  constructor(tree: PathTree, wanted: readonly Known[], count: number) {
    this.#tree = tree;
    this.#wanted = wanted;
    this.#count = count;
  }

  plan(): TreePlan {
    for (const node of this.#tree.doubtful) this.#hideIfGone(node);
    for (const known of this.#wanted) this.#show(known);
    const changes = this.#changes;
    return { items: this.#items, commit: () => commit(this.#tree, changes) };
  }

  #shownAt(node: PathNode): Shown | undefined {
    const change = this.#changes.get(node);
    return change === undefined ? node.shown : change.shown;
  }

  #hideIfGone(node: PathNode): void {
    const shown = this.#shownAt(node);
    // What the closure names or needs is dealt with by showing that.
    if (shown === undefined || node.wanted !== undefined || node.isAboveWanted) return;
    const entry = node.asOf(this.#count);
    if (entry === undefined) return;
    if (isAlike(entry, shown.entry)) {
      // It was gone and came back, and no job was there to see it.
      this.#changes.set(node, { shown, since: this.#count });
      return;
    }
    this.#forgetBelow(node);
    this.#changes.set(node, { shown: undefined, since: 0 });
    this.#putInto(node.parent, this.#count);
    this.#items.set(node, WHITEOUT);
  }

  #show(known: Known): void {
    const { node, entry, number } = known;
    const shown = this.#shownAt(node);
    if (shown === known) return;
    this.#changes.set(node, { shown: known, since: number });
    if (shown !== undefined && isSame(shown.entry, entry)) return;
    if (shown?.entry.kind === 'directory') this.#forgetBelow(node);
    this.#putInto(node.parent, number);
    this.#items.set(node, known);
  }

  /** The layer gets a directory to put something into. */
  #putInto(node: PathNode | undefined, since: number): void {
    if (node?.parent === undefined || this.#items.has(node)) return;
    this.#putInto(node.parent, since);
    this.#items.set(node, node.wanted ?? IMPLIED);
    if (this.#shownAt(node)?.entry.kind === 'directory') return;
    const shown = node.wanted ?? IMPLIED;
    this.#changes.set(node, { shown, since: node.wanted?.number ?? since });
  }

  #forgetBelow(node: PathNode): void {
    for (const child of node.children.values()) {
      this.#items.delete(child);
      if (this.#shownAt(child) !== undefined) {
        this.#changes.set(child, { shown: undefined, since: 0 });
        this.#forgetBelow(child);
      }
    }
  }
}

function commit(tree: PathTree, changes: Changes): void {
  for (const [node, { shown, since }] of changes) {
    node.shown = shown;
    node.shownSince = since;
    tree.review(node);
  }
}

function mark(wanted: readonly Known[]): void {
  for (const known of wanted) {
    const { node } = known;
    if (node.wanted !== undefined && node.wanted !== known) {
      throw new Contradiction(`it has two entries for ${node.path}`);
    }
    node.wanted = known;
    for (let above = node.parent; above?.isAboveWanted === false; above = above.parent) {
      above.isAboveWanted = true;
    }
  }
  for (const { node, entry } of wanted) {
    if (node.isAboveWanted && entry.kind !== 'directory') {
      throw new Contradiction(`${node.path} is a ${entry.kind} there, and has something in it`);
    }
  }
}

function unmark(wanted: readonly Known[]): void {
  for (const { node } of wanted) {
    node.wanted = undefined;
    for (let above = node.parent; above?.isAboveWanted === true; above = above.parent) {
      above.isAboveWanted = false;
    }
  }
}
