/**
 * Every file that a compile may open, and what must be around them for that. To be read before
 * anything is awaited: the facts behind it are those of this moment.
 */
import type { ByteString } from '../core/byte-string.js';
import type { FileContent } from './file-content.js';
import type { Edge, GraphNode, IncludeGraph } from './include-graph.js';
import type { Trail } from './path-walk.js';
import type { ClockWord, ScannedFile } from './scanned-file.js';

/** Which file brought another in; undefined for the source and what the command line names. */
export interface Arrival {
  readonly from: GraphNode;
  readonly request: Edge['request'];
}

export class HeaderClosure {
  /** The source. */
  readonly source: GraphNode;
  /** Everything reached, in order, with what brought it in. */
  readonly reached: ReadonlyMap<GraphNode, Arrival | undefined>;
  readonly #graph: IncludeGraph;
  readonly #trails: readonly Trail[];

  /** @param trails that lead to directories which must be there besides */
  constructor(
    source: GraphNode,
    reached: ReadonlyMap<GraphNode, Arrival | undefined>,
    graph: IncludeGraph,
    trails: readonly Trail[],
  ) {
    this.source = source;
    this.reached = reached;
    this.#graph = graph;
    this.#trails = trails;
  }

  /** By real path. */
  get files(): ReadonlyMap<ByteString, FileContent<ScannedFile>> {
    const files = new Map<ByteString, FileContent<ScannedFile>>();
    for (const { file } of this.reached.keys()) files.set(file.path, file.content());
    return files;
  }

  /** Real paths of directories that must be there, besides those of the files. */
  get directories(): ReadonlySet<ByteString> {
    const directories = new Set<ByteString>();
    for (const trail of this.#allTrails()) {
      for (const directory of trail.directories) directories.add(directory);
    }
    return directories;
  }

  /** Symbolic links on the way to files and directories: real path of the link → its target. */
  get symlinks(): ReadonlyMap<ByteString, ByteString> {
    const symlinks = new Map<ByteString, ByteString>();
    for (const trail of this.#allTrails()) {
      for (const [link, target] of trail.symlinks) symlinks.set(link, target);
    }
    return symlinks;
  }

  /** Paths that were found absent while names were looked for. */
  get absences(): ReadonlySet<ByteString> {
    const absent = new Set<ByteString>();
    for (const node of this.reached.keys()) {
      for (const request of this.#graph.requestsOf(node)) {
        if (request.kind === 'computed') continue;
        for (const path of this.#graph.absences(request, node)) absent.add(path);
      }
    }
    return absent;
  }

  /** Words that tie the result to a time, with the files that have them. */
  get clockWords(): ReadonlyMap<ByteString, ReadonlySet<ClockWord>> {
    const words = new Map<ByteString, ReadonlySet<ClockWord>>();
    for (const node of this.reached.keys()) {
      if (node.role === 'data') continue;
      const { clockWords } = this.#graph.scanned(node);
      if (clockWords.size > 0) words.set(node.file.path, clockWords);
    }
    return words;
  }

  *#allTrails(): Generator<Trail> {
    const seen = new Set(this.#trails);
    yield* seen;
    for (const { trail } of this.reached.keys()) {
      if (seen.has(trail)) continue;
      seen.add(trail);
      yield trail;
    }
  }
}
