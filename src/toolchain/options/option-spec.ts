/**
 * What the option tables say about one option. Options are data: parsing, plain mode and the typed
 * job all read the same rows, so an option that is in no table cannot be sent anywhere.
 */
import type { DeclineReason } from '../../core/reasons.js';
import type { SearchEffect } from './search-effects.js';

/** How an option takes its value. */
export type Arity =
  /** No value. */
  | 'none'
  /** Glued to the name; may be empty where the value kind allows it (`-O`, `-W`). */
  | 'joined'
  /** The next word. */
  | 'separate'
  /** Glued, or the next word when the name stands alone (`-o x`, `-ox`). */
  | 'either';

/** Who reads an option when a source is compiled with -c. */
export type Role =
  /** The preprocessor only; meaningless once the source is preprocessed. */
  | 'preprocess'
  /** The compiler proper or the assembler only. */
  | 'compile'
  /** Both, or a switch that changes predefined macros and code alike. */
  | 'both'
  /** The driver itself, with no effect on what is made. */
  | 'driver'
  /** The linker, which -c leaves out. */
  | 'link'
  /** -MD and its relatives. */
  | 'dependencies'
  /** -c, -S, -E, -M, -MM: how far to go. */
  | 'stage'
  /** -o. */
  | 'output'
  /** -x. */
  | 'language'
  /** Asks the compiler something instead of compiling. */
  | 'query';

/**
 * What a value may look like. All but `none`, `text` and `path` are checked while parsing as well:
 * a value that no compiler takes makes the option unknown.
 */
export type ValueKind =
  | 'none'
  /** Names, numbers and lists of them: no slash, so never a path. */
  | 'word'
  /** A target triple that Clang assembles itself; for others it runs programs along PATH. */
  | 'target'
  /** The rest of -W: a warning's name, `=` and a word; no comma in the name (that is -Wa, -Wl,). */
  | 'warning'
  /** The rest of -O. */
  | 'level'
  /** The rest of -x. */
  | 'language'
  /** `name=value` of --param with a name that GCC lists. */
  | 'parameter'
  /** A comma list for the assembler, see assembler.ts. */
  | 'assembler'
  /** A string that no compiler opens as a file: prefix maps, seeds, function lists. */
  | 'text'
  /** A file or directory of this host. Never sent. */
  | 'path';

export interface OptionSpec {
  /** Name as it appears in CommandOption and on the wire. */
  readonly name: string;
  readonly value: ValueKind;
  readonly role: Role;
  /** No mode can send a compile with this option. */
  readonly decline: DeclineReason | undefined;
  /** Plain mode cannot carry what this option does. */
  readonly plain: DeclineReason | undefined;
  /** The option that this one switches off again: `-flto` for `-fno-lto`. */
  readonly clears: string | undefined;
  /** What it does to the directories that headers are looked for in. */
  readonly search: SearchEffect | undefined;
}

/** A row of a hand-written table: name, arity, value kind, role and what stands in its way. */
export type OptionRow = readonly [
  name: string,
  arity: Arity,
  value: ValueKind,
  role: Role,
  obstacle?: {
    readonly decline?: DeclineReason;
    readonly plain?: DeclineReason;
    readonly clears?: string;
  },
];

/** Another spelling: its arity and what it stands for, with a fixed value if it implies one. */
export type AliasRow = readonly [name: string, arity: Arity, target: string, fixedValue?: string];

/** Printable ASCII that cannot form a path, start a response file, or end an argument early. */
const WORD = /^[A-Za-z0-9_.,:+=*^$-]*$/;
const TARGET =
  /^(?:x86_64|i[3-6]86|aarch64|arm64|arm|armv\w+|thumb\w*|riscv(?:32|64)|powerpc\w*|mips\w*|s390x|wasm(?:32|64))(?:-[A-Za-z0-9_.]+)*$/;
const WARNING = /^(?:[a-zA-Z][A-Za-z0-9_+-]*(?:=[A-Za-z0-9_.,:+=*-]*)?)?$/;
const LEVEL = /^(?:[0-9]{1,3}|s|z|g|fast)?$/;
const LANGUAGE = /^[a-z0-9+-]+$/;
const PARAMETER = /^([a-zA-Z0-9-]+)=[A-Za-z0-9-]+$/;

const isBytes = (value: string): boolean => !value.includes('\0');

const FITS: Readonly<
  Record<
    Exclude<ValueKind, 'assembler'>,
    (value: string, parameters: ReadonlySet<string>) => boolean
  >
> = {
  none: (value) => value === '',
  word: (value) => WORD.test(value),
  target: (value) => TARGET.test(value),
  warning: (value) => WARNING.test(value),
  level: (value) => LEVEL.test(value),
  language: (value) => LANGUAGE.test(value),
  parameter: (value, parameters) => parameters.has(PARAMETER.exec(value)?.[1] ?? ''),
  text: isBytes,
  path: isBytes,
};

/** Whether `value` fits `kind`; `assembler` is judged in assembler.ts. */
export function fitsValueKind(
  kind: Exclude<ValueKind, 'assembler'>,
  value: string,
  parameters: ReadonlySet<string>,
): boolean {
  return FITS[kind](value, parameters);
}

/** Whether the typed job of a remote compile may carry this option. */
export function isRemote(spec: OptionSpec): boolean {
  return (
    (spec.role === 'compile' || spec.role === 'both') &&
    spec.value !== 'path' &&
    spec.decline === undefined &&
    spec.plain === undefined
  );
}
