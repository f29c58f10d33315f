/** From a source to all files that it may read, through the graph of who names whom. */
import type { ByteString } from '../core/byte-string.js';
import type { ComputedIncludes, MacroDefinitions } from './computed-includes.js';
import type { FileTree } from './file-tree.js';
import type { Arrival } from './header-closure.js';
import type {
  ComputedRequest,
  GraphNode,
  IncludeGraph,
  NotCovered,
  PlainRequest,
  Precompiled,
  Resolution,
} from './include-graph.js';
import type { ScannedFile } from './scanned-file.js';
import type { TreeFile } from './tree-nodes.js';

/** The files reached so far, from the source on. */
export class Reach {
  /** In order, and what brought each one in. */
  readonly nodes: GraphNode[] = [];
  readonly arrivals: (Arrival | undefined)[] = [];
  readonly computed: { readonly node: GraphNode; readonly request: ComputedRequest }[] = [];
  /** Large files that must be read before it is known what they name. */
  readonly unhashed: TreeFile<ScannedFile>[] = [];
  /** By real path. */
  readonly precompiled = new Map<ByteString, Precompiled>();
  obstacle: NotCovered | undefined;
  /** A file has gone while it was gone through: all of it must be done again. */
  isOutdated = false;
  /** More was met for the first time than is good for one turn of the event loop. */
  isInterrupted = false;
  readonly #mostKnown: number;
  readonly #tree: FileTree<ScannedFile>;
  readonly #graph: IncludeGraph;
  readonly #ahead: GraphNode[] = [];
  readonly #againReached = new Set<GraphNode>();
  readonly #walk: number;

  /** @param news files and directories that may be met for the first time */
  constructor(tree: FileTree<ScannedFile>, graph: IncludeGraph, news: number) {
    this.#tree = tree;
    this.#mostKnown = tree.count + news;
    this.#graph = graph;
    this.#walk = graph.startWalk();
  }

  add(node: GraphNode, arrival: Arrival | undefined): void {
    if (node.walk === this.#walk) {
      if (node.place === 'nowhere') this.#againReached.add(node);
      return;
    }
    node.walk = this.#walk;
    this.nodes.push(node);
    this.arrivals.push(arrival);
    this.#ahead.push(node);
  }

  /** Whether all files could be gone through. */
  get isComplete(): boolean {
    return this.unhashed.length === 0 && !this.isOutdated && !this.isInterrupted;
  }

  /** Whether a file names it, by this path or another. */
  isIncluded(source: GraphNode): boolean {
    if (this.#againReached.has(source)) return true;
    return this.nodes.some((node) => node !== source && node.file === source.file);
  }

  /** What a request leads to that no edge has, because something else than its file decides it. */
  addFound({ found, precompiled, obstacle }: Resolution, arrival: Arrival | undefined): void {
    this.obstacle ??= obstacle;
    for (const header of precompiled) this.precompiled.set(header.path, header);
    for (const node of found) this.add(node, arrival);
  }

  /** Adds everything that what was added names. */
  follow(): void {
    for (let node = this.#ahead.pop(); node !== undefined; node = this.#ahead.pop()) {
      if (this.#tree.count > this.#mostKnown) {
        this.isInterrupted = true;
        return;
      }
      if (!this.#tree.isStillThere(node.file)) {
        this.isOutdated = true;
        return;
      }
      if (!node.file.isHashed) {
        this.unhashed.push(node.file);
        continue;
      }
      const { edges, computed, precompiled, obstacle } = this.#graph.edgesOf(node);
      this.obstacle ??= obstacle;
      for (const header of precompiled) this.precompiled.set(header.path, header);
      for (const edge of edges) this.add(edge.to, edge);
      for (const request of computed) this.computed.push({ node, request });
    }
  }
}

/** Until no name that macros decide leads to another file. */
export function addComputed(
  reach: Reach,
  graph: IncludeGraph,
  computed: ComputedIncludes,
  macros: MacroDefinitions,
): void {
  const isIncluded = new Set<GraphNode>();
  for (let size = -1; size !== reach.nodes.length && reach.obstacle === undefined;) {
    if (!reach.isComplete) return;
    size = reach.nodes.length;
    for (const node of reach.nodes) {
      if (node.role !== 'header' || isIncluded.has(node)) continue;
      isIncluded.add(node);
      macros.add(graph.scanned(node));
    }
    for (const { node, request } of [...reach.computed]) {
      const names = computed.namesOf(request.text, node.path, macros);
      if (names === 'unknown') {
        reach.obstacle ??= { reason: 'computed-include', detail: `${node.path}: ${request.text}` };
        return;
      }
      for (const name of names) {
        const resolution = graph.resolveComputed(named(request, name), node);
        reach.addFound(resolution, { from: node, request });
      }
    }
    reach.follow();
  }
}

function named({ what: kind, next }: ComputedRequest, header: ByteString): PlainRequest {
  const form = header.startsWith('"') ? 'quote' : 'angle';
  const name = header.slice(1);
  return kind === 'embed' ? { kind, form, name } : { kind, form, name, next };
}
