/**
 * Plain mode's local half: what it cannot carry, and the command that preprocesses here. The remote
 * half, made from the same tables, is remote-options.ts.
 */
import type { ByteString } from '../core/byte-string.js';
import type { DeclineReason } from '../core/reasons.js';
import type { CompileCommand } from './compile-command.js';
import { optionTable } from './options/option-table.js';
import { isPreprocessorWord, preprocessorWords } from './preprocessor-words.js';
import { isPreprocessed } from './source-language.js';
import { tokenize, type Token } from './tokenize.js';

/** Why this compile cannot go out in plain mode, which carries one output and no paths. */
export function plainObstacle(command: CompileCommand): DeclineReason | undefined {
  // Their .include and .incbin name files here, and the assembler, not -E, opens those.
  if (command.language === 'assembler' || command.language === 'assembler-with-cpp') {
    return 'assembler-source';
  }
  const table = optionTable(command.family);
  const obstacles = new Map<string, DeclineReason>();
  for (const { name } of command.options) {
    const spec = table.spec(name);
    if (spec?.plain !== undefined) obstacles.set(switchName(name), spec.plain);
    if (spec?.clears !== undefined) obstacles.delete(switchName(spec.clears));
  }
  const [first] = obstacles.values();
  return first;
}

/** `-flto=auto` and `-flto` are one switch: -fno-lto turns either off. */
const switchName = (option: string): string =>
  option.endsWith('=') ? option.slice(0, -1) : option;

export interface PreprocessPlan {
  /** Leave macros unexpanded; only where `canUseDirectivesOnly` says so. */
  readonly directivesOnly: boolean;
  /** Where the dependency file shall go, if the command asks for one. */
  readonly dependencyFile: ByteString | undefined;
}

/**
 * argv, argv[0] first, of the command that writes the preprocessed source to standard output and
 * the very dependency file that the compile itself would have written. Not for sources that are
 * preprocessed already: the compilers print nothing for those.
 */
export function preprocessArguments(command: CompileCommand, plan: PreprocessPlan): ByteString[] {
  const result = [command.argv0, '-E'];
  if (plan.directivesOnly) result.push('-fdirectives-only');
  if (command.dependencies !== undefined && plan.dependencyFile !== undefined) {
    result.push(command.dependencies.systemHeaders ? '-MD' : '-MMD', '-MF', plan.dependencyFile);
    if (!command.dependencies.hasTarget) result.push('-MQ', command.dependencies.defaultTarget);
  }
  let handedOn = false;
  const tokens = tokenize(command.words, optionTable(command.family), command.family);
  for (const token of tokens) {
    if (!isPreprocessorWord(token)) {
      result.push(...keptWords(token));
    } else if (!handedOn) {
      handedOn = true;
      result.push(...handedOnWords(tokens));
    }
  }
  return result;
}

/** What of the command's words stays in the -E command. */
function keptWords(token: Token): readonly ByteString[] {
  switch (token.kind) {
    case 'input':
    case 'unknown':
    case 'incomplete':
      return [token.word];
    case 'end':
      return ['--'];
    case 'option': {
      const { name, role } = token.spec;
      if (role === 'stage' || role === 'output') return [];
      if (name === '-MD' || name === '-MMD' || name === '-MF') return [];
      // With -g, -E notes its directory for the compile that follows, so that debug information
      // names it. This would stop that, while it does nothing to a compile in one go.
      if (name === '-fworking-directory' || name === '-fno-working-directory') return [];
      return token.words;
    }
  }
}

/** What -Wp, hands on, less the dependency file: -MT and -MQ, -MP, -D and -U stay. */
function handedOnWords(tokens: readonly Token[]): ByteString[] {
  const handed = preprocessorWords(tokens);
  if (!handed.ok) return [];
  return handed.value
    .filter(({ name }) => name !== '-MD' && name !== '-MMD' && name !== '-MF')
    .flatMap(({ name, value }) => (name === '-MP' ? [name] : [name, value]))
    .flatMap((word) => ['-Xpreprocessor', word]);
}

/**
 * Options under which -fdirectives-only gives another result than a full -E; each with its reason
 * beside it. Anything with -g is out already: columns and macro information differ.
 */
const NOT_DIRECTIVES_ONLY: ReadonlyMap<string, string> = new Map([
  ['-traditional-cpp', 'GCC refuses the combination'],
  ['-finput-charset=', 'the second pass would convert again'],
  ['-fno-directives-only', 'it comes after ours and undoes it'],
  ['-pg', 'harmless today, but it wants its macro in the second pass'],
]);

/** Warnings about macros and their expansion, which then happens on the server. */
const MACRO_WARNING = /^(?:no-)?(?:unused-macros|expansion-to-defined|undef|traditional|date-time)/;

/**
 * Whether `-E -fdirectives-only` and its second pass give the object that a compile in one go
 * gives. Only GCC has it.
 */
export function canUseDirectivesOnly(command: CompileCommand): boolean {
  if (command.family !== 'gcc') return false;
  // Objective-C's #import and @import are untried territory for both passes.
  if (command.language !== 'c' && command.language !== 'c++') return false;
  if (isPreprocessed(command.language)) return false;
  return command.options.every(({ name, value }) => {
    if (NOT_DIRECTIVES_ONLY.has(name)) return false;
    if (name.startsWith('-g') && name !== '-g0') return false;
    return name !== '-W' || value === undefined || !MACRO_WARNING.test(value);
  });
}
