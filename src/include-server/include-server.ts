/**
 * Which files a compile may read: `closureOf(command)`. The answer is a superset of what the
 * compiler opens or probes, and true at the moment it is given; or a reason why it cannot be told.
 *
 *   catch up ─▶ search path ─▶ source and what the command line includes ─▶ all that they name
 *                                    ▲                                          │
 *                                    └──── names that macros decide ◀───────────┘
 */
import { directoryName, joinPath, type ByteString } from '../core/byte-string.js';
import { digestAside, digestOf, type Digest } from '../core/digest.js';
import { INCLUDES } from '../core/include-limits.js';
import type { TreeEntry } from '../protocol/tree-entry.js';
import type { CompileCommand } from '../toolchain/compile-command.js';
import type { Toolchain } from '../toolchain/toolchain.js';
import { ComputedIncludes } from './computed-includes.js';
import { isSame, isThere } from './entry-check.js';
import type { FileTree } from './file-tree.js';
import { hardLinked } from './hard-links.js';
import { HeaderClosure } from './header-closure.js';
import { IncludeGraph, type GraphNode, type NotCovered, type Resolution } from './include-graph.js';
import { addComputed, Reach } from './include-reach.js';
import { KnownAnswers, type ClosureAnswer, type KnownAnswer } from './known-answers.js';
import type { Trail, Walked } from './path-walk.js';
import type { HeaderForm, ScannedFile } from './scanned-file.js';
import type { SearchPath, SearchPaths } from './search-path.js';
import type { TreeFile } from './tree-nodes.js';

export type { ClosureAnswer } from './known-answers.js';

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
  /** By source and command line. */
  readonly answers: KnownAnswers;
}

interface Question {
  readonly command: CompileCommand;
  readonly search: SearchPath;
  /** The working directory by the name that the user calls it. */
  readonly directory: ByteString;
  readonly also: readonly ByteString[];
  readonly around: Surroundings;
}

interface Outset {
  readonly source: GraphNode | undefined;
  /** What is included by the command line, or unasked. */
  readonly named: readonly Resolution[];
  /** Ways to directories that are there. */
  readonly trails: readonly Trail[];
  /** Ways to the files that the caller has asked for. */
  readonly extra: readonly Walked<ScannedFile>[];
}

/** There is no answer yet. */
type Again =
  | {
      readonly kind: 'again';
      /** Files that must be read first. */
      readonly unhashed: readonly TreeFile<ScannedFile>[];
    }
  /** It has read much; what it read is remembered. */
  | { readonly kind: 'interrupted' };

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
   * @param since the answer is to be true at some moment after this one, by the monotonic clock;
   *   otherwise after the call
   */
  async closureOf(
    command: CompileCommand,
    toolchain: Toolchain,
    environment: ReadonlyMap<ByteString, ByteString>,
    also: readonly ByteString[] = [],
    since?: number,
  ): Promise<ClosureAnswer> {
    await this.#tree.startRound(since);
    const search = await this.#searchPaths.of(command, toolchain, environment);
    if ('reason' in search) return notCovered({ reason: search.reason, detail: command.source });
    const around = this.#around(command, search);
    const directory = environment.get('PWD') ?? command.cwd;
    const question: Question = { command, search, directory, also, around };
    const key = [command.cwd, directory, command.source, command.output]
      .concat(command.sideOutputs.map(({ path }) => path))
      .concat(command.dependencies?.path ?? '', search.forced, definedKey(search))
      .concat(this.#numberOf(also))
      .join('\0');
    const known = around.answers.get(key);
    if (known !== undefined && this.#stillHolds(known, question)) return known.answer;
    let turns = 0;
    for (let round = 0; round < INCLUDES.hashRounds;) {
      const news = ++turns <= INCLUDES.turns ? INCLUDES.newInTurn : Infinity;
      const answer = this.#answer(question, news);
      if (answer.kind === 'interrupted') {
        await this.#tree.giveWay();
        continue;
      }
      if (answer.kind === 'again') {
        round++;
        await this.#tree.hash(answer.unhashed);
        continue;
      }
      // Read after the answer: what it looked at for the first time does not change the version.
      around.answers.set(key, { version: this.#tree.version, answer });
      this.#forgetOldest();
      return answer;
    }
    return notCovered({ reason: 'unreadable-input', detail: command.source });
  }

  /** The closure's source, read again; undefined when it is not the one that was scanned. */
  async readSource({ sourceEntry }: HeaderClosure): Promise<SourceContent | undefined> {
    const opened = this.#tree.read(sourceEntry.path);
    if (typeof opened === 'string') return undefined;
    const { bytes, stats } = opened;
    const isLarge = bytes.length > INCLUDES.wholeBytes;
    const digest = isLarge ? await digestAside(bytes) : digestOf(bytes);
    if (digest !== sourceEntry.digest) return undefined;
    const mtime = Math.floor(stats.mtimeMs / 1000);
    return { path: sourceEntry.path, bytes, digest, mtime, mode: stats.mode & 0o7777 };
  }

  /** Whether something of that kind is at its path, by what is known since the last question. */
  stillThere(entry: TreeEntry): boolean {
    return isThere(this.#tree, entry);
  }

  /**
   * Those of some entries that are not what they were, looked at now.
   *
   * @param version of the closure that they are from
   */
  async changedSince(version: number, entries: Iterable<TreeEntry>): Promise<TreeEntry[]> {
    await this.#tree.startRound();
    if (this.#tree.isVouched && version === this.#tree.version) return [];
    const changed: TreeEntry[] = [];
    for (const entry of entries) {
      if (!(await isSame(this.#tree, entry))) changed.push(entry);
    }
    return changed;
  }

  /** Looks at everything that an answer rests on, unless the watcher vouches for it. */
  #stillHolds({ version, answer }: KnownAnswer, question: Question): boolean {
    if (version !== this.#tree.version) return false;
    if (this.#tree.isVouched) return true;
    if (answer.kind === 'not-covered') return false;
    this.#outset(question);
    const { graph } = question.around;
    for (const node of answer.closure.nodes) {
      if (!this.#tree.isStillThere(node.file) || !node.file.isHashed) return false;
      graph.edgesOf(node);
    }
    return version === this.#tree.version;
  }

  /** @param news files and directories that may be met for the first time */
  #answer(question: Question, news: number): ClosureAnswer | Again {
    const { search, around } = question;
    const { graph, computed } = around;
    const { source, named, trails, extra } = this.#outset(question);
    if (source === undefined) {
      const detail = joinPath(question.command.cwd, question.command.source);
      return notCovered({ reason: 'unreadable-input', detail });
    }
    const reach = new Reach(this.#tree, graph, news);
    reach.add(source, undefined);
    for (const resolution of named) reach.addFound(resolution, undefined);
    reach.follow();
    if (reach.computed.length > 0 && reach.isComplete) {
      addComputed(reach, graph, computed, computed.definitions(search.defined, this.#tree.count));
    }
    if (reach.isOutdated) return { kind: 'again', unhashed: [] };
    if (reach.isInterrupted) return { kind: 'interrupted' };
    if (reach.obstacle !== undefined) return notCovered(reach.obstacle);
    const linked =
      question.command.family === 'clang'
        ? hardLinked(reach.nodes.map(({ file }) => file))
        : undefined;
    if (linked !== undefined) return notCovered({ reason: 'hard-links', detail: linked });
    const files: TreeFile<ScannedFile>[] = [];
    for (const walked of extra) {
      if (walked.kind === 'unreadable') {
        return notCovered({ reason: 'unreadable-input', detail: walked.at });
      }
      if (walked.kind === 'file') files.push(walked.file);
    }
    const unhashed = [...reach.unhashed, ...files.filter(({ isHashed }) => !isHashed)];
    if (unhashed.length > 0) return { kind: 'again', unhashed };
    const precompiled = [...reach.precompiled.values()];
    const extras = {
      isSourceIncluded: reach.isIncluded(source),
      trails: [
        ...trails,
        ...extra.map(({ trail }) => trail),
        ...precompiled.map(({ trail }) => trail),
      ],
      precompiled: precompiled.map(({ path }) => path),
      files,
    };
    const closure = new HeaderClosure(
      source,
      reach.nodes,
      reach.arrivals,
      graph,
      extras,
      this.#tree.version,
    );
    return { kind: 'closure', closure };
  }

  /** Where the command line itself leads. */
  #outset({ command, search, directory, also, around: { graph } }: Question): Outset {
    const source = graph.source(joinPath(command.cwd, command.source));
    const extra = also.map((path) => this.#tree.walk(path));
    const written = [command.output, ...command.sideOutputs.map(({ path }) => path)];
    if (command.dependencies !== undefined) written.push(command.dependencies.path);
    const trails = this.#trailsTo([
      ...[command.cwd, directory],
      ...new Set(written.map((path) => directoryName(joinPath(command.cwd, path)))),
      ...[search.quote, search.angle, search.duplicates].flat(),
    ]);
    if (source === undefined) return { source, named: [], trails, extra };
    // Looked for in the working directory first, as a source there would.
    const from: GraphNode = { ...source, path: joinPath(command.cwd, '-'), place: 'nowhere' };
    const include = (form: HeaderForm, names: readonly ByteString[]): Resolution[] =>
      names.map((name) => graph.resolve({ kind: 'include', form, name, next: false }, from));
    const named = [...include('quote', search.forced), ...include('angle', search.implied)];
    return { source, named, trails, extra };
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
      answers: new KnownAnswers(),
    };
    this.#surroundings.delete(key);
    this.#surroundings.set(key, around);
    return around;
  }

  /** So that what is remembered does not grow with the build. */
  #forgetOldest(): void {
    let [references, nodes] = [0, 0];
    for (const { answers, graph } of this.#surroundings.values()) {
      references += answers.weight;
      nodes += graph.size;
    }
    for (const [key, { answers, graph }] of this.#surroundings) {
      const { size } = this.#surroundings;
      const isTooMany = nodes > INCLUDES.graphNodes || size > INCLUDES.searchPaths;
      references -= answers.weight;
      if (isTooMany && size > 1) {
        nodes -= graph.size;
        this.#surroundings.delete(key);
        continue;
      }
      const room = INCLUDES.answerReferences - references;
      while (answers.weight > Math.max(0, room)) answers.deleteOldest();
      references += answers.weight;
    }
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

/** -D decides where headers are named by macros, and nothing else. */
function definedKey({ defined }: SearchPath): ByteString[] {
  return [...defined].map(
    ([name, definitions]) => `${name}=${definitions.map(({ body }) => body).join('\n')}`,
  );
}

function notCovered(why: NotCovered): ClosureAnswer {
  return { kind: 'not-covered', why };
}
