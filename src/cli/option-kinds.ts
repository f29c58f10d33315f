/**
 * What the value of an option may be, read alike from a command line and from a TOML file: the one
 * gives words, the other strings, numbers, lists and booleans. Pure.
 */
import { resolve } from 'node:path';
import { failure, success, type Result } from '../core/errors.js';
import { parseAllowed, parseListen, type ListenAddress } from '../server/access.js';

export interface OptionKind<T> {
  /** How yargs reads it; a list takes one word each time it is given, or as many as follow. */
  readonly words: 'one' | 'number' | 'none' | 'each' | 'many';
  /**
   * The value, or what to say after the option's name when it makes no sense.
   *
   * @param base absolute directory that paths are relative to
   */
  read(value: unknown, base: string): Result<T, string>;
}

const mustBe = (what: string) => failure(` must be ${what}`);
const quoted = (words: readonly string[]) => words.map((word) => `'${word}'`).join(' or ');

function text<T>(what: string, parse: (word: string, base: string) => Result<T, string>) {
  return {
    words: 'one' as const,
    read: (value: unknown, base: string) =>
      typeof value === 'string' && value !== '' ? parse(value, base) : mustBe(what),
  };
}

export const word: OptionKind<string> = text('a string', (given) => success(given));

export const path: OptionKind<string> = text('a path', (given, base) =>
  success(resolve(base, given)),
);

export const listenAddress = (defaultPort: number): OptionKind<ListenAddress> =>
  text("a string, as '127.0.0.1:0'", (given) => {
    const address = parseListen(given, defaultPort);
    return address.ok ? address : failure(`: ${address.error}`);
  });

export function oneOf<T extends string>(choices: readonly T[]): OptionKind<T> {
  return {
    words: 'one',
    read(value) {
      const found = choices.find((choice) => choice === value);
      return found === undefined ? mustBe(quoted(choices)) : success(found);
    },
  };
}

export function wholeNumber(from: number, to: number): OptionKind<number> {
  return {
    words: 'number',
    read(value) {
      const isFine =
        typeof value === 'number' && Number.isInteger(value) && value >= from && value <= to;
      return isFine ? success(value) : mustBe(`a whole number from ${from} to ${to}`);
    },
  };
}

export const byteCount: OptionKind<number> = {
  words: 'one',
  read(value) {
    const given = typeof value === 'number' ? String(value) : value;
    const match = typeof given === 'string' ? /^([0-9]{1,16})([KMGT]?)$/i.exec(given) : null;
    const [, digits, unit] = match ?? [];
    const bytes = Number(digits) * 1024 ** ' KMGT'.indexOf(unit?.toUpperCase() || ' ');
    return Number.isSafeInteger(bytes)
      ? success(bytes)
      : mustBe('a number of bytes, as 500M or 20G');
  },
};

export const toggle: OptionKind<boolean> = {
  words: 'none',
  read: (value) => (typeof value === 'boolean' ? success(value) : mustBe('true or false')),
};

/** A string alone is a list of one. */
function list<T>(
  words: 'each' | 'many',
  what: string,
  parse: (items: readonly string[], base: string) => Result<T, string>,
): OptionKind<T> {
  return {
    words,
    read(value, base) {
      const items: unknown[] = Array.isArray(value) ? value : [value];
      const isFine = items.every((item) => typeof item === 'string' && item !== '');
      return isFine ? parse(items as string[], base) : mustBe(what);
    },
  };
}

export const paths: OptionKind<readonly string[]> = list(
  'each',
  "a path, or a list of them, as ['key', 'new-key']",
  (items, base) => success(items.map((item) => resolve(base, item))),
);

export const networks: OptionKind<readonly string[]> = list(
  'many',
  "a list of networks, as ['10.0.0.0/8', 'fd00::/8']",
  (items) => {
    const allowed = parseAllowed(items);
    return allowed.ok ? success(items) : failure(`: ${allowed.error}`);
  },
);
