/**
 * What pump mode cannot carry, for the rows of all tables that no mode declines. The compiler runs
 * at the client's own paths among the files of the closure, so an option goes out as long as it
 * reads nothing but sources and headers, and writes nothing but files that are known beforehand.
 */
import type { ByteString } from '../../core/byte-string.js';
import type { DeclineReason } from '../../core/reasons.js';
import type { OptionSpec, Role } from './option-spec.js';
import type { CompilerFamily } from './option-table.js';

const BOTH_FAMILIES: readonly (readonly [DeclineReason, string])[] = [
  // The file may be a directory, by whose name it is known what it is called there.
  ['option:-ftime-trace=', '-ftime-trace='],
];

/** Clang records or copies its words as they were spelled, and the rebuilt command has others. */
const CLANG_ALONE: readonly (readonly [DeclineReason, string])[] = [
  ['option:-grecord-gcc-switches', '-grecord-gcc-switches'],
  ['option:-frecord-command-line', '-frecord-command-line -frecord-gcc-switches'],
  ['option:-MJ', '-MJ'],
  // Bitcode besides.
  ['save-temps', '-save-temps -save-temps='],
  // It takes no file after this one.
  ['option:-aux-info', '-aux-info -aux-info='],
];

const byName = (rows: readonly (readonly [DeclineReason, string])[]) =>
  new Map(rows.flatMap(([reason, names]) => names.split(' ').map((name) => [name, reason])));

const OBSTACLES: Readonly<Record<CompilerFamily, ReadonlyMap<string, DeclineReason>>> = {
  gcc: byName(BOTH_FAMILIES),
  clang: byName([...BOTH_FAMILIES, ...CLANG_ALONE]),
};

/** Said by fields of their own, or not part of a compile. */
const UNSAID: ReadonlySet<Role> = new Set<Role>(['stage', 'output', 'language', 'query']);

/** Character sets that the compilers convert by themselves; for others the C library loads code. */
const OWN_CHARSETS = /^UTF-?(?:8|16|32)(?:[LB]E)?$/i;

/** Of messages on standard error; the others make a file that is named after the source. */
const PRINTED_FORMATS = /^(?:text|json|(?:json|sarif)-stderr|clang|msvc|vi)$/;

/** Why this option with this value cannot be part of a compile in a sealed root. */
export function pumpRefusal(
  family: CompilerFamily,
  spec: OptionSpec,
  value: ByteString | undefined,
): DeclineReason | undefined {
  if (UNSAID.has(spec.role)) return `option:${spec.name}`;
  if (spec.decline !== undefined) return spec.decline;
  // The profile is no part of the closure.
  if (spec.plain === 'profile-use') return spec.plain;
  // Without a name they have those of the passes that run.
  if (spec.name === '-fdump-' && value?.includes('=') !== true) return 'option:-fdump-';
  if (spec.name.endsWith('-charset=') && !OWN_CHARSETS.test(value ?? '')) {
    return `option:${spec.name}`;
  }
  if (spec.name === '-fdiagnostics-format=' && !PRINTED_FORMATS.test(value ?? '')) {
    return `option:${spec.name}`;
  }
  return OBSTACLES[family].get(spec.name);
}
