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
  /** From `filePart`, of each file that was read besides. */
  readonly files: readonly string[];
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
export function filePart(path: string, digest: string): string {
  return shortDigest(`${digest}${path}`);
}

export function compileKey({ toolchain, cwd, argv, variables, source, files }: KeyParts): string {
  const command = [toolchain, variables, source, cwd, ...argv].join('\0');
  return shortDigest(`${command}\0\0${files.join('')}`);
}

function shortDigest(text: string): string {
  return digestOf(text).slice(0, REPORT.digestLength);
}
