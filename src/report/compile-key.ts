/**
 * What an object rests on, as one word: two compiles with the same key would have made the same one.
 * tscc keeps no objects; the journal has the key so that a later session can tell whether a compile
 * was needed, and which of its inputs has changed. Pure.
 */
import { digestOf } from '../core/digest.js';
import { REPORT } from '../core/limits.js';

export interface KeyParts {
  /** Digest of the compiler. */
  readonly toolchain: string;
  readonly cwd: string;
  readonly argv: readonly string[];
  /** From `variablesPart`. */
  readonly variables: string;
  /** Digest of the source, in plain mode of the preprocessed one. */
  readonly source: string;
  /** From `filesPart`, of the files that were read besides. */
  readonly files: string;
}

/** One file's share: 64 bits, as two numbers. */
export interface FilePart {
  readonly high: number;
  readonly low: number;
}

/** Of the terminal that the compiler prints on, or of where it was found: its digest is known. */
const OF_NO_OBJECT =
  /^(?:TERM|TERM_URLS|TERMINFO|TERMINFO_DIRS|COLUMNS|COLORTERM|NO_COLOR|GCC_COLORS|GCC_URLS|PATH|TMPDIR)$/;

export function isOfObject(variable: string): boolean {
  return !OF_NO_OBJECT.test(variable);
}

/** @param variables names and values */
export function variablesPart(variables: Iterable<readonly [string, string]>): string {
  const own = [...variables].filter(([name]) => isOfObject(name));
  return shortDigest(
    own
      .map(([name, value]) => `${name}=${value}`)
      .toSorted()
      .join('\0'),
  );
}

/** Of one file, made once; a compile has some hundred. */
export function filePart(path: string, digest: string): FilePart {
  const digits = digestOf(`${digest}${path}`);
  return {
    high: Number.parseInt(digits.slice(0, 8), 16),
    low: Number.parseInt(digits.slice(8, 16), 16),
  };
}

/** Of several, in any order: each server names them in the order in which it heard of them. */
export function filesPart(parts: Iterable<FilePart>): string {
  let [high, low, count] = [0, 0, 0];
  for (const part of parts) {
    high = (high + part.high) >>> 0;
    low = (low + part.low) >>> 0;
    count++;
  }
  return `${count} ${high.toString(16)} ${low.toString(16)}`;
}

export function compileKey({ toolchain, cwd, argv, variables, source, files }: KeyParts): string {
  const command = [toolchain, variables, source, cwd, ...argv].join('\0');
  return shortDigest(`${command}\0\0${files}`);
}

function shortDigest(text: string): string {
  return digestOf(text).slice(0, REPORT.digestLength);
}
