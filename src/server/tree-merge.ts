/**
 * Which layers to make one, and what that one must have. Pure; overlayfs's rules as in
 * tree-plan.ts.
 */
import type { PathNode } from './tree-nodes.js';
import { WHITEOUT, type LayerItem, type LayerItems } from './tree-plan.js';

/**
 * How many layers from the top to make one, 0 for none: enough that what comes out is smaller than
 * the layer below it. Then few layers do for many entries, and an entry is linked again only when
 * many layers have come, or into a layer of twice the size.
 *
 * @param sizes items of each layer, top first
 * @param most layers that may stay as they are
 */
export function layersToMerge(sizes: readonly number[], most: number): number {
  if (sizes.length <= most) return 0;
  let sum = 0;
  let count = 0;
  for (const size of sizes) {
    if (count >= 2 && sum < size) break;
    sum += size;
    count++;
  }
  return count;
}

/** An item and the index of the layer that has it, top first. */
export interface FoundItem {
  readonly item: LayerItem;
  readonly from: number;
}

/**
 * One layer in place of several, parents before what is in them.
 *
 * @param layers those to merge, top first
 * @param below those that stay below them, top first
 */
export function mergeLayers(
  layers: readonly LayerItems[],
  below: readonly LayerItems[],
): Map<PathNode, FoundItem> {
  const view = new StackView(layers);
  const viewBelow = new StackView(below);
  const merged = new Map<PathNode, FoundItem>();
  for (const node of layers.flatMap((items) => [...items.keys()])) {
    if (merged.has(node)) continue;
    const found = view.itemAt(node);
    if (found === undefined) continue;
    if (found.item === WHITEOUT && !viewBelow.shows(node)) continue;
    merged.set(node, found);
  }
  for (const [node, { item, from }] of [...merged]) {
    if (item === WHITEOUT || item.entry.kind !== 'directory' || view.joinsBelow(node)) continue;
    // One of the layers hid what is below: a directory alone does not.
    for (const child of node.children.values()) {
      if (!merged.has(child) && viewBelow.shows(child)) merged.set(child, { item: WHITEOUT, from });
    }
  }
  return merged;
}

/** Where a directory of the stack has its content. */
interface Joined {
  /** Layers that have it, top first. */
  readonly layers: readonly number[];
  /** Would it join with a directory in a layer below all? */
  readonly isOpen: boolean;
}

/** What overlayfs makes of layers. */
class StackView {
  readonly #layers: readonly LayerItems[];
  readonly #joined = new Map<PathNode, Joined>();

  constructor(layers: readonly LayerItems[]) {
    this.#layers = layers;
  }

  /** The item that decides what is at a path, if any. */
  itemAt(node: PathNode): FoundItem | undefined {
    for (const from of this.#layersOf(node.parent)) {
      const item = this.#layers[from]?.get(node);
      if (item !== undefined) return { item, from };
    }
    return undefined;
  }

  shows(node: PathNode): boolean {
    const found = this.itemAt(node);
    return found !== undefined && found.item !== WHITEOUT;
  }

  joinsBelow(node: PathNode): boolean {
    return this.#join(node).isOpen;
  }

  #layersOf(node: PathNode | undefined): readonly number[] {
    return node === undefined ? [] : this.#join(node).layers;
  }

  #join(node: PathNode): Joined {
    const known = this.#joined.get(node);
    if (known !== undefined) return known;
    const joined = this.#joinAnew(node);
    this.#joined.set(node, joined);
    return joined;
  }

  #joinAnew(node: PathNode): Joined {
    // The root directory is in every layer.
    if (node.parent === undefined) return { layers: [...this.#layers.keys()], isOpen: true };
    const parent = this.#join(node.parent);
    const layers = [];
    for (const index of parent.layers) {
      const item = this.#layers[index]?.get(node);
      if (item === undefined) continue;
      if (item === WHITEOUT || item.entry.kind !== 'directory') return { layers, isOpen: false };
      layers.push(index);
    }
    return { layers, isOpen: parent.isOpen };
  }
}
