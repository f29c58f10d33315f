/**
 * The server's half of a pump command: argv from typed fields. Nothing of what the client says
 * becomes an argument by itself: names must be in the option table, values are of their kind and
 * stand where the table puts them, so that none is taken for an option, a source or an @file.
 */
import type { ByteString } from '../core/byte-string.js';
import { INCLUDES } from '../core/include-limits.js';
import { ARGUMENTS } from '../core/limits.js';
import { failure, success, type Result } from '../core/errors.js';
import { acceptsValue, optionTable, type OptionTable } from './options/option-table.js';
import { pumpRefusal } from './options/pump-rules.js';
import { readPreprocessorOptions } from './preprocessor-words.js';
import { hasAssemblerList, type PumpFields } from './pump-command.js';
import { isCxxDriver, isPreprocessed, sourceKind } from './source-language.js';

/** A directory in the job's root, for what the server asks the compiler to write besides. */
export const DEPENDENCY_LISTS = '/.tscc-lists';
/** Where the compiler lists what it read. */
export const REAL_DEPENDENCIES = `${DEPENDENCY_LISTS}/real.d`;
/** The same of the assembler, for .include and .incbin. */
export const ASSEMBLER_DEPENDENCIES = `${DEPENDENCY_LISTS}/assembler.d`;

export interface PumpArguments {
  /** After argv[0]. */
  readonly words: readonly ByteString[];
  /** Lists that the command writes besides the client's outputs. */
  readonly addedLists: readonly ByteString[];
}

/**
 * @param argv0 the name that the driver is called by, which tells C++ from C
 * @param making what the command makes: of a source an object or assembly, of a header a
 *   precompiled one, for which nothing is listed
 * @returns the command; or what is wrong with the fields, for the job's refusal
 */
export function renderPumpArguments(
  fields: PumpFields,
  argv0: ByteString,
  making: 'unit' | 'header' = 'unit',
): Result<PumpArguments, string> {
  const { family, options } = fields;
  const table = optionTable(family);
  const words: ByteString[] = [];
  if (options.length > ARGUMENTS.remoteOptions) {
    return failure(`more than ${ARGUMENTS.remoteOptions} options`);
  }
  for (const [name, value] of options) {
    const rendered = renderOption(table, fields, name, value);
    if (!rendered.ok) return rendered;
    words.push(...rendered.value);
  }
  const handed = preprocessorWordsOf(options);
  const understood = readPreprocessorOptions(handed);
  if (!understood.ok) return failure(`${understood.error} is not sent`);

  if (fields.language !== null) words.push('-x', fields.language);
  const cxxDriver = isCxxDriver(argv0);
  const kind = sourceKind(fields.source, fields.language ?? undefined, cxxDriver);
  if (kind.kind !== (making === 'unit' ? 'language' : 'header')) {
    return failure('the source is of no language that is compiled');
  }
  words.push(fields.stage === 'object' ? '-c' : '-S');
  if (!isFileName(fields.source)) return failure('the source has an impossible name');
  if (fields.output !== null) {
    if (!isFileName(fields.output)) return failure('the output has an impossible name');
    words.push('-o', fields.output);
  }
  const addedLists: ByteString[] = [];
  if (making === 'header') return success({ words: [...words, fields.source], addedLists });
  if (!isPreprocessed(kind.language) && !fields.hasDependencyFile) {
    words.push('-MD', '-MF', REAL_DEPENDENCIES);
    addedLists.push(REAL_DEPENDENCIES);
  }
  if (hasAssemblerList(family, kind.language, fields.stage)) {
    words.push(`-Wa,--MD,${ASSEMBLER_DEPENDENCIES}`);
    addedLists.push(ASSEMBLER_DEPENDENCIES);
  }
  return success({ words: [...words, fields.source], addedLists });
}

function renderOption(
  table: OptionTable,
  { family }: PumpFields,
  name: string,
  value: ByteString | null,
): Result<ByteString[], string> {
  const isHandedOn = name === '-Xpreprocessor';
  const spec = table.spec(isHandedOn ? '-Wp,' : name);
  const label = `option ${JSON.stringify(name.slice(0, 80))}`;
  if (spec === undefined || pumpRefusal(family, spec, value ?? undefined) !== undefined) {
    return failure(`${label} is not sent`);
  }
  if (spec.value === 'none') {
    return value === null ? success([name]) : failure(`${label} takes no value`);
  }
  if (value === null) return failure(`${label} needs a value`);
  if (value.length > ARGUMENTS.remoteValue) return failure(`the value of ${label} is too long`);
  if (!isBytes(value) || !acceptsValue(spec, value)) {
    return failure(`${label} cannot have this value`);
  }
  // Where the driver hands it on as a word of its own, cc1 would read that file for more words.
  if (value.startsWith('@')) return failure(`${label} names an @file`);
  const isJoined = !isHandedOn && table.arity(name) === 'joined';
  // Else glued to its name it could spell another option: `-include` and `-pch`.
  return success(isJoined ? [name + value] : [name, value]);
}

/** What the preprocessor is handed, in order. */
function preprocessorWordsOf(options: PumpFields['options']): ByteString[] {
  return options.flatMap(([name, value]) =>
    name === '-Wp,' ? (value ?? '').split(',') : name === '-Xpreprocessor' ? [value ?? ''] : [],
  );
}

/** One that the driver takes for a file: neither an option nor more words. */
function isFileName(name: ByteString): boolean {
  return name !== '' && !/^[-@]/.test(name) && name.length <= INCLUDES.pathBytes && isBytes(name);
}

/** Bytes, and none that ends a C string. */
function isBytes(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code === 0 || code > 0xff) return false;
  }
  return true;
}
