/** Look-up of options: a word of a command line to its row and value. */
import { fitsValueKind, isRemote } from './option-spec.js';
import type { AliasRow, Arity, OptionRow, OptionSpec } from './option-spec.js';
import { refusedAssemblerWord } from './assembler.js';
import { CLANG_ALIASES, CLANG_ROWS } from './clang.js';
import { COMMON_ALIASES, COMMON_ROWS } from './common.js';
import { DECLINED_ROWS } from './declined.js';
import {
  CLANG_FLAGS,
  CLANG_VALUED,
  GCC_FLAGS,
  GCC_PARAMETERS,
  GCC_VALUED,
} from './families.generated.js';
import { MODULE_ROWS } from './modules.js';
import { NEWER_CLANG_ROWS, NEWER_GCC_ROWS } from './newer.js';
import { PREPROCESSOR_ALIASES, PREPROCESSOR_ROWS } from './preprocessor.js';
import { searchEffect } from './search-effects.js';

export type CompilerFamily = 'gcc' | 'clang';

interface Entry {
  readonly spec: OptionSpec;
  readonly arity: Arity;
  /** Value that the spelling implies. */
  readonly fixedValue: string | undefined;
}

/** A word that is an option: its row, its glued value, or that the value is the next word. */
export interface OptionMatch {
  readonly spec: OptionSpec;
  /** Undefined when the option takes none, or when the value is the next word. */
  readonly value: string | undefined;
  readonly takesNextWord: boolean;
}

const names = (list: string): string[] => list.trim().split(/\s+/);
const PARAMETERS: ReadonlySet<string> = new Set(names(GCC_PARAMETERS));

/** Whether a value is one that this option can have in either compiler. */
export function acceptsValue(spec: OptionSpec, value: string): boolean {
  if (spec.value === 'assembler') return refusedAssemblerWord(value) === undefined;
  return fitsValueKind(spec.value, value, PARAMETERS);
}

export class OptionTable {
  readonly #entries = new Map<string, Entry>();
  /** Names with a glued value that do not end in `=`, by their first two characters, longest first. */
  readonly #prefixes = new Map<string, string[]>();

  constructor(rows: readonly OptionRow[], aliases: readonly AliasRow[]) {
    for (const row of rows) this.#add(row);
    // After all rows, so that one which says what -fno-X means stands.
    const positive = Array.from(this.#entries.values());
    for (const { spec, arity } of positive) this.#addNegative(spec, arity);
    for (const [name, arity, target, fixedValue] of aliases) {
      const entry = this.#entries.get(target);
      if (entry === undefined) throw new Error(`Option table: ${name} is an alias of nothing`);
      this.#insert(name, { spec: entry.spec, arity, fixedValue });
    }
    for (const name of this.#entries.keys()) this.#indexPrefix(name);
    for (const list of this.#prefixes.values()) list.sort((a, b) => b.length - a.length);
  }

  /** The row of a canonical name, as CommandOption and the wire have it. */
  spec(name: string): OptionSpec | undefined {
    const spec = this.#entries.get(name)?.spec;
    return spec?.name === name ? spec : undefined;
  }

  /** How the option of a canonical name takes its value. */
  arity(name: string): Arity | undefined {
    return this.#entries.get(name)?.arity;
  }

  specs(): OptionSpec[] {
    return [...new Set([...this.#entries.values()].map((entry) => entry.spec))];
  }

  /** What `word` is, or undefined if it is no option of this table. */
  match(word: string): OptionMatch | undefined {
    const exact = this.#entries.get(word);
    if (exact !== undefined) return matchExact(exact);
    const equals = word.indexOf('=');
    if (equals > 0) {
      const entry = this.#entries.get(word.slice(0, equals + 1));
      if (entry !== undefined && entry.arity === 'joined') {
        return { spec: entry.spec, value: word.slice(equals + 1), takesNextWord: false };
      }
    }
    for (const name of this.#prefixes.get(word.slice(0, 2)) ?? []) {
      if (!word.startsWith(name)) continue;
      const entry = this.#entries.get(name);
      if (entry === undefined) continue;
      return { spec: entry.spec, value: word.slice(name.length), takesNextWord: false };
    }
    return undefined;
  }

  #add([name, arity, value, role, obstacle]: OptionRow): void {
    const spec: OptionSpec = {
      name,
      value,
      role,
      decline: obstacle?.decline,
      plain: obstacle?.plain,
      clears: obstacle?.clears,
      search: searchEffect(name),
    };
    this.#insert(name, { spec, arity, fixedValue: undefined });
  }

  /** `-fX` and `-mX` have a `-fno-X`, which switches off what stands in the way of `-fX`. */
  #addNegative(spec: OptionSpec, arity: Arity): void {
    const match = /^-([fm])(?!no-)(.+)$/.exec(spec.name);
    if (match === null || spec.decline !== undefined || spec.value === 'path') return;
    const name = `-${match[1]}no-${match[2]}`;
    const clears = spec.plain === undefined ? undefined : spec.name;
    this.#insert(name, {
      spec: { ...spec, name, plain: undefined, clears },
      arity,
      fixedValue: undefined,
    });
  }

  /** The first row wins: hand-written tables come before the generated families. */
  #insert(name: string, entry: Entry): void {
    if (!this.#entries.has(name)) this.#entries.set(name, entry);
  }

  #indexPrefix(name: string): void {
    const arity = this.#entries.get(name)?.arity;
    if ((arity !== 'joined' && arity !== 'either') || name.endsWith('=')) return;
    const key = name.slice(0, 2);
    const list = this.#prefixes.get(key);
    if (list === undefined) this.#prefixes.set(key, [name]);
    else list.push(name);
  }
}

function matchExact({ spec, arity, fixedValue }: Entry): OptionMatch {
  const takesNextWord = arity === 'separate' || arity === 'either';
  return { spec, value: arity === 'joined' ? '' : fixedValue, takesNextWord };
}

function family(flags: string, valued: string): OptionRow[] {
  return [
    ...names(flags).map((name): OptionRow => [`-${name}`, 'none', 'none', 'both']),
    ...names(valued).map((name): OptionRow => [`-${name}`, 'joined', 'word', 'both']),
  ];
}

const SHARED_ROWS = [...COMMON_ROWS, ...PREPROCESSOR_ROWS, ...DECLINED_ROWS, ...MODULE_ROWS];
const SHARED_ALIASES = [...COMMON_ALIASES, ...PREPROCESSOR_ALIASES];

const TABLES: Readonly<Record<CompilerFamily, OptionTable>> = {
  gcc: new OptionTable(
    [...SHARED_ROWS, ...NEWER_GCC_ROWS, ...family(GCC_FLAGS, GCC_VALUED)],
    SHARED_ALIASES,
  ),
  clang: new OptionTable(
    [...CLANG_ROWS, ...SHARED_ROWS, ...NEWER_CLANG_ROWS, ...family(CLANG_FLAGS, CLANG_VALUED)],
    [...SHARED_ALIASES, ...CLANG_ALIASES],
  ),
};

export function optionTable(of: CompilerFamily): OptionTable {
  return TABLES[of];
}

/** What a typed job may carry to either compiler: the server's whole vocabulary. */
export const REMOTE_OPTIONS: ReadonlyMap<string, OptionSpec> = new Map(
  [...TABLES.gcc.specs(), ...TABLES.clang.specs()]
    .filter(isRemote)
    .map((spec) => [spec.name, spec]),
);
