/** Compilers along PATH, past the links of tscc and its peers. */
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { baseName, type ByteString } from '../core/byte-string.js';
import { WRAPPERS } from '../toolchain/wrappers.js';

/** A program by a compiler's name. */
export interface Candidate {
  readonly path: ByteString;
  /** The program of tscc's kind that it leads to; undefined for a compiler. */
  readonly wrapper: string | undefined;
}

/** All programs by that name, in the order of PATH. */
export function candidatesFor(name: string, path: ByteString): Candidate[] {
  return path
    .split(':')
    .map((directory) => `${directory === '' ? '.' : directory}/${name}`)
    .filter(isProgram)
    .map((found) => {
      const real = baseName(realpathSync.native(Buffer.from(found, 'latin1'), 'latin1'));
      return { path: found, wrapper: WRAPPERS.has(real) ? real : undefined };
    });
}

/** Absolute path of the first real compiler for each name that has one. */
export function findCompilers(names: readonly string[], path: ByteString): ByteString[] {
  return names.flatMap((name) => {
    const found = candidatesFor(name, path).find(({ wrapper }) => wrapper === undefined);
    return found === undefined ? [] : [found.path];
  });
}

function isProgram(path: ByteString): boolean {
  const bytes = Buffer.from(path, 'latin1');
  if (statSync(bytes, { throwIfNoEntry: false })?.isFile() !== true) return false;
  try {
    accessSync(bytes, constants.X_OK);
    return true;
  } catch {
    // A file that cannot be run is no compiler; the search goes on.
    return false;
  }
}
