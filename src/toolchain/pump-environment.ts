/**
 * The environment of a compile as typed fields. The server starts from an empty one and sets what
 * is listed here, each value within its bounds; what cannot be carried keeps the compile here.
 */
import type { ByteString } from '../core/byte-string.js';
import type { DeclineReason } from '../core/reasons.js';
import { INCLUDES } from '../core/include-limits.js';
import { failure, success, type Result } from '../core/errors.js';
import { DECLINED_VARIABLES } from './options/environment.js';

/** Name and value. */
export type WireVariable = readonly [name: string, value: ByteString];

interface VariableSpec {
  readonly pattern: RegExp;
  /** Bytes. */
  readonly longest: number;
}

/** A locale's name; as a path it would name files that are not looked for. */
const LOCALE: VariableSpec = { pattern: /^[A-Za-z0-9_.,@=+:-]*$/, longest: 255 };
/** Directories between colons; anything but a NUL may be in their names. */
const DIRECTORIES: VariableSpec = { pattern: /^[^\0]*$/, longest: 64 * 1024 };
const WORD: VariableSpec = { pattern: /^[\x20-\x7e]*$/, longest: 1024 };
const DIRECTORY: VariableSpec = { pattern: /^[^\0]*$/, longest: INCLUDES.pathBytes };

/** LC_ALL and so on: the categories of POSIX and of the GNU C library. */
const CATEGORIES =
  'ALL CTYPE NUMERIC TIME COLLATE MONETARY MESSAGES PAPER NAME ADDRESS TELEPHONE MEASUREMENT ' +
  'IDENTIFICATION';

const VARIABLES: ReadonlyMap<string, VariableSpec> = new Map([
  ...['LANG', 'LANGUAGE', ...CATEGORIES.split(' ').map((name) => `LC_${name}`)].map(
    (name): [string, VariableSpec] => [name, LOCALE],
  ),
  // GCC finds itself along it, and then its assembler.
  ['PATH', DIRECTORIES],
  ['PWD', DIRECTORY],
  ...'CPATH C_INCLUDE_PATH CPLUS_INCLUDE_PATH OBJC_INCLUDE_PATH OBJCPLUS_INCLUDE_PATH'
    .split(' ')
    .map((name): [string, VariableSpec] => [name, DIRECTORIES]),
  // Both compilers refuse what is no number by themselves; it is theirs to say.
  ['SOURCE_DATE_EPOCH', WORD],
  // A zone's name or rule; with a slash in front it is a file.
  ['TZ', { pattern: /^:?[A-Za-z0-9_+,.<>-][A-Za-z0-9_+,./<>:-]*$|^$/, longest: 255 }],
  ['GCC_COLORS', WORD],
  ['GCC_URLS', WORD],
  ['TERM_URLS', WORD],
  ['GCC_EXTRA_DIAGNOSTIC_OUTPUT', WORD],
  ['TERM', WORD],
  ['COLORTERM', WORD],
  ['NO_COLOR', WORD],
  ['COLUMNS', WORD],
]);

/** Names of what is carried; the launcher must send them. */
export const CARRIED_VARIABLES: readonly string[] = [...VARIABLES.keys()];

function isCarried({ pattern, longest }: VariableSpec, value: ByteString): boolean {
  return value.length <= longest && pattern.test(value);
}

/**
 * The environment of a GCC that is to print as on a terminal of this width, which it asks for where
 * COLUMNS is no number above 0. Without a width it does not cut lines.
 */
export function onTerminal(
  environment: ReadonlyMap<ByteString, ByteString>,
  columns: number,
): ReadonlyMap<ByteString, ByteString> {
  const isGiven = Number.parseInt(environment.get('COLUMNS') ?? '', 10) > 0;
  if (isGiven || columns === 0) return environment;
  return new Map([...environment, ['COLUMNS', String(columns)]]);
}

/** What is set and sent, in the table's order; only for environments without an obstacle. */
export function pumpEnvironment(
  environment: ReadonlyMap<ByteString, ByteString>,
): readonly WireVariable[] {
  const variables: WireVariable[] = [];
  for (const name of VARIABLES.keys()) {
    const value = environment.get(name);
    if (value !== undefined) variables.push([name, value]);
  }
  return variables;
}

/** Why a compile with this environment cannot go out in pump mode. */
export function environmentObstacle(
  environment: ReadonlyMap<ByteString, ByteString>,
): DeclineReason | undefined {
  const declined = DECLINED_VARIABLES.find((name) => environment.has(name));
  if (declined !== undefined) return `environment:${declined}`;
  for (const [name, spec] of VARIABLES) {
    const value = environment.get(name);
    if (value !== undefined && !isCarried(spec, value)) return `environment:${name}`;
  }
  return undefined;
}

/** The server's check: the variables as `NAME=VALUE`, or what is wrong with them. */
export function renderPumpEnvironment(
  variables: readonly WireVariable[],
): Result<ByteString[], string> {
  const rendered: ByteString[] = [];
  const seen = new Set<string>();
  for (const [name, value] of variables) {
    const spec = VARIABLES.get(name);
    if (spec === undefined || seen.has(name)) {
      return failure(`variable ${JSON.stringify(name.slice(0, 80))} is not sent`);
    }
    if (!isCarried(spec, value)) return failure(`variable ${name} cannot have this value`);
    seen.add(name);
    rendered.push(`${name}=${value}`);
  }
  return success(rendered);
}
