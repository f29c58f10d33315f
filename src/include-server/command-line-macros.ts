/** Macros of the command line, for `#include MACRO` and names of header files made by -D. */
import { toBytes, type ByteString } from '../core/byte-string.js';
import { scan } from './directive-scanner.js';
import type { MacroDefinition } from './scanned-file.js';

/**
 * All that -D says about each name, whatever is undefined or defined anew later.
 *
 * @param values of -D, in order: `NAME`, `NAME=VALUE`, `NAME(PARAMETERS)=VALUE`
 */
export function definedByCommand(
  values: readonly ByteString[],
): ReadonlyMap<ByteString, readonly MacroDefinition[]> {
  // The compilers read each as a directive, too. An empty line ends what a backslash continues.
  const directives = values.map((value) => `#define ${replacement(value)}\n\n`);
  return scan(toBytes(directives.join('')), 'c').macros;
}

/** Name and body: the first `=` separates them, and a value ends with its line. */
function replacement(value: ByteString): ByteString {
  const [line = ''] = value.split('\n', 1);
  return line.includes('=') ? line.replace('=', ' ') : `${line} 1`;
}
