/**
 * argv → what the command means: a compile that may go out, a decline with its reason, or a
 * command that compiles no source file at all. Pure: files and environment come in as arguments.
 */
import type { ByteString } from '../core/byte-string.js';
import type { DeclineReason, OtherKind } from '../core/reasons.js';
import { baseName, joinPath } from '../core/byte-string.js';
import type { CommandOption, CompileCommand, ParsedCommand } from './compile-command.js';
import { dependencyRequest, isSpecialFile } from './dependency-request.js';
import { impliedOutput, sideOutputs } from './implied-outputs.js';
import { DECLINED_VARIABLES } from './options/environment.js';
import { refusedAssemblerWord } from './options/assembler.js';
import { acceptsValue, optionTable, type CompilerFamily } from './options/option-table.js';
import { preprocessorWords } from './preprocessor-words.js';
import { expandResponseFiles } from './response-file.js';
import { isCxxDriver, isPreprocessed, sourceKind, type SourceKind } from './source-language.js';
import { tokenize, type Token } from './tokenize.js';

export interface CommandInput {
  /** The compiler word and its arguments. */
  readonly argv: readonly ByteString[];
  /** Logical working directory of the command, absolute. */
  readonly cwd: ByteString;
  /** Content of an @file by its absolute path, or undefined if it cannot be read. */
  readonly readResponseFile: (path: ByteString) => ByteString | undefined;
  /** At least the variables of `DECLINED_VARIABLES` that are set. */
  readonly environment: ReadonlyMap<ByteString, ByteString>;
  readonly family: CompilerFamily;
}

interface Source {
  readonly path: ByteString;
  readonly kind: Exclude<SourceKind, { kind: 'linker-input' }>;
  /** Value of the -x in force for it. */
  readonly namedLanguage: string | undefined;
}

/** What one pass over the tokens collects. */
interface Survey {
  readonly sources: Source[];
  hasLinkerInput: boolean;
  readonly names: Set<string>;
  isQuery: boolean;
  readonly outputs: ByteString[];
  /** An -x behind the last input, which the compilers remark on. */
  hasIdleLanguage: boolean;
}

export function parseCommand(input: CommandInput): ParsedCommand {
  const [argv0 = '', ...given] = input.argv;
  const { words, isUncertain } = expandResponseFiles(given, input.cwd, input.readResponseFile);
  const tokens = tokenize(words, optionTable(input.family), input.family);
  const survey = surveyTokens(tokens, argv0);

  const other = otherKind(survey, input.cwd);
  if (other !== undefined) return { kind: 'other', other };

  const [source] = survey.sources;
  if (source === undefined) return { kind: 'other', other: 'no-input' };
  const decline = (reason: DeclineReason): ParsedCommand => {
    return { kind: 'decline', reason, source: source.path };
  };
  if (isUncertain) return decline('unreadable-response-file');
  const obstacle =
    environmentObstacle(input.environment) ?? optionObstacle(tokens) ?? sourceObstacle(survey);
  if (obstacle !== undefined) return decline(obstacle);
  if (source.kind.kind === 'decline') return decline(source.kind.reason);
  const { language } = source.kind;
  const isHeader = source.kind.kind === 'header';
  // Clang's go by other names, and are used by options that are not sent.
  if (isHeader && (input.family === 'clang' || survey.names.has('-S'))) return decline('pch');

  const handed = preprocessorWords(tokens);
  if (!handed.ok) return decline(handed.error);
  const [explicitOutput] = survey.outputs;
  const dependencies = isPreprocessed(language)
    ? undefined
    : dependencyRequest(tokens, handed.value, source.path, explicitOutput, input.family);
  if (dependencies?.ok === false) return decline(dependencies.error);

  const stage = survey.names.has('-S') ? 'assembly' : 'object';
  const options = commandOptions(tokens);
  const implied = isHeader ? `${source.path}.gch` : impliedOutput(source.path, stage, input.family);
  const command: CompileCommand = {
    family: input.family,
    cwd: input.cwd,
    argv0,
    words,
    options,
    source: source.path,
    language,
    namedLanguage: source.namedLanguage,
    stage,
    namesOutput: explicitOutput !== undefined,
    output: explicitOutput ?? implied,
    dependencies: dependencies?.value,
    sideOutputs: sideOutputs(options, {
      ...{ family: input.family, source: source.path, language, stage, explicitOutput },
    }),
  };
  if (isHeader) return { kind: 'decline', reason: 'pch', source: source.path, header: command };
  return { kind: 'compile', command };
}

function surveyTokens(tokens: readonly Token[], argv0: ByteString): Survey {
  const cxxDriver = isCxxDriver(argv0);
  const survey: Survey = {
    sources: [],
    hasLinkerInput: false,
    names: new Set(),
    isQuery: false,
    outputs: [],
    hasIdleLanguage: false,
  };
  let explicitLanguage: string | undefined;
  for (const token of tokens) {
    if (token.kind === 'input') {
      const namedLanguage = explicitLanguage;
      const kind = sourceKind(token.word, namedLanguage, cxxDriver);
      survey.hasIdleLanguage = false;
      // Standard input has no suffix to go by; the compiler wants -E or -x with it.
      if (kind.kind !== 'linker-input')
        survey.sources.push({ path: token.word, kind, namedLanguage });
      else if (token.word === '-') survey.sources.push(STANDARD_INPUT);
      else if (isSpecialFile(token.word))
        survey.sources.push({ ...STANDARD_INPUT, path: token.word });
      else survey.hasLinkerInput = true;
    } else if (token.kind === 'option') {
      survey.names.add(token.spec.name);
      if (token.spec.role === 'query') survey.isQuery = true;
      if (token.spec.name === '-x') {
        explicitLanguage = token.value;
        survey.hasIdleLanguage = token.value !== 'none';
      }
      if (token.spec.name === '-o') survey.outputs.push(token.value ?? '');
      if (token.spec.name === '-l') survey.hasLinkerInput = true;
    }
  }
  return survey;
}

const STANDARD_INPUT: Source = {
  path: '-',
  kind: { kind: 'decline', reason: 'language' },
  namedLanguage: undefined,
};

function otherKind(survey: Survey, cwd: ByteString): OtherKind | undefined {
  const { sources, names } = survey;
  if (survey.isQuery) return 'query';
  if (sources.length === 0) {
    if (names.has('-v') && !survey.hasLinkerInput) return 'query';
    const links =
      survey.hasLinkerInput && !['-c', '-S', '-E', '-M', '-MM'].some((s) => names.has(s));
    return links ? 'link' : 'no-input';
  }
  if (names.has('-E')) return 'preprocess';
  if (names.has('-M') || names.has('-MM')) return 'dependencies';
  if (sources.some(({ path }) => isProbe(path, cwd))) return 'probe';
  if (sources.every(({ path }) => isSpecialFile(path))) return 'stdin';
  if (names.has('-c') || names.has('-S') || names.has('-fsyntax-only')) return undefined;
  // A header is compiled, into a precompiled one, without -c too.
  if (sources.some(({ kind }) => kind.kind === 'header')) return undefined;
  return 'compile-and-link';
}

/** Folders where CMake and Meson try the compiler out, and compile nothing else. */
const PROBE_FOLDER =
  /\/(?:CMakeFiles\/(?:CMakeTmp|CMakeScratch|TryCompile-[^/]*|[^/]+\/CompilerId[^/]+)|meson-private)\//;

/** Whether this tries the compiler out: CMake does so with sources of its own installation too. */
function isProbe(source: ByteString, cwd: ByteString): boolean {
  return (
    /^(?:tmp\.)?conftest\./.test(baseName(source)) ||
    PROBE_FOLDER.test(joinPath(cwd, source)) ||
    PROBE_FOLDER.test(`${cwd}/`)
  );
}

function environmentObstacle(
  environment: ReadonlyMap<ByteString, ByteString>,
): DeclineReason | undefined {
  const name = DECLINED_VARIABLES.find((variable) => environment.has(variable));
  return name === undefined ? undefined : `environment:${name}`;
}

/** The first option, in order, that no mode can send. */
function optionObstacle(tokens: readonly Token[]): DeclineReason | undefined {
  for (const token of tokens) {
    switch (token.kind) {
      case 'unknown':
      case 'incomplete':
        return `option:${optionName(token.word)}`;
      case 'option': {
        if (token.spec.decline !== undefined) return token.spec.decline;
        const reason = valueObstacle(token);
        if (reason !== undefined) return reason;
        break;
      }
      case 'input':
      case 'end':
    }
  }
  return undefined;
}

function valueObstacle(token: Token & { kind: 'option' }): DeclineReason | undefined {
  const { spec, value = '' } = token;
  if (/^-m(?:arch|cpu|tune)=$/.test(spec.name) && value.startsWith('native')) return 'native-cpu';
  // One word of -Xassembler with a comma would become two in -Wa,.
  if (spec.name === '-Wa,' && token.words.length === 2 && value.includes(',')) return 'option:-Wa,';
  if (spec.value === 'language' || acceptsValue(spec, value)) return undefined;
  if (spec.value === 'assembler') {
    return `option:-Wa,${optionName(refusedAssemblerWord(value) ?? '')}`;
  }
  if (spec.value === 'parameter') {
    return `option:--param=${optionName(value.split('=', 1)[0] ?? '')}`;
  }
  return `option:${spec.value === 'warning' ? optionName(token.words[0] ?? '') : spec.name}`;
}

function sourceObstacle(survey: Survey): DeclineReason | undefined {
  if (survey.sources.length > 1) return 'several-sources';
  if (survey.outputs.length > 1) return 'option:-o';
  if (survey.hasIdleLanguage) return 'option:-x';
  const [output] = survey.outputs;
  if (output === undefined) return undefined;
  if (isSpecialFile(output) || output.endsWith('/')) return 'output-special';
  const isHeader = survey.sources[0]?.kind.kind === 'header';
  return !isHeader && /\.[gp]ch$/.test(output) ? 'pch' : undefined;
}

/** An option's name for statistics: without its value, printable, of bounded length. */
function optionName(word: ByteString): string {
  const equals = word.indexOf('=');
  const name = equals < 0 ? word : word.slice(0, equals + 1);
  return name.replaceAll(/[^!-~]/g, '?').slice(0, 60);
}

function commandOptions(tokens: readonly Token[]): CommandOption[] {
  const options: CommandOption[] = [];
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const { spec, value, words } = token;
    if (spec.role === 'output' || spec.role === 'language') continue;
    if (spec.role === 'stage') continue;
    options.push({ name: spec.name, value, words });
  }
  return options;
}
