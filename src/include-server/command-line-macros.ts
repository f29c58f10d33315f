/** Macros of the command line, for `#include MACRO` and names of header files made by -D. */
import type { ByteString } from '../core/byte-string.js';
import type { MacroDefinition } from './scanned-file.js';

/** NAME, or NAME(parameters), and the rest. */
const DEFINITION = /^\s*([A-Za-z_$\x80-\xff][\w$\x80-\xff]*)(?:\(([^)]*)\))?(.*)$/s;
/** Comments, and what they cannot begin in. */
const COMMENT = /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\/\*.*?\*\/|\/\/.*$/gs;

/**
 * All that -D says about each name, whatever is undefined or defined anew later.
 *
 * @param values of -D, in order: `NAME`, `NAME=VALUE`, `NAME(PARAMETERS)=VALUE`
 */
export function definedByCommand(
  values: readonly ByteString[],
): ReadonlyMap<ByteString, readonly MacroDefinition[]> {
  const macros = new Map<ByteString, MacroDefinition[]>();
  for (const value of new Set(values)) {
    const match = DEFINITION.exec(asDirective(value));
    // The compiler objects to anything else.
    if (match === null) continue;
    const [, name = '', parameters, rest = ''] = match;
    const macro = macroOf(parameters, rest);
    const known = macros.get(name);
    if (known === undefined) macros.set(name, [macro]);
    else known.push(macro);
  }
  return macros;
}

/** What would stand after #define: the first `=` separates, and a value ends with its line. */
function asDirective(value: ByteString): ByteString {
  const [line = ''] = value.split('\n', 1);
  return line.includes('=') ? line.replace('=', ' ') : `${line} 1`;
}

function macroOf(parameters: ByteString | undefined, rest: ByteString): MacroDefinition {
  const body = rest.replaceAll(COMMENT, (found) => (found.startsWith('/') ? ' ' : found)).trim();
  if (parameters === undefined) return { parameters: undefined, variadic: false, body };
  const names = parameters.split(',').map((name) => name.trim());
  const last = names.at(-1) ?? '';
  if (names.length === 1 && last === '') return { parameters: [], variadic: false, body };
  if (!last.endsWith('...')) return { parameters: names, variadic: false, body };
  // GCC lets the rest have a name: `args...`.
  const rested = last === '...' ? '__VA_ARGS__' : last.slice(0, -3).trim();
  return { parameters: [...names.slice(0, -1), rested], variadic: true, body };
}
