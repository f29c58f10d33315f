/**
 * Which files name which, for one search path: a superset over all branches of all conditionals,
 * remembered file by file. A file that is found at two places of the path is two nodes, since
 * #include_next goes on from where it was found.
 */
import { joinPath, type ByteString } from '../core/byte-string.js';
import { INCLUDES } from '../core/include-limits.js';
import type { DeclineReason } from '../core/reasons.js';
import type { CompilerFamily } from '../toolchain/options/option-table.js';
import type { ScanLanguage } from './file-content.js';
import type { FileTree } from './file-tree.js';
import { candidates, type Chain, type Includer, type Place } from './header-search.js';
import type { Trail, Walked } from './path-walk.js';
import type { FileRequest, ScannedFile } from './scanned-file.js';
import type { SearchPath } from './search-path.js';
import type { DirectoryNode, TreeFile } from './tree-nodes.js';

/** A file as the compiler opens it. */
export interface GraphNode extends Includer {
  readonly file: TreeFile<ScannedFile>;
  /** Directories and links that lead to it. */
  readonly trail: Trail;
  readonly role: Role;
  /** The graph's own. */
  known: Known | undefined;
  /** The last walk through the graph that reached it. */
  walk: number;
}

/**
 * `header`: all that it names counts. `assembly`: only what the assembler reads in it counts, since
 * the assembler opens it. `data`: nothing in it counts, as it is only looked for or embedded.
 */
export type Role = 'header' | 'assembly' | 'data';

export interface Edge {
  readonly from: GraphNode;
  readonly request: FileRequest;
  readonly to: GraphNode;
}

/** A precompiled header that the compiler may take for another file, or open in vain. */
export interface Precompiled {
  /** Real path. */
  readonly path: ByteString;
  readonly trail: Trail;
}

/** Why a file's closure cannot be told. */
export interface NotCovered {
  readonly reason: DeclineReason;
  /** The path or text at fault. */
  readonly detail: ByteString;
}

export type ComputedRequest = Extract<FileRequest, { kind: 'computed' }>;
export type PlainRequest = Exclude<FileRequest, ComputedRequest>;

export interface NodeEdges {
  readonly edges: readonly Edge[];
  readonly computed: readonly ComputedRequest[];
  readonly precompiled: readonly Precompiled[];
  readonly obstacle: NotCovered | undefined;
}

/** What is known of a node, and what that rests on. */
interface Known {
  edges: NodeEdges | undefined;
  /** What names that macros make lead to, by the request. */
  readonly resolutions: Map<string, Resolution>;
  readonly scanned: ScannedFile;
  /** Directories that were looked into. */
  readonly footing: Set<DirectoryNode<unknown>>;
  /** The tree's version up to which all of it was so, and the moment when that was made sure. */
  version: number;
  moment: number;
}

/** As -include names it where there is to be nothing. */
const EMPTY_DEVICE = '/dev/null';

export class IncludeGraph {
  readonly #tree: FileTree<ScannedFile>;
  readonly #search: SearchPath;
  readonly #chain: Chain;
  readonly #family: CompilerFamily;
  readonly #language: ScanLanguage;
  readonly #nodes = new Map<string, GraphNode>();
  #walks = 0;
  /** Collects the directories that a resolution looks into. */
  #footing: Set<DirectoryNode<unknown>> = new Set();

  /** @param language how sources and headers are read */
  constructor(
    tree: FileTree<ScannedFile>,
    search: SearchPath,
    family: CompilerFamily,
    language: ScanLanguage,
  ) {
    this.#tree = tree;
    this.#search = search;
    this.#family = family;
    this.#language = language;
    this.#chain = {
      directories: [...search.quote, ...search.angle],
      angleStart: search.quote.length,
      withoutIncluder: search.withoutIncluder,
    };
  }

  /** Begins a walk: its number. */
  startWalk(): number {
    // What is at paths that are no more stays behind; all but that is soon found again.
    if (this.#nodes.size > INCLUDES.nodesOfFile * this.#tree.count) this.#nodes.clear();
    return ++this.#walks;
  }

  /** Nodes that are remembered. */
  get size(): number {
    return this.#nodes.size;
  }

  /** The source itself; undefined when it is no file that can be read. */
  source(path: ByteString): GraphNode | undefined {
    const walked = this.#tree.walk(path);
    return walked.kind === 'file'
      ? this.#node(path, 'nowhere', walked.file, walked.trail, 'header')
      : undefined;
  }

  /**
   * What a name that macros make leads to, remembered, since such names are many (Boost's), and
   * the same in each translation unit.
   */
  resolveComputed(request: PlainRequest, from: GraphNode): Resolution {
    const { resolutions, footing } = this.#knownOf(from);
    const key = Object.values(request).join('\0');
    let resolution = resolutions.get(key);
    if (resolution === undefined) {
      this.#footing = footing;
      resolution = this.#resolve(request, from);
      resolutions.set(key, resolution);
    }
    return resolution;
  }

  /** What a request leads to that the command line makes. */
  resolve(request: PlainRequest, from: GraphNode): Resolution {
    this.#footing = new Set();
    return this.#resolve(request, from);
  }

  /** What a request of `from` leads to: at most one file but where compilers differ. */
  #resolve(request: PlainRequest, from: GraphNode): Resolution {
    if (request.kind === 'assembler') return this.#assembled(request.name);
    if (request.kind === 'line') return this.#shown(request.name);
    const role = request.kind === 'include' ? 'header' : 'data';
    const next = request.kind !== 'embed' && request.next;
    const found: GraphNode[] = [];
    const precompiled: Precompiled[] = [];
    for (const { path, place } of this.#candidates(request, from)) {
      const walked = this.#walk(path);
      // It is in every root, and always empty.
      if (walked.kind === 'unreadable' && walked.at === EMPTY_DEVICE) break;
      // An earlier file that cannot be read stops the compiler, in live code.
      if (walked.kind === 'unreadable') {
        return { found, precompiled, obstacle: { reason: 'unreadable-input', detail: walked.at } };
      }
      const obstacle = this.#precompiled(path, precompiled);
      if (obstacle !== undefined) return { found, precompiled, obstacle };
      if (walked.kind !== 'file') continue;
      found.push(this.#node(path, place, walked.file, walked.trail, role));
      // Where Clang goes on differs by version for a file that was found beside its includer.
      if (!next || this.#family === 'gcc') break;
    }
    return { found, precompiled, obstacle: undefined };
  }

  /** Paths that were tried for a request before the file was found, or in vain. */
  *absences(request: PlainRequest, from: GraphNode): Generator<ByteString> {
    if (request.kind === 'assembler' || request.kind === 'line') return;
    for (const { path } of this.#candidates(request, from)) {
      if (this.#tree.walk(path).kind === 'file') return;
      yield path;
    }
  }

  edgesOf(node: GraphNode): NodeEdges {
    const known = this.#knownOf(node);
    this.#footing = known.footing;
    known.edges ??= this.#findEdges(node);
    return known.edges;
  }

  /** Makes sure that what is known of a node, whose file was looked at, still holds, or forgets it. */
  #knownOf(node: GraphNode): Known {
    const { known } = node;
    const { moment, version } = this.#tree;
    if (known?.moment === moment) return known;
    if (known?.version === version && this.#tree.areNamesVouched) return known;
    const scanned = this.scanned(node);
    if (known?.scanned === scanned && this.#tree.isUnchanged(known.footing, known.version)) {
      known.version = this.#tree.version;
      known.moment = this.#tree.moment;
      return known;
    }
    const resolutions = new Map<string, Resolution>();
    const fresh: Known = {
      ...{ edges: undefined, resolutions, scanned, footing: new Set() },
      ...{ version, moment: this.#tree.moment },
    };
    node.known = fresh;
    return fresh;
  }

  #walk(path: ByteString): Walked<ScannedFile> {
    const walked = this.#tree.walk(path);
    for (const directory of walked.trail.footing) this.#footing.add(directory);
    return walked;
  }

  /** Requests that count in a node, by what opens it. */
  requestsOf(node: GraphNode): readonly FileRequest[] {
    switch (node.role) {
      case 'data':
        return [];
      case 'assembly':
        return this.scanned(node).requests.filter(({ kind }) => kind === 'assembler');
      case 'header':
        return this.scanned(node).requests;
    }
  }

  scanned(node: GraphNode): ScannedFile {
    return node.file.content().scanned(node.role === 'assembly' ? 'assembler' : this.#language);
  }

  #findEdges(node: GraphNode): NodeEdges {
    const edges: Edge[] = [];
    const computed: ComputedRequest[] = [];
    const precompiled: Precompiled[] = [];
    let obstacle: NotCovered | undefined;
    for (const request of this.requestsOf(node)) {
      if (request.kind === 'computed') {
        computed.push(request);
        continue;
      }
      const resolution = this.#resolve(request, node);
      obstacle ??= resolution.obstacle;
      precompiled.push(...resolution.precompiled);
      for (const to of resolution.found) edges.push({ from: node, request, to });
    }
    if (node.role !== 'data' && this.scanned(node).hasOpaqueAssembler) {
      obstacle ??= { reason: 'assembler-reads-file', detail: node.path };
    }
    return { edges, computed, precompiled, obstacle };
  }

  #candidates(request: SearchedRequest, from: Includer) {
    const next = request.kind !== 'embed' && request.next;
    return candidates(this.#chain, request.form, request.name, next, from);
  }

  /** GNU as takes the first, Clang's assembler has another order: more is no harm. */
  #assembled(name: ByteString): Resolution {
    const found: GraphNode[] = [];
    for (const directory of this.#search.assembler) {
      const path = joinPath(directory, name);
      const walked = this.#walk(path);
      if (walked.kind === 'unreadable') {
        return {
          ...{ found, precompiled: [] },
          obstacle: { reason: 'unreadable-input', detail: walked.at },
        };
      }
      if (walked.kind === 'file') {
        found.push(this.#node(path, 'nowhere', walked.file, walked.trail, 'assembly'));
      }
    }
    return { found, precompiled: [], obstacle: undefined };
  }

  /** Nobody misses it who only compiles. */
  #shown(name: ByteString): Resolution {
    const path = joinPath(this.#search.cwd, name);
    const walked = this.#walk(path);
    if (walked.kind === 'unreadable') {
      const obstacle = { reason: 'unreadable-input', detail: walked.at } as const;
      return { found: [], precompiled: [], obstacle };
    }
    const found =
      walked.kind === 'file'
        ? [this.#node(path, 'nowhere', walked.file, walked.trail, 'data')]
        : [];
    return { found, precompiled: [], obstacle: undefined };
  }

  /**
   * GCC takes `x.h.gch` for x.h wherever it looks, and even where there is no x.h; of several in a
   * directory, and of Clang's, it cannot be said how they were made.
   */
  #precompiled(path: ByteString, into: Precompiled[]): NotCovered | undefined {
    const precompiled = `${path}${this.#family === 'gcc' ? '.gch' : '.pch'}`;
    const walked = this.#walk(precompiled);
    if (walked.kind === 'file' && this.#family === 'gcc') {
      into.push({ path: walked.file.path, trail: walked.trail });
      return undefined;
    }
    return walked.kind === 'file' || walked.kind === 'directory'
      ? { reason: 'pch-present', detail: precompiled }
      : undefined;
  }

  #node(
    path: ByteString,
    place: Place,
    file: TreeFile<ScannedFile>,
    trail: Trail,
    role: Role,
  ): GraphNode {
    const key = `${path}\0${place}\0${role}`;
    const known = this.#nodes.get(key);
    if (known?.file === file && isSameTrail(known.trail, trail)) return known;
    const node: GraphNode = { path, place, file, trail, role, known: undefined, walk: 0 };
    this.#nodes.set(key, node);
    return node;
  }
}

function isSameTrail(one: Trail, other: Trail): boolean {
  return (
    one === other ||
    (isSame(one.directories, other.directories) && isSame(one.symlinks, other.symlinks))
  );
}

function isSame(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((item, at) => item === other[at]);
}

/** What is looked for along the search path. */
type SearchedRequest = Exclude<PlainRequest, { kind: 'assembler' | 'line' }>;

export interface Resolution {
  readonly found: readonly GraphNode[];
  readonly precompiled: readonly Precompiled[];
  readonly obstacle: NotCovered | undefined;
}
