/** `__DATE__`, `__TIME__` and `__TIMESTAMP__` in code. */
import type { ByteString } from '../core/byte-string.js';
import type { ClockWord } from './scanned-file.js';

const WORDS: readonly ClockWord[] = ['__DATE__', '__TIME__', '__TIMESTAMP__'];

/** Literals and numbers (with C++'s separators) are passed over as one piece each. */
const PIECE = new RegExp(
  [
    '"[^"\\\\\\n]*(?:\\\\[^\\n][^"\\\\\\n]*)*"?',
    "'[^'\\\\\\n]*(?:\\\\[^\\n][^'\\\\\\n]*)*'?",
    "\\d[\\w.]*(?:'[\\w.]+)*",
    '[\\w$\\x80-\\xff]+',
  ].join('|'),
  'g',
);

/** Those that occur in `code` (without comments) outside of literals. */
export function clockWordsIn(code: ByteString): ReadonlySet<ClockWord> {
  const found = new Set<ClockWord>();
  if (!code.includes('__DATE') && !code.includes('__TIME')) return found;
  for (const [piece] of code.matchAll(PIECE)) {
    const word = WORDS.find((word) => word === piece);
    if (word !== undefined) found.add(word);
  }
  return found;
}
