/**
 * Reads the make rules that -MD writes. GCC and Clang escape names as make wants it: a backslash
 * before a space or tab, with the backslashes in front of it doubled, one before `#` (of newer
 * versions before `:` too), and `$$` for `$`; all other bytes stand for themselves. A backslash at
 * the end of a line continues it. Names that end in a backslash, and those with one from Clang,
 * which writes a slash, cannot be told: they come out as others, which no closure has.
 */
import type { ByteString } from '../core/byte-string.js';

/** Bytes that stand for themselves wherever they are. */
const ORDINARY = /[^\\$: \t\n]+/y;
/** A colon that ends the targets: inside a name more of it follows. */
const END_OF_TARGETS = /:(?=[ \t\n]|\\\n|$)/y;
const BACKSLASHES = /\\+/y;

/**
 * What the first rule depends on, each name once, in order; the rules of -MP behind it name the
 * same files once more. A file without a rule has nothing.
 */
export function parseDependencyFile(text: ByteString): ByteString[] {
  const prerequisites = new Set<ByteString>();
  let isTarget = true;
  let word = '';
  let at = 0;
  const match = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0] ?? '';
  };
  const endWord = (): void => {
    if (!isTarget && word !== '') prerequisites.add(word);
    word = '';
  };
  while (at < text.length) {
    const ordinary = match(ORDINARY);
    word += ordinary;
    at += ordinary.length;
    const character = text.charAt(at);
    if (character === '\\') {
      const run = match(BACKSLASHES).length;
      at += run;
      const next = text.charAt(at);
      if (next === '\n' && run === 1) {
        endWord();
        at++;
      } else if (next === ' ' || next === '\t') {
        word += '\\'.repeat(run >> 1);
        // An even run is a doubled one at the end of a name.
        if (run % 2 === 1) {
          word += next;
          at++;
        }
      } else if (next === '#' || next === ':') {
        word += '\\'.repeat(run - 1) + next;
        at++;
      } else {
        word += '\\'.repeat(run);
      }
      continue;
    }
    if (character === '\n' && !isTarget) break;
    if (isTarget && character === ':' && match(END_OF_TARGETS) !== '') {
      word = '';
      isTarget = false;
    } else if (character === ' ' || character === '\t' || character === '\n') {
      endWord();
    } else {
      word += character;
      if (character === '$' && text.charAt(at + 1) === '$') at++;
    }
    at++;
  }
  endWord();
  return [...prerequisites];
}
