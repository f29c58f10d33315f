/** `#define` lines read: only files with a computed include need it, so it is done when asked. */
import type { ByteString } from '../core/byte-string.js';
import type { MacroDefinition } from './scanned-file.js';
import { BLANKS } from './source-reading.js';

const BLANK = `[${BLANKS}]`;
const DEFINITION = new RegExp(
  `^${BLANK}*(?:#|%:)${BLANK}*define${BLANK}+` +
    `([A-Za-z_$\\x80-\\xff][\\w$\\x80-\\xff]*)(?:\\(([^)\\n]*)\\))?([^\\n]*)$`,
  'gm',
);
const OUTER_BLANKS = new RegExp(`^[\\s${BLANKS}]+|[\\s${BLANKS}]+$`, 'g');

/** The definitions of some lines, by name, in order; equal ones once. Others are errors to GCC. */
export function definitionsIn(
  lines: ByteString,
): ReadonlyMap<ByteString, readonly MacroDefinition[]> {
  const found = new Map<ByteString, MacroDefinition[]>();
  for (const [, name = '', list, rest = ''] of lines.matchAll(DEFINITION)) {
    const body = rest.replace(OUTER_BLANKS, '');
    const definition: MacroDefinition =
      list === undefined
        ? { parameters: undefined, variadic: false, body }
        : { ...parametersOf(list), body };
    const others = found.get(name);
    if (others === undefined) found.set(name, [definition]);
    else if (!others.some((other) => isSame(other, definition))) others.push(definition);
  }
  return found;
}

function parametersOf(list: ByteString): Omit<MacroDefinition, 'body'> {
  const words = list.split(',').map((word) => word.replace(OUTER_BLANKS, ''));
  if (words.length === 1 && words[0] === '') return { parameters: [], variadic: false };
  const last = words.at(-1) ?? '';
  if (!last.endsWith('...')) return { parameters: words, variadic: false };
  const rest = last.slice(0, -3).replace(OUTER_BLANKS, '');
  return { parameters: [...words.slice(0, -1), rest || '__VA_ARGS__'], variadic: true };
}

function isSame(one: MacroDefinition, other: MacroDefinition): boolean {
  return (
    one.body === other.body &&
    one.variadic === other.variadic &&
    one.parameters?.join() === other.parameters?.join() &&
    (one.parameters === undefined) === (other.parameters === undefined)
  );
}
