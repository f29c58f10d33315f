/**
 * The options of a typed job: the client's end makes them from a command, the server's end makes a
 * command from them. The server trusts nothing of what it is given: a name must be in the table of
 * what may be sent, a value must be of its kind, and there is no way to say a path.
 */
import type { ByteString } from '../core/byte-string.js';
import { ARGUMENTS } from '../core/limits.js';
import { failure, success, type Result } from '../core/errors.js';
import type { CompileCommand, Language } from './compile-command.js';
import { acceptsValue, REMOTE_OPTIONS } from './options/option-table.js';
import { preprocessedLanguage } from './source-language.js';

/** Name in the table and value; null for an option that takes none. */
export type RemoteOption = readonly [name: string, value: string | null];

/**
 * What of a command the compile of its preprocessed source needs, in order. Only for commands that
 * `plainObstacle` lets pass.
 */
export function remoteOptions(command: CompileCommand): RemoteOption[] {
  const options: RemoteOption[] = [];
  for (const { name, value } of command.options) {
    const spec = REMOTE_OPTIONS.get(name);
    if (spec === undefined) continue;
    options.push([name, spec.value === 'none' ? null : (value ?? '')]);
  }
  // GCC finds the directory for debug information in the preprocessed source; Clang does not.
  if (command.family === 'clang' && !options.some(([name]) => name.endsWith('compilation-dir='))) {
    options.push(['-fdebug-compilation-dir=', command.cwd]);
  }
  return options;
}

export interface RemoteContext {
  /** Of the source before it was preprocessed. */
  readonly language: Language;
  readonly stage: 'object' | 'assembly';
  /** Paths of the server's own choice. */
  readonly source: ByteString;
  readonly output: ByteString;
}

/**
 * Arguments after argv[0] for the compile of a preprocessed source. `options` is as it came from
 * the wire. The error says which option is at fault, for the job's refusal.
 */
export function renderRemoteArguments(
  options: unknown,
  context: RemoteContext,
): Result<ByteString[], string> {
  if (!Array.isArray(options)) return failure('options are not a list');
  if (options.length > ARGUMENTS.remoteOptions) {
    return failure(`more than ${ARGUMENTS.remoteOptions} options`);
  }
  const rendered: ByteString[] = [];
  for (const option of options) {
    const word = renderOption(option);
    if (!word.ok) return word;
    rendered.push(word.value);
  }
  const language = ['-x', preprocessedLanguage(context.language)];
  const stage = context.stage === 'object' ? '-c' : '-S';
  return success([...rendered, ...language, stage, '-o', context.output, context.source]);
}

/** Bytes, and none that ends a C string: a character beyond U+00FF would become another on its way. */
function isByteString(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code === 0 || code > 0xff) return false;
  }
  return true;
}

/** Always one word, name first, so that no value can stand where an option or a file may. */
function renderOption(option: unknown): Result<ByteString, string> {
  if (!Array.isArray(option) || option.length !== 2) return failure('an option is not a pair');
  const [name, value]: readonly unknown[] = option;
  if (typeof name !== 'string') return failure('an option has no name');
  const spec = REMOTE_OPTIONS.get(name);
  if (spec === undefined) return failure(`option ${JSON.stringify(name.slice(0, 80))} is not sent`);
  if (spec.value === 'none') {
    return value === null ? success(name) : failure(`option ${name} takes no value`);
  }
  if (typeof value !== 'string') return failure(`option ${name} needs a value`);
  if (value.length > ARGUMENTS.remoteValue) return failure(`the value of ${name} is too long`);
  if (!isByteString(value) || !acceptsValue(spec, value)) {
    return failure(`option ${name} cannot have this value`);
  }
  return success(name + value);
}
