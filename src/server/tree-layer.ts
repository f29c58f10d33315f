/** Layers on disk: directories that are written once and removed when nobody holds them. */
import { chmodSync, mkdirSync, rmdirSync, symlinkSync, unlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { setImmediate as otherEvents } from 'node:timers/promises';
import type { ByteString } from '../core/byte-string.js';
import { errnoCode } from '../core/errors.js';
import { STORE } from '../core/limits.js';
import { systemPath } from '../platform/system-path.js';
import type { FileEntry } from '../protocol/tree-entry.js';
import { REMOVAL } from './server-directory.js';
import type { PathNode } from './tree-nodes.js';
import { WHITEOUT, type LayerItem, type LayerItems } from './tree-plan.js';

/** Makes what is no directory or symbolic link. */
export interface LayerSources {
  file(entry: FileEntry, node: PathNode, at: ByteString): Promise<void> | void;
  whiteout(at: ByteString): Promise<void>;
}

export class Layer {
  readonly path: ByteString;
  readonly items: LayerItems;
  #holders = 1;
  readonly #onRemoved: (removal: Promise<void>) => void;

  private constructor(
    path: ByteString,
    items: LayerItems,
    onRemoved: (removal: Promise<void>) => void,
  ) {
    this.path = path;
    this.items = items;
    this.#onRemoved = onRemoved;
  }

  /**
   * Writes a layer, which its maker holds.
   *
   * @param path must not exist yet
   * @param onRemoved is given the removal when it has begun
   *
   * Rejects, leaving nothing, with what `sources` reject with or with the system's error.
   */
  static async write(
    path: ByteString,
    items: LayerItems,
    sources: LayerSources,
    onRemoved: (removal: Promise<void>) => void,
  ): Promise<Layer> {
    const layer = new Layer(path, items, onRemoved);
    try {
      makeDirectory(path);
      let count = 0;
      for (const [node, item] of items) {
        const made = makeItem(path + node.path, node, item, sources);
        if (made !== undefined) await made;
        if (++count % STORE.filesPerSlice === 0) await otherEvents();
      }
    } catch (error) {
      layer.release();
      throw error;
    }
    return layer;
  }

  hold(): void {
    this.#holders++;
  }

  /** The last holder's release removes it. */
  release(): void {
    if (--this.#holders === 0) this.#onRemoved(this.#remove());
  }

  /** What is in it is known, and nobody else adds to it: no need to look. */
  async #remove(): Promise<void> {
    try {
      let count = 0;
      for (const [node, item] of [...this.items].toReversed()) {
        if (count++ % STORE.filesPerSlice === 0) await otherEvents();
        removeItem(this.path + node.path, item);
      }
      rmdirSync(systemPath(this.path));
    } catch (error) {
      // It was not written to its end, for one.
      if (errnoCode(error) === undefined) throw error;
      await removeAll(this.path);
    }
  }
}

/** Makes a tree's directory unless it is there. Throws the system's error. */
export function makeTreeDirectory(directory: ByteString): void {
  mkdirSync(systemPath(directory), { recursive: true, mode: 0o700 });
}

/** Removes a tree's directory with all that is in it. */
export function removeAll(directory: ByteString): Promise<void> {
  return rm(systemPath(directory), REMOVAL);
}

function makeItem(
  at: ByteString,
  node: PathNode,
  item: LayerItem,
  sources: LayerSources,
): Promise<void> | void {
  if (item === WHITEOUT) return sources.whiteout(at);
  const { entry } = item;
  if (entry.kind === 'file') return sources.file(entry, node, at);
  if (entry.kind === 'symlink') return symlinkSync(systemPath(entry.target), systemPath(at));
  return makeDirectory(at);
}

function removeItem(at: ByteString, item: LayerItem): void {
  const isDirectory = item !== WHITEOUT && item.entry.kind === 'directory';
  if (isDirectory) rmdirSync(systemPath(at));
  else unlinkSync(systemPath(at));
}

/** Mode 0755 whatever the server's umask. */
function makeDirectory(at: ByteString): void {
  mkdirSync(systemPath(at));
  chmodSync(systemPath(at), 0o755);
}
