/**
 * Which files a compile may read: `closureOf(command)`. The answer is a superset of what the
 * compiler opens or probes, and true at the moment it is given; or a reason why it cannot be told.
 *
 *   catch up ─▶ search path ─▶ source and what the command line includes ─▶ all that they name
 *                                    ▲                                          │
 *                                    └──── names that macros decide ◀───────────┘
 */
import { directoryName, joinPath, type ByteString } from '../core/byte-string.js';
import { INCLUDES } from '../core/limits.js';
import type { CompileCommand } from '../toolchain/compile-command.js';
import type { Toolchain } from '../toolchain/toolchain.js';
import { ComputedIncludes, MacroDefinitions } from './computed-includes.js';
import type { FileTree } from './file-tree.js';
import { HeaderClosure, type Arrival } from './header-closure.js';
import { IncludeGraph, type GraphNode, type NotCovered } from './include-graph.js';
import type { Trail } from './path-walk.js';
import type { FileRequest, ScannedFile } from './scanned-file.js';
import type { SearchPath, SearchPaths } from './search-path.js';

export type ClosureAnswer =
  | { readonly kind: 'closure'; readonly closure: HeaderClosure }
  | { readonly kind: 'not-covered'; readonly why: NotCovered };

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

  constructor(tree: FileTree<ScannedFile>, searchPaths: SearchPaths) {
    this.#tree = tree;
    this.#searchPaths = searchPaths;
  }

  /**
   * @param toolchain the command's compiler
   * @param environment the command's, at least SEARCH_VARIABLES and PWD
   */
  async closureOf(
    command: CompileCommand,
    toolchain: Toolchain,
    environment: ReadonlyMap<ByteString, ByteString>,
  ): Promise<ClosureAnswer> {
    const search = await this.#searchPaths.of(command, toolchain, environment);
    if ('reason' in search) return notCovered({ reason: search.reason, detail: command.source });
    await this.#tree.catchUp();
    const around = this.#around(command, search);
    const directory = environment.get('PWD') ?? command.cwd;
    const key = [command.cwd, directory, command.source, command.output]
      .concat(command.dependencies?.path ?? '', search.forced, definedKey(search))
      .join('\0');
    const known = around.answers.get(key);
    if (known?.version === this.#tree.version) return known.answer;
    const answer = this.#answer(command, search, around, directory);
    // Read after the answer: what it looked at for the first time does not change the version.
    around.answers.delete(key);
    around.answers.set(key, { version: this.#tree.version, answer });
    keepNewest(around.answers, INCLUDES.answers);
    return answer;
  }

  #answer(
    command: CompileCommand,
    search: SearchPath,
    { graph, computed }: Surroundings,
    directory: ByteString,
  ): ClosureAnswer {
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
    if (reach.computed.length > 0) addComputed(reach, graph, computed, search);
    if (reach.obstacle !== undefined) return notCovered(reach.obstacle);
    const trails = this.#trailsTo([
      ...[command.cwd, directory, directoryName(joinPath(command.cwd, command.output))],
      ...(command.dependencies === undefined
        ? []
        : [directoryName(joinPath(command.cwd, command.dependencies.path))]),
      ...[search.quote, search.angle, search.duplicates].flat(),
    ]);
    const closure = new HeaderClosure(source, reach.reached, graph, trails);
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
  readonly computed: { readonly node: GraphNode; readonly request: ComputedOf }[] = [];
  obstacle: NotCovered | undefined;
  readonly #graph: IncludeGraph;
  readonly #ahead: GraphNode[] = [];

  constructor(graph: IncludeGraph) {
    this.#graph = graph;
  }

  add(node: GraphNode, arrival: Arrival | undefined): void {
    if (this.reached.has(node)) return;
    this.reached.set(node, arrival);
    this.#ahead.push(node);
  }

  /** A request that no edge has, because something else than the file alone decides it. */
  resolve(request: PlainRequest, from: GraphNode, arrival: Arrival | undefined): void {
    const { found, obstacle } = this.#graph.resolve(request, from);
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

type PlainRequest = Exclude<FileRequest, { kind: 'computed' }>;
type ComputedOf = Extract<FileRequest, { kind: 'computed' }>;

/** Until no name that macros decide leads to another file. */
function addComputed(
  reach: Reach,
  graph: IncludeGraph,
  computed: ComputedIncludes,
  search: SearchPath,
): void {
  const macros = new MacroDefinitions(search.defined);
  const isIncluded = new Set<GraphNode>();
  for (let size = -1; size !== reach.reached.size && reach.obstacle === undefined;) {
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

function named({ what: kind, next }: ComputedOf, header: ByteString): PlainRequest {
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
