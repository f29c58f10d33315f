/**
 * A compile in pump mode, the client's half: what stands in its way, which files it writes, and the
 * command as typed fields. The server makes a command of them again in pump-arguments.ts.
 */
import { joinPath, type ByteString } from '../core/byte-string.js';
import { INCLUDES } from '../core/include-limits.js';
import { ARGUMENTS } from '../core/limits.js';
import type { DeclineReason } from '../core/reasons.js';
import type { CommandOption, CompileCommand, Language } from './compile-command.js';
import { optionTable, type CompilerFamily } from './options/option-table.js';
import { pumpRefusal } from './options/pump-rules.js';
import { environmentObstacle } from './pump-environment.js';
import { isPreprocessed } from './source-language.js';

/** Name in the table and value; null for an option that takes none. */
export type WireOption = readonly [name: string, value: ByteString | null];

/** A command without a word of its own making: what a typed job carries of it. */
export interface PumpFields {
  readonly family: CompilerFamily;
  /** In order, all but those that the other fields say. */
  readonly options: readonly WireOption[];
  /** Value of -x; null where the source's suffix decides. */
  readonly language: string | null;
  readonly stage: CompileCommand['stage'];
  /** As named on the command line. */
  readonly source: ByteString;
  /** Value of -o; null where the command has none. */
  readonly output: ByteString | null;
  /** Whether the command writes a dependency file of its own. */
  readonly hasDependencyFile: boolean;
}

/** A file that the compile may write. */
export interface PumpOutput {
  readonly kind: 'main' | 'dependencies' | 'side';
  /** As the compiler names it. */
  readonly path: ByteString;
  /** The same, absolute: not resolved, since that is for the kernel to do. */
  readonly absolute: ByteString;
  /** Whether a compile that succeeds has written it. */
  readonly isRequired: boolean;
}

/** How the server learns which files were really read. */
export type DependencyList =
  /** From a list that the server asks for; it has all. */
  | 'added'
  /** From the command's own list of all files. */
  | 'own'
  /** From the command's own list, which leaves out headers found in system directories. */
  | 'own-without-system'
  /** From none: the source is preprocessed, or Clang assembles it: all of the closure counts. */
  | 'none';

/** Why this compile cannot go out in pump mode. */
export function pumpObstacle(
  command: CompileCommand,
  environment: ReadonlyMap<ByteString, ByteString>,
): DeclineReason | undefined {
  const table = optionTable(command.family);
  for (const { name, value } of command.options) {
    const spec = table.spec(name);
    if (spec === undefined) return `option:${name}`;
    const refusal = pumpRefusal(command.family, spec, value);
    if (refusal !== undefined) return refusal;
    // Both the driver and what it starts would read that file for more words.
    if (value?.startsWith('@') === true) return `option:${name}`;
    if (value !== undefined && value.length > ARGUMENTS.remoteValue) return 'command-too-long';
  }
  if (command.options.length > ARGUMENTS.remoteOptions) return 'command-too-long';
  // After Clang's `--` a name may look like an option.
  if (command.source.startsWith('-')) return 'option:--';
  if (command.output.startsWith('@')) return 'option:-o';
  if ([command.source, command.output].some((path) => path.length > INCLUDES.pathBytes)) {
    return 'command-too-long';
  }
  return environmentObstacle(environment);
}

/** All files that the compile may write, each once. */
export function pumpOutputs(command: CompileCommand): readonly PumpOutput[] {
  const outputs = new Map<ByteString, PumpOutput>();
  const add = (kind: PumpOutput['kind'], path: ByteString, isRequired: boolean): void => {
    if (outputs.has(path)) return;
    outputs.set(path, { kind, path, absolute: joinPath(command.cwd, path), isRequired });
  };
  add('main', command.output, true);
  const { dependencies } = command;
  // An empty source preprocessed by a driver in a hurry: the compiler decides whether it writes it.
  if (dependencies !== undefined) add('dependencies', dependencies.path, false);
  for (const { path } of command.sideOutputs) add('side', path, false);
  return [...outputs.values()];
}

export function pumpOptions(command: CompileCommand): WireOption[] {
  return command.options.map(wireOption);
}

export function pumpFields(command: CompileCommand): PumpFields {
  return {
    family: command.family,
    options: pumpOptions(command),
    language: command.namedLanguage ?? null,
    stage: command.stage,
    source: command.source,
    output: command.namesOutput ? command.output : null,
    hasDependencyFile: command.dependencies !== undefined,
  };
}

export function dependencyListOf(command: CompileCommand): DependencyList {
  if (isPreprocessed(command.language)) {
    return hasAssemblerList(command.family, command.language, command.stage) ? 'added' : 'none';
  }
  if (command.dependencies === undefined) return 'added';
  return command.dependencies.systemHeaders ? 'own' : 'own-without-system';
}

/**
 * Whether GNU as is to list what an assembler source includes. Of inline assembly in other sources
 * the closure has all files, and no more; Clang's own assembler has no such list.
 */
export function hasAssemblerList(
  family: CompilerFamily,
  language: Language,
  stage: CompileCommand['stage'],
): boolean {
  return family === 'gcc' && language.startsWith('assembler') && stage === 'object';
}

function wireOption({ name, value, words }: CommandOption): WireOption {
  // One word that may have commas, where those of -Wp, separate words.
  if (name === '-Wp,' && words.length === 2) return ['-Xpreprocessor', value ?? ''];
  return [name, value ?? null];
}
