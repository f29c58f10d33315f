/**
 * Where one compile looks for headers, and what the command line itself brings in: CompileCommand →
 * SearchPath. The compiler's own directories are asked from it (default-search-path.ts) once for
 * many commands; each command's are put around them as the compiler would (search-chains.ts). Where
 * only the compiler can say how both go together, it is asked about the whole.
 */
import { joinPath, type ByteString } from '../core/byte-string.js';
import { unreachable } from '../core/errors.js';
import type { DeclineReason } from '../core/reasons.js';
import type { CommandOption, CompileCommand, Language } from '../toolchain/compile-command.js';
import { optionTable, type CompilerFamily } from '../toolchain/options/option-table.js';
import { preprocessorWords } from '../toolchain/preprocessor-words.js';
import { isPreprocessed } from '../toolchain/source-language.js';
import { tokenize } from '../toolchain/tokenize.js';
import type { Toolchain } from '../toolchain/toolchain.js';
import { definedByCommand } from './command-line-macros.js';
import { DefaultSearchPaths, type SearchAnswer, type SearchDeps } from './default-search-path.js';
import type { MacroDefinition } from './scanned-file.js';
import { mergeChains, type SearchChains } from './search-chains.js';

export interface SearchPath {
  /**
   * Directories for "x" after the includer's own, then those for <x>, absolute, `..` and symlinks
   * untouched, as the compiler tries them: without duplicates and without those that are missing.
   */
  readonly quote: readonly ByteString[];
  readonly angle: readonly ByteString[];
  /** -I-: the includer's own directory is not looked into. */
  readonly withoutIncluder: boolean;
  /** Directories that were asked for and are not there: negative facts. */
  readonly missing: readonly ByteString[];
  /** Directories that were asked for and left out, because another name of them is in. */
  readonly duplicates: readonly ByteString[];
  /** -imacros and then -include files: looked for in the working directory, then as "x". */
  readonly forced: readonly ByteString[];
  /** Files that the compiler includes unasked, as <x>, if they are there. */
  readonly implied: readonly ByteString[];
  /** -D definitions by name; -U takes none away, since more is no harm. */
  readonly defined: ReadonlyMap<ByteString, readonly MacroDefinition[]>;
  /**
   * Where .include and .incbin look, whether the directories are there or not. GNU as takes the
   * first file of that name in this order; Clang's order may be another, so there all of them count.
   */
  readonly assembler: readonly ByteString[];
  /** Where the compiler works. */
  readonly cwd: ByteString;
}

/** Why a command's search path cannot be told. */
export interface NoSearchPath {
  readonly reason: DeclineReason;
}

interface Compile {
  readonly command: CompileCommand;
  readonly toolchain: Toolchain;
  readonly environment: ReadonlyMap<ByteString, ByteString>;
}

/** The variable that each language adds directories by. CPATH is for all. */
const VARIABLES: ReadonlyMap<Language, string> = new Map([
  ['c', 'C_INCLUDE_PATH'],
  ['assembler-with-cpp', 'C_INCLUDE_PATH'],
  ['c++', 'CPLUS_INCLUDE_PATH'],
  ['objective-c', 'OBJC_INCLUDE_PATH'],
  ['objective-c++', 'OBJCPLUS_INCLUDE_PATH'],
]);

/** Names of the environment that `SearchPaths.of` reads. */
export const SEARCH_VARIABLES: readonly string[] = [
  'PATH',
  'CPATH',
  ...new Set(VARIABLES.values()),
];

export class SearchPaths {
  readonly #deps: SearchDeps;
  readonly #defaults: DefaultSearchPaths;

  constructor(deps: SearchDeps) {
    this.#deps = deps;
    this.#defaults = new DefaultSearchPaths(deps);
  }

  /**
   * @param toolchain the compiler of the command
   * @param environment of the command, at least SEARCH_VARIABLES
   */
  async of(
    command: CompileCommand,
    toolchain: Toolchain,
    environment: ReadonlyMap<ByteString, ByteString>,
  ): Promise<SearchPath | NoSearchPath> {
    const table = optionTable(command.family);
    const searching = command.options.flatMap((option) => {
      const effect = table.spec(option.name)?.search;
      return effect === undefined ? [] : [{ option, effect }];
    });
    const foreign = searching.find(({ effect }) => effect === 'foreign');
    if (foreign !== undefined) return { reason: `option:${foreign.option.name}` };

    // A preprocessed source includes nothing any more; its assembly may.
    if (isPreprocessed(command.language)) return searchPath(command, NOTHING);
    const strange = command.options.find((option) => isReadOtherwise(option, command.family));
    if (strange !== undefined) return { reason: `option:${strange.name}` };

    const compile: Compile = { command, toolchain, environment };
    const options = searching.map(({ option }) => option);
    const isWhole = searching.some(
      ({ option, effect }) => effect === 'whole' || isUnderSysroot(option) || isBarrier(option),
    );
    const defaults = searching.filter(({ effect }) => effect === 'default');
    const composed = isWhole
      ? undefined
      : await this.#compose(
          compile,
          defaults.map(({ option }) => option),
        );
    const found = composed ?? (await this.#askWhole(compile, options));
    return 'reason' in found ? found : searchPath(command, found);
  }

  async #askWhole(
    { command: { language, cwd }, toolchain, environment }: Compile,
    options: readonly CommandOption[],
  ): Promise<SearchAnswer | NoSearchPath> {
    const answer = await this.#defaults.ask({
      toolchain,
      language,
      words: options.flatMap(({ words }) => words),
      cwd,
      environment: subset(environment, SEARCH_VARIABLES),
    });
    return answer ?? UNKNOWN;
  }

  /** Undefined where only the compiler can tell. */
  async #compose(
    { command, toolchain, environment }: Compile,
    defaults: readonly CommandOption[],
  ): Promise<SearchAnswer | NoSearchPath | undefined> {
    const { language, cwd, family } = command;
    const own = await this.#defaults.ask({
      toolchain,
      language,
      words: defaults.flatMap(({ words }) => words),
      // A sysroot may be given as seen from the working directory.
      cwd: defaults.some(isRelative) ? cwd : '/',
      environment: subset(environment, ['PATH']),
    });
    if (own === undefined) return UNKNOWN;
    const merged = mergeChains(chainsOf(command, environment, own.angle), family, this.#deps.look);
    switch (merged.kind) {
      case 'merged': {
        const missing = [...new Set([...merged.missing, ...own.missing])];
        const duplicates = [...new Set([...merged.duplicates, ...own.duplicates])];
        return { ...merged, missing, duplicates };
      }
      case 'obstructed':
        return { reason: 'include-directory' };
      case 'two-names':
        return undefined;
      default:
        return unreachable(merged);
    }
  }
}

function chainsOf(
  { options, cwd, family, language }: CompileCommand,
  environment: ReadonlyMap<ByteString, ByteString>,
  own: readonly ByteString[],
): SearchChains {
  const chain = (option: string, variable = ''): ByteString[] =>
    [
      ...options.filter(({ name }) => name === option).map(({ value }) => value ?? ''),
      ...directoriesIn(environment.get(variable)),
    ]
      // No directory has an empty name.
      .filter((name) => name !== '')
      // Clang takes one slash off the end before it looks.
      .map((name) => (family === 'clang' && /[^/]\/+$/.test(name) ? name.slice(0, -1) : name))
      .map((name) => joinPath(cwd, name));
  return {
    quote: chain('-iquote'),
    bracket: chain('-I', 'CPATH'),
    system: [...chain('-isystem', VARIABLES.get(language)), ...own],
    after: chain('-idirafter'),
  };
}

const NOTHING: SearchAnswer = { quote: [], angle: [], missing: [], duplicates: [] };
const UNKNOWN: NoSearchPath = { reason: 'search-path-unknown' };

function searchPath(command: CompileCommand, found: SearchAnswer): SearchPath {
  const { options, family, language, cwd } = command;
  const named = (name: string): ByteString[] =>
    options.filter((option) => option.name === name).map(({ value }) => value ?? '');
  const isSource = !isPreprocessed(language);
  const directories = named('-I').map((name) => joinPath(cwd, name));
  // Clang's own assembler is given the whole search path of the compile, GNU as the -I alone.
  const searched = family === 'clang' ? [...found.quote, ...found.angle] : [];
  return {
    quote: found.quote,
    angle: found.angle,
    missing: found.missing,
    duplicates: found.duplicates,
    withoutIncluder: options.some(isBarrier),
    forced: isSource ? [...named('-imacros'), ...named('-include')] : [],
    implied: isSource && family === 'gcc' ? ['stdc-predef.h'] : [],
    defined: isSource ? definedByCommand(definitions(command)) : new Map(),
    assembler: [...new Set([cwd, ...directories, ...searched])],
    cwd,
  };
}

/** With it the compiler sees other directives or names than the scanner, in the same bytes. */
function isReadOtherwise({ name, value }: CommandOption, family: CompilerFamily): boolean {
  switch (name) {
    case '-traditional-cpp':
    case '-fno-dollars-in-identifiers':
      return true;
    case '-finput-charset=':
      return !/^utf-?8$/i.test(value ?? '');
    // "x" is then looked for beside every file that is being read, not the innermost alone.
    case '-fms-compatibility':
    case '-fms-compatibility-version=':
      return family === 'clang';
    default:
      return false;
  }
}

/** Values of -D, those that -Wp, hands on among them. */
function definitions(command: CompileCommand): ByteString[] {
  const { options, words, family } = command;
  const values = options.filter(({ name }) => name === '-D').map(({ value }) => value ?? '');
  if (!options.some(({ name }) => name === '-Wp,')) return values;
  const handed = preprocessorWords(tokenize(words, optionTable(family), family));
  if (!handed.ok) return values;
  return [...values, ...handed.value.flatMap(({ name, value }) => (name === '-D' ? [value] : []))];
}

/** Directories of a variable; an empty one among them is the working directory. */
function directoriesIn(value: ByteString | undefined): ByteString[] {
  if (value === undefined || value === '') return [];
  return value.split(':').map((name) => (name === '' ? '.' : name));
}

/** `-I=dir` and `-I$SYSROOT/dir`: below a sysroot that the compiler may have by itself. */
function isUnderSysroot({ value }: CommandOption): boolean {
  return value?.startsWith('=') === true || value?.startsWith('$SYSROOT') === true;
}

/** `-I -`, the old way to say which -I are for "x" only. */
function isBarrier({ name, value }: CommandOption): boolean {
  return name === '-I' && value === '-';
}

function isRelative({ name, value }: CommandOption): boolean {
  return SYSROOTS.has(name) && value?.startsWith('/') === false;
}
const SYSROOTS = new Set(['--sysroot', '--sysroot=', '-isysroot']);

function subset(
  environment: ReadonlyMap<ByteString, ByteString>,
  names: readonly string[],
): ReadonlyMap<ByteString, ByteString> {
  return new Map(
    names.flatMap((name) => {
      const value = environment.get(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
