/**
 * Headers that come and change while a build runs, noticed ahead of the compiles that need them:
 *
 *   tscc-watch tells of a change ──▶ a moment of quiet ──▶ round ──▶ hashed, and told
 *
 * Only for speed and for people. What a compile sees is settled by its own round, whether this has
 * run before it or not.
 */
import { joinPath, type ByteString } from '../core/byte-string.js';
import { INCLUDES } from '../core/include-limits.js';
import type { Clock, Timer } from '../platform/clock.js';
import type { TreeEntry } from '../protocol/tree-entry.js';
import { sourceKind } from '../toolchain/source-language.js';
import type { FileTree } from './file-tree.js';

/** `created`: where some compile had looked for it in vain. */
export type HeaderChange = 'created' | 'changed';

export interface HeaderNewsSink {
  onHeader(change: HeaderChange, path: ByteString): void;
  /** Headers as they are now, with the directories and links that lead to them. */
  onReady(entries: readonly TreeEntry[]): void;
}

export class HeaderNews<S> {
  readonly #clock: Clock;
  readonly #sink: HeaderNewsSink;
  readonly #changed = new Set<ByteString>();
  #tree: FileTree<S> | undefined;
  #timer: Timer | undefined;

  constructor(clock: Clock, sink: HeaderNewsSink) {
    this.#clock = clock;
    this.#sink = sink;
  }

  /** The tree whose files it tells of, and that calls the methods below. */
  attach(tree: FileTree<S>): void {
    this.#tree = tree;
  }

  /** Something that is remembered may have changed: it is looked at when its writer has paused. */
  stirred(): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.after(INCLUDES.newsPause, () => void this.#look());
  }

  /** A round has found this. */
  noticed(change: HeaderChange, directory: ByteString, name: ByteString): void {
    // Sources travel with their compiles, and precompiled headers never do.
    if (sourceKind(name, undefined, false).kind === 'language' || name.endsWith('.gch')) return;
    const path = joinPath(directory, name);
    this.#changed.add(path);
    this.#sink.onHeader(change, path);
    this.stirred();
  }

  close(): void {
    this.#timer?.cancel();
  }

  async #look(): Promise<void> {
    const tree = this.#tree;
    if (tree === undefined) return;
    await tree.startRound();
    const paths = [...this.#changed];
    this.#changed.clear();
    const entries = new Set<TreeEntry>();
    for (const path of paths) {
      const walked = tree.walk(path);
      if (walked.kind !== 'file') continue;
      await tree.hash([walked.file]);
      if (!walked.file.isHashed) continue;
      for (const { entry } of walked.trail.directories) {
        if (entry.path !== '/') entries.add(entry);
      }
      for (const symlink of walked.trail.symlinks) entries.add(symlink);
      entries.add(walked.file.entry());
    }
    if (entries.size > 0) this.#sink.onReady([...entries]);
  }
}
