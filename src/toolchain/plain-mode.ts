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
  // A source that was preprocessed without -g does not say where, and the compiler notes its own.
  const isDebug = command.options.some(({ name }) => name.startsWith('-g') && name !== '-g0');
  if (isDebug && isPreprocessed(command.language)) return 'preprocessed-debug';
  const table = optionTable(command.family);
  const obstacles = new Map<string, DeclineReason>();
  for (const { name, value } of command.options) {
    const spec = table.spec(name);
    if (spec?.plain !== undefined) obstacles.set(switchName(name), spec.plain);
    if (spec?.clears !== undefined) obstacles.delete(switchName(spec.clears));
    if (name === '-fsanitize=' && !COLUMN_FREE_SANITIZERS.test(value ?? '')) {
      obstacles.set(name, 'option:-fsanitize=');
    }
  }
  const [first] = obstacles.values();
  return first;
}

/**
 * The others put line and column of what they check into the object, and preprocessing moves
 * columns wherever a macro is expanded.
 */
const COLUMN_FREE_SANITIZERS =
  /^(?:thread|leak|shadow-call-stack|safe-stack)(?:,(?:thread|leak))*$/;

/** `-flto=auto` and `-flto` are one switch: -fno-lto turns either off. */
const switchName = (option: string): string =>
  option.endsWith('=') ? option.slice(0, -1) : option;

/**
 * argv, argv[0] first, of the command that writes the preprocessed source to standard output and
 * the very dependency file that the compile itself would have written. Not for sources that are
 * preprocessed already: the compilers print nothing for those.
 *
 * @param dependencyFile where the dependency file shall go, if the command asks for one
 */
export function preprocessArguments(
  command: CompileCommand,
  dependencyFile: ByteString | undefined,
): ByteString[] {
  const result = [command.argv0, '-E'];
  if (command.dependencies !== undefined && dependencyFile !== undefined) {
    result.push(command.dependencies.systemHeaders ? '-MD' : '-MMD', '-MF', dependencyFile);
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
  if (token.kind === 'end') return ['--'];
  if (token.kind !== 'option') return [token.word];
  const { name, role } = token.spec;
  if (role === 'stage' || role === 'output') return [];
  if (name === '-MD' || name === '-MMD' || name === '-MF') return [];
  // With -g, -E notes its directory for the compile that follows, so that debug information names
  // it. This would stop that, while it does nothing to a compile in one go.
  if (name === '-fworking-directory' || name === '-fno-working-directory') return [];
  return token.words;
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
