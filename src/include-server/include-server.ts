/**
 * Which files a compile may read: `closureOf(command)`. The answer is a superset of what the
 * compiler opens or probes, and true at the moment it is given; or a reason why it cannot be told.
 *
 *   catch up ─▶ search path ─▶ source and what the command line includes ─▶ all that they name
 *                                    ▲                                          │
 *                                    └──── names that macros decide ◀───────────┘
 */
import { isDeepStrictEqual } from 'node:util';
import { directoryName, joinPath, type ByteString } from '../core/byte-string.js';
import { digestAside, digestOf, type Digest } from '../core/digest.js';
import { INCLUDES } from '../core/limits.js';
import type { TreeEntry } from '../protocol/tree-entry.js';
import type { CompileCommand } from '../toolchain/compile-command.js';
import type { Toolchain } from '../toolchain/toolchain.js';
import { ComputedIncludes, type MacroDefinitions } from './computed-includes.js';
import type { FileTree } from './file-tree.js';
import { HeaderClosure, type Arrival } from './header-closure.js';
import {
  IncludeGraph,
  type ComputedRequest,
  type GraphNode,
  type NotCovered,
  type PlainRequest,
} from './include-graph.js';
import type { Trail } from './path-walk.js';
import type { ScannedFile } from './scanned-file.js';
import type { SearchPath, SearchPaths } from './search-path.js';
import type { TreeFile } from './tree-nodes.js';

export type ClosureAnswer =
  | { readonly kind: 'closure'; readonly closure: HeaderClosure }
  | { readonly kind: 'not-covered'; readonly why: NotCovered };

/** A source as the compiler will see it. */
export interface SourceContent {
  /** Real path. */
  readonly path: ByteString;
  readonly bytes: Buffer;
  readonly digest: Digest;
  /** Seconds since the epoch. */
  readonly mtime: number;
  /** Permission bits. */
  readonly mode: number;
}

/** All compiles with one search path. */
interface Surroundings {
  readonly graph: IncludeGraph;
  readonly computed: ComputedIncludes;
  /** Answers by source and command line, and the tree's version that they are of. */
  readonly answers: Map<string, { readonly version: number; readonly answer: ClosureAnswer }>;
}

export class IncludeServer {
  readonly #tree: FileTree<ScannedFile>;
  readonly #searchPaths: SearchPaths;
  /** The one used last comes last. */
  readonly #surroundings = new Map<string, Surroundings>();
  /** Lists that callers gave as `also`. */
  readonly #lists = new WeakMap<readonly ByteString[], number>();
  #lastList = 0;

  constructor(tree: FileTree<ScannedFile>, searchPaths: SearchPaths) {
    this.#tree = tree;
    this.#searchPaths = searchPaths;
  }

  /** Grows whenever an entry of any closure may be another one now. */
  get version(): number {
    return this.#tree.version;
  }

  /**
   * @param toolchain the command's compiler
   * @param environment the command's, at least SEARCH_VARIABLES and PWD
   * @param also absolute paths of files that are part of the closure though nothing names them, as
   *   the compiler's own; what is not there is not. The same list again costs least.
   */
  async closureOf(
    command: CompileCommand,
    toolchain: Toolchain,
    environment: ReadonlyMap<ByteString, ByteString>,
    also: readonly ByteString[] = [],
  ): Promise<ClosureAnswer> {
    const search = await this.#searchPaths.of(command, toolchain, environment);
    if ('reason' in search) return notCovered({ reason: search.reason, detail: command.source });
    await this.#tree.catchUp();
    const around = this.#around(command, search);
    const directory = environment.get('PWD') ?? command.cwd;
    const key = [command.cwd, directory, command.source, command.output]
      .concat(command.dependencies?.path ?? '', search.forced, definedKey(search))
      .concat(this.#numberOf(also))
      .join('\0');
    const known = around.answers.get(key);
    if (known?.version === this.#tree.version) return known.answer;
    for (let round = 0; round < INCLUDES.hashRounds; round++) {
      const answer = this.#answer(command, search, around, directory, also);
      if (answer.kind === 'unhashed') {
        await this.#tree.hash(answer.files);
        continue;
      }
      // Read after the answer: what it looked at for the first time does not change the version.
      around.answers.delete(key);
      around.answers.set(key, { version: this.#tree.version, answer });
      keepNewest(around.answers, INCLUDES.answers);
      return answer;
    }
    return notCovered({ reason: 'unreadable-input', detail: command.source });
  }

  /** The closure's source, read again; undefined when it is not the one that was scanned. */
  async readSource({ source: { file } }: HeaderClosure): Promise<SourceContent | undefined> {
    const opened = this.#tree.read(file.path);
    if (typeof opened === 'string') return undefined;
    const { bytes, stats } = opened;
    const isLarge = bytes.length > INCLUDES.wholeBytes;
    const digest = isLarge ? await digestAside(bytes) : digestOf(bytes);
    if (!file.isHashed || digest !== file.content().digest) return undefined;
    const mtime = Math.floor(stats.mtimeMs / 1000);
    return { path: file.path, bytes, digest, mtime, mode: stats.mode & 0o7777 };
  }

  /** Whether something of that kind is at its path, by what is known since the last question. */
  stillThere(entry: TreeEntry): boolean {
    const fact = this.#tree.factAt(entry.path);
    switch (entry.kind) {
      case 'file':
        return fact?.kind === 'file' && fact.isReadable;
      case 'directory':
        return fact?.kind === 'directory';
      case 'symlink':
        return fact?.kind === 'symlink' && fact.target === entry.target;
      case 'absent':
        return fact === undefined || fact.kind === 'absent';
    }
  }

  /**
   * Those of some entries that are not what they were, looked at now.
   *
   * @param version of the closure that they are from
   */
  async changedSince(version: number, entries: Iterable<TreeEntry>): Promise<TreeEntry[]> {
    await this.#tree.catchUp();
    if (version === this.#tree.version) return [];
    const changed: TreeEntry[] = [];
    for (const entry of entries) {
      if (!this.stillThere(entry) || !(await this.#hasContent(entry))) changed.push(entry);
    }
    return changed;
  }

  async #hasContent(entry: TreeEntry): Promise<boolean> {
    if (entry.kind !== 'file') return true;
    const fact = this.#tree.factAt(entry.path);
    if (fact?.kind !== 'file') return false;
    if (!fact.isHashed) await this.#tree.hash([fact]);
    return fact.isHashed && isDeepStrictEqual(fact.entry(), entry);
  }

  #answer(
    command: CompileCommand,
    search: SearchPath,
    { graph, computed }: Surroundings,
    directory: ByteString,
    also: readonly ByteString[],
  ): ClosureAnswer | Unhashed {
    graph.refresh();
    const path = joinPath(command.cwd, command.source);
    const source = graph.source(path);
    if (source === undefined) return notCovered({ reason: 'unreadable-input', detail: path });
    const reach = new Reach(graph);
    reach.add(source, undefined);
    // Looked for in the working directory first, as a source there would.
    const commandLine: GraphNode = {
      ...source,
      path: joinPath(command.cwd, '-'),
      place: 'nowhere',
    };
    for (const [form, names] of [
      ['quote', search.forced],
      ['angle', search.implied],
    ] as const) {
      for (const name of names) {
        reach.resolve({ kind: 'include', form, name, next: false }, commandLine, undefined);
      }
    }
    reach.follow();
    if (reach.computed.length > 0 && reach.unhashed.length === 0) {
      const macros = computed.definitions(search.defined, this.#tree.count);
      addComputed(reach, graph, computed, macros);
    }
    if (reach.obstacle !== undefined) return notCovered(reach.obstacle);
    const extra = also.map((path) => this.#tree.walk(path));
    const files: TreeFile<ScannedFile>[] = [];
    for (const walked of extra) {
      if (walked.kind === 'unreadable') {
        return notCovered({ reason: 'unreadable-input', detail: walked.at });
      }
      if (walked.kind === 'file') files.push(walked.file);
    }
    const unhashed = [...reach.unhashed, ...files.filter(({ isHashed }) => !isHashed)];
    if (unhashed.length > 0) return { kind: 'unhashed', files: unhashed };
    const trails = this.#trailsTo([
      ...[command.cwd, directory, directoryName(joinPath(command.cwd, command.output))],
      ...(command.dependencies === undefined
        ? []
        : [directoryName(joinPath(command.cwd, command.dependencies.path))]),
      ...[search.quote, search.angle, search.duplicates].flat(),
    ]);
    trails.push(...extra.map(({ trail }) => trail));
    const isSourceIncluded = reach.isIncluded(source);
    const extras = { isSourceIncluded, trails, files };
    const closure = new HeaderClosure(source, reach.reached, graph, extras, this.#tree.version);
    return { kind: 'closure', closure };
  }

  #around(command: CompileCommand, search: SearchPath): Surroundings {
    const language = command.language.startsWith('assembler') ? 'assembler' : 'c';
    const key = [
      `${command.family} ${language} ${search.withoutIncluder}`,
      ...[...search.quote, '<', ...search.angle, '.', ...search.assembler],
    ].join('\0');
    const around = this.#surroundings.get(key) ?? {
      graph: new IncludeGraph(this.#tree, search, command.family, language),
      computed: new ComputedIncludes(),
      answers: new Map(),
    };
    this.#surroundings.delete(key);
    this.#surroundings.set(key, around);
    keepNewest(this.#surroundings, INCLUDES.searchPaths);
    return around;
  }

  #numberOf(list: readonly ByteString[]): string {
    if (list.length === 0) return '';
    let number = this.#lists.get(list);
    if (number === undefined) {
      number = ++this.#lastList;
      this.#lists.set(list, number);
    }
    return `${number}`;
  }

  /** Ways to directories that are there. */
  #trailsTo(directories: readonly ByteString[]): Trail[] {
    return directories.flatMap((directory) => {
      const walked = this.#tree.walk(`${directory}/`);
      return walked.kind === 'directory' ? [walked.trail] : [];
    });
  }
}

/** The files reached so far, from the source on. */
class Reach {
  readonly reached = new Map<GraphNode, Arrival | undefined>();
  readonly computed: { readonly node: GraphNode; readonly request: ComputedRequest }[] = [];
  /** Large files that must be read before it is known what they name. */
  readonly unhashed: TreeFile<ScannedFile>[] = [];
  obstacle: NotCovered | undefined;
  readonly #graph: IncludeGraph;
  readonly #ahead: GraphNode[] = [];
  readonly #againReached = new Set<GraphNode>();

  constructor(graph: IncludeGraph) {
    this.#graph = graph;
  }

  add(node: GraphNode, arrival: Arrival | undefined): void {
    if (this.reached.has(node)) {
      if (node.place === 'nowhere') this.#againReached.add(node);
      return;
    }
    this.reached.set(node, arrival);
    if (node.file.isHashed) this.#ahead.push(node);
    else this.unhashed.push(node.file);
  }

  /** Whether a file names it, by this path or another. */
  isIncluded(source: GraphNode): boolean {
    if (this.#againReached.has(source)) return true;
    for (const node of this.reached.keys()) {
      if (node !== source && node.file === source.file) return true;
    }
    return false;
  }

  /** A request that no edge has, because something else than the file alone decides it. */
  resolve(request: PlainRequest, from: GraphNode, arrival: Arrival | undefined): void {
    const { found, obstacle } = this.#graph.resolveComputed(request, from);
    this.obstacle ??= obstacle;
    for (const node of found) this.add(node, arrival);
  }

  /** Adds everything that what was added names. */
  follow(): void {
    for (let node = this.#ahead.pop(); node !== undefined; node = this.#ahead.pop()) {
      const { edges, computed, obstacle } = this.#graph.edgesOf(node);
      this.obstacle ??= obstacle;
      for (const { request, to } of edges) this.add(to, { from: node, request });
      for (const request of computed) this.computed.push({ node, request });
    }
  }
}

/** What must be read before the answer can be told. */
interface Unhashed {
  readonly kind: 'unhashed';
  readonly files: readonly TreeFile<ScannedFile>[];
}

/** Until no name that macros decide leads to another file. */
function addComputed(
  reach: Reach,
  graph: IncludeGraph,
  computed: ComputedIncludes,
  macros: MacroDefinitions,
): void {
  const isIncluded = new Set<GraphNode>();
  for (let size = -1; size !== reach.reached.size && reach.obstacle === undefined;) {
    if (reach.unhashed.length > 0) return;
    size = reach.reached.size;
    for (const node of reach.reached.keys()) {
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
      for (const name of names) reach.resolve(named(request, name), node, { from: node, request });
    }
    reach.follow();
  }
}

function named({ what: kind, next }: ComputedRequest, header: ByteString): PlainRequest {
  const form = header.startsWith('"') ? 'quote' : 'angle';
  const name = header.slice(1);
  return kind === 'embed' ? { kind, form, name } : { kind, form, name, next };
}

/** -D decides where headers are named by macros, and nothing else. */
function definedKey({ defined }: SearchPath): ByteString[] {
  return [...defined].map(
    ([name, definitions]) => `${name}=${definitions.map(({ body }) => body).join('\n')}`,
  );
}

/** Forgets what was put in first. */
function keepNewest(map: Map<string, unknown>, limit: number): void {
  const [oldest] = map.keys();
  if (map.size > limit && oldest !== undefined) map.delete(oldest);
}

function notCovered(why: NotCovered): ClosureAnswer {
  return { kind: 'not-covered', why };
}
