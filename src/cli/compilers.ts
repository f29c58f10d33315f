/** Compilers along PATH, past the links of tscc and its peers. */
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { baseName, type ByteString } from '../core/byte-string.js';
import { WRAPPERS } from '../toolchain/wrappers.js';

/** Absolute path of the first real compiler for each name that has one. */
export function findCompilers(names: readonly string[], path: ByteString): ByteString[] {
  return names.flatMap((name) => {
    const found = path
      .split(':')
      .map((directory) => `${directory === '' ? '.' : directory}/${name}`)
      .find(isRealCompiler);
    return found === undefined ? [] : [found];
  });
}

function isRealCompiler(path: ByteString): boolean {
  const bytes = Buffer.from(path, 'latin1');
  if (statSync(bytes, { throwIfNoEntry: false })?.isFile() !== true) return false;
  try {
    accessSync(bytes, constants.X_OK);
  } catch {
    // A file that cannot be run is no compiler; the search goes on.
    return false;
  }
  return !WRAPPERS.has(baseName(realpathSync.native(bytes, 'latin1')));
}
