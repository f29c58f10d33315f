/**
 * Every file that a compile may open, and what must be around them for that. Entries, the source's own
 * among them, and words of time stay what they were when it was made; all else is to be read before
 * anything is awaited: the facts behind it are those of this moment.
 */
import type { ByteString } from '../core/byte-string.js';
import type { FileEntry, TreeEntry } from '../protocol/tree-entry.js';
import type { FileContent } from './file-content.js';
import type { Edge, GraphNode, IncludeGraph } from './include-graph.js';
import type { Trail } from './path-walk.js';
import type { ClockWord, ScannedFile } from './scanned-file.js';
import type { TreeFile } from './tree-nodes.js';

/** Which file brought another in; undefined for the source and what the command line names. */
export interface Arrival {
  readonly from: GraphNode;
  readonly request: Edge['request'];
}

/** What belongs to a closure besides what its files name. */
export interface ClosureExtras {
  /** The source names itself, or another file does. */
  readonly isSourceIncluded: boolean;
  /** Ways to directories which must be there. */
  readonly trails: readonly Trail[];
  /** Real paths of precompiled headers that the compiler may open. */
  readonly precompiled: readonly ByteString[];
  /** Files that are only read, by whoever compiles. */
  readonly files: readonly TreeFile<ScannedFile>[];
}

export class HeaderClosure {
  /** The source. */
  readonly source: GraphNode;
  /** The source's own entry, as it was: what is known of the file itself moves on. */
  readonly sourceEntry: FileEntry;
  /** Everything reached, in order. */
  readonly nodes: readonly GraphNode[];
  /** Of the IncludeServer, when all this was so. */
  readonly version: number;
  /** Words that tie the result to a time, with the files that have them. */
  readonly clockWords: ReadonlyMap<ByteString, ReadonlySet<ClockWord>>;
  /** Real paths of precompiled headers that the compiler may open; they are no entries. */
  readonly precompiled: readonly ByteString[];
  readonly #graph: IncludeGraph;
  readonly #arrivals: readonly (Arrival | undefined)[];
  readonly #trails: readonly Trail[];
  readonly #entries: readonly TreeEntry[];

  /**
   * @param nodes of files that are hashed, like those in `extras`
   * @param arrivals what brought each node in
   */
  constructor(
    source: GraphNode,
    nodes: readonly GraphNode[],
    arrivals: readonly (Arrival | undefined)[],
    graph: IncludeGraph,
    extras: ClosureExtras,
    version: number,
  ) {
    this.source = source;
    this.sourceEntry = source.file.entry();
    this.nodes = nodes;
    this.#arrivals = arrivals;
    this.version = version;
    this.#graph = graph;
    this.#trails = extras.trails;
    this.precompiled = extras.precompiled;
    this.#entries = this.#collectEntries(extras);
    this.clockWords = this.#findClockWords();
  }

  /**
   * What must be at which path while it is compiled: each file (the source only if it is included
   * as well), each directory and each link on the way, none twice. A fact that has not changed is
   * the same object in every closure.
   */
  entries(): readonly TreeEntry[] {
    return this.#entries;
  }

  /** Everything reached, in order, with what brought it in. */
  get reached(): ReadonlyMap<GraphNode, Arrival | undefined> {
    return new Map(this.nodes.map((node, at) => [node, this.#arrivals[at]]));
  }

  /** References that it holds: what it costs to keep. */
  get weight(): number {
    return 2 * this.nodes.length + this.#entries.length;
  }

  /** By real path. */
  get files(): ReadonlyMap<ByteString, FileContent<ScannedFile>> {
    const files = new Map<ByteString, FileContent<ScannedFile>>();
    for (const { file } of this.nodes) files.set(file.path, file.content());
    return files;
  }

  /** Real paths of directories that must be there, besides those of the files. */
  get directories(): ReadonlySet<ByteString> {
    const directories = new Set<ByteString>();
    for (const trail of this.#allTrails()) {
      for (const { path } of trail.directories) directories.add(path);
    }
    return directories;
  }

  /** Symbolic links on the way to files and directories: real path of the link → its target. */
  get symlinks(): ReadonlyMap<ByteString, ByteString> {
    const symlinks = new Map<ByteString, ByteString>();
    for (const trail of this.#allTrails()) {
      for (const { path, target } of trail.symlinks) symlinks.set(path, target);
    }
    return symlinks;
  }

  /** Paths that were found absent while names were looked for. */
  get absences(): ReadonlySet<ByteString> {
    const absent = new Set<ByteString>();
    for (const node of this.nodes) {
      for (const request of this.#graph.requestsOf(node)) {
        if (request.kind === 'computed') continue;
        for (const path of this.#graph.absences(request, node)) absent.add(path);
      }
    }
    return absent;
  }

  #findClockWords(): Map<ByteString, ReadonlySet<ClockWord>> {
    const words = new Map<ByteString, ReadonlySet<ClockWord>>();
    for (const node of this.nodes) {
      if (node.role === 'data') continue;
      const { clockWords } = this.#graph.scanned(node);
      if (clockWords.size > 0) words.set(node.file.path, clockWords);
    }
    return words;
  }

  #collectEntries({ isSourceIncluded, files }: ClosureExtras): TreeEntry[] {
    const entries = new Set<TreeEntry>();
    for (const { directories, symlinks } of this.#allTrails()) {
      for (const { entry } of directories) entries.add(entry);
      for (const symlink of symlinks) entries.add(symlink);
    }
    const [root] = entries;
    // `/` is first on every way, and there anyway.
    if (root !== undefined) entries.delete(root);
    const own = isSourceIncluded ? undefined : this.source.file;
    for (const { file } of this.nodes) {
      if (file !== own) entries.add(file.entry());
    }
    for (const file of files) entries.add(file.entry());
    return [...entries];
  }

  *#allTrails(): Generator<Trail> {
    const seen = new Set(this.#trails);
    yield* seen;
    for (const { trail } of this.nodes) {
      if (seen.has(trail)) continue;
      seen.add(trail);
      yield trail;
    }
  }
}
