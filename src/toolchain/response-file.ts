/** @file arguments, as GCC (libiberty's expandargv and buildargv) and Clang on Unix read them. */
import type { ByteString } from '../core/byte-string.js';
import { joinPath } from '../core/byte-string.js';
import { ARGUMENTS } from '../core/limits.js';

const SPACE = new Set([' ', '\t', '\n', '\v', '\f', '\r']);

/**
 * Text of a response file into words: white space separates, quotes of both kinds group, a
 * backslash takes the next character as it is, inside quotes too.
 */
export function splitWords(text: ByteString): ByteString[] {
  const end = text.indexOf('\0');
  const input = end < 0 ? text : text.slice(0, end);
  const words: ByteString[] = [];
  let word: ByteString | undefined;
  let quote: string | undefined;
  for (let i = 0; i < input.length; i++) {
    const character = input.charAt(i);
    if (character === '\\') {
      i++;
      word = (word ?? '') + input.charAt(i);
    } else if (quote !== undefined) {
      if (character === quote) quote = undefined;
      else word = (word ?? '') + character;
    } else if (SPACE.has(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= '';
    } else {
      word = (word ?? '') + character;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

export interface ExpandedWords {
  readonly words: readonly ByteString[];
  /** An @file that cannot be read, or that compilers of different age read differently. */
  readonly isUncertain: boolean;
}

/** Replaces each @file by its words, those in files too. `words` is returned as is without any. */
export function expandResponseFiles(
  words: readonly ByteString[],
  cwd: ByteString,
  read: (path: ByteString) => ByteString | undefined,
): ExpandedWords {
  if (!words.some((word) => word.startsWith('@'))) return { words, isUncertain: false };
  const pending = words.toReversed();
  const expanded: ByteString[] = [];
  let files = 0;
  let isUncertain = false;
  while (pending.length > 0) {
    const word = pending.pop() ?? '';
    if (!word.startsWith('@') || isUncertain) {
      expanded.push(word);
      continue;
    }
    const text = word === '@' ? undefined : read(joinPath(cwd, word.slice(1)));
    // A backslash before a line end: newer versions of libiberty drop both.
    if (text === undefined || text.includes('\\\n') || ++files > ARGUMENTS.responseFiles) {
      isUncertain = true;
      expanded.push(word);
      continue;
    }
    for (const inner of splitWords(text).toReversed()) pending.push(inner);
    if (pending.length + expanded.length > ARGUMENTS.words) isUncertain = true;
  }
  return { words: expanded, isUncertain };
}
