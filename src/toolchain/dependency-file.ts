/**
 * Reads the make rules that -MD writes. GCC and Clang escape names as make wants it: a backslash
 * before a space or tab, with the backslashes in front of it doubled, one before `#` (of newer
 * versions before `:` too), and `$$` for `$`; all other bytes stand for themselves. A backslash at
 * the end of a line continues it. Names that end in a backslash, and those with one from Clang,
 * which writes a slash, cannot be told: they come out as others, which no closure has.
 */
import type { ByteString } from '../core/byte-string.js';

/**
 * What the first rule depends on, each name once, in order; the rules of -MP behind it name the
 * same files once more. A file without a rule has nothing.
 */
export function parseDependencyFile(text: ByteString): ByteString[] {
  const prerequisites = new Set<ByteString>();
  let isTarget = true;
  let word = '';
  const endWord = (): void => {
    if (!isTarget && word !== '') prerequisites.add(word);
    word = '';
  };
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i);
    switch (character) {
      case '\\': {
        const run = backslashesAt(text, i);
        const next = text.charAt(i + run);
        i += run - 1;
        if (next === '\n' && run === 1) {
          endWord();
          i++;
        } else if (next === ' ' || next === '\t') {
          word += '\\'.repeat(run >> 1);
          // An even run is a doubled one at the end of a name.
          if (run % 2 === 1) {
            word += next;
            i++;
          }
        } else if (next === '#' || next === ':') {
          word += '\\'.repeat(run - 1) + next;
          i++;
        } else {
          word += '\\'.repeat(run);
        }
        break;
      }
      case '$':
        word += '$';
        if (text.charAt(i + 1) === '$') i++;
        break;
      case ' ':
      case '\t':
        endWord();
        break;
      case '\n':
        if (!isTarget) {
          endWord();
          return [...prerequisites];
        }
        endWord();
        break;
      case ':':
        // A colon inside a name is followed by more of it.
        if (isTarget && /^(?:[ \t\n]|\\\n|$)/.test(text.slice(i + 1, i + 3))) {
          word = '';
          isTarget = false;
        } else {
          word += character;
        }
        break;
      default:
        word += character;
    }
  }
  endWord();
  return [...prerequisites];
}

function backslashesAt(text: ByteString, at: number): number {
  let end = at;
  while (text.charAt(end) === '\\') end++;
  return end - at;
}
