/** Comments taken out of logical lines (translation phase 3), fast where there is nothing else. */
import type { ByteString } from '../core/byte-string.js';
import { BLANKS, DEVIATION, type JoinedText, type Reading, type ReadText } from './source-reading.js';

const COMMENT = /\/[*/]/g;
const COMMENT_OR_RAW = /\/[*/]|R"/g;

/** Blanks and comments, as they may stand between the words of a directive. */
const GAP = `(?:[${BLANKS}]|/\\*(?:[^*]|\\*(?!/))*\\*/)*`;
/** What makes the compiler look for a header name, in which `//` and `\` mean themselves. */
const BEFORE_HEADER = [
  `(?:#|%:)${GAP}(?:include(?:_next)?|import|embed|pragma${GAP}GCC${GAP}dependency)`,
  `(?:export${GAP})?import`,
].join('|');
const HEADER_LINE = new RegExp(`${GAP}(?:${BEFORE_HEADER})${GAP}(<[^>\\n]*>|"[^"\\n]*")`, 'y');
const DIRECTIVE_LINE = new RegExp(`${GAP}(?:#|%:)`, 'y');

const STRING = `"[^"\\\\\\n]*(?:\\\\[^\\n][^"\\\\\\n]*)*(?:"|\\\\?)`;
const CHARACTER = `'[^'\\\\\\n]*(?:\\\\[^\\n][^'\\\\\\n]*)*(?:'|\\\\?)`;
const PROBE = `__has_(?:include|embed)\\w*${GAP}\\(?${GAP}<[^>\\n]*>`;
const NUMBER = `\\.?\\d(?:[eEpP][+-]|[\\w.])*`;
const SEPARATED = `\\.?\\d(?:[eEpP][+-]|'?[\\w.])*`;
const PIECE = new RegExp(`(${STRING}|${CHARACTER}|${PROBE})|${NUMBER}|[\\w$\\x80-\\xff]+|[^]`, 'y');
const SEPARATED_PIECE = new RegExp(
  `(${STRING}|${CHARACTER}|${PROBE})|${SEPARATED}|[\\w$\\x80-\\xff]+|[^]`,
  'y',
);

const RAW_PREFIX = /(?:^|[^\w$\x80-\xff])(?:u8|[uUL])?$/;
const RAW_OPENING = /R"([^()\\\s]{0,16})\(/y;

const NEWLINE = 10;
const QUOTE = 34;
const APOSTROPHE = 39;
const LESS = 60;

/**
 * The text with each comment replaced by one space, so that a line of it is a logical line of
 * code. Raw strings become ordinary ones: no newline of the answer is inside a literal.
 */
export function withoutComments(source: JoinedText, reading: Reading): ReadText {
  return new CommentReader(source, reading).read();
}

class CommentReader {
  readonly #text: ByteString;
  readonly #joints: ReadonlySet<number>;
  readonly #reading: Reading;
  #doubts: Reading = 0;
  readonly #kept: string[] = [];
  /** Up to here the text was kept or dropped. */
  #done = 0;
  /** Some place before which everything is understood, outside of literals and comments. */
  #code = 0;
  /** Where the logical line of `#code` begins. */
  #line = 0;

  constructor(source: JoinedText, reading: Reading) {
    this.#text = source.text;
    this.#joints = source.joints;
    this.#reading = reading;
  }

  read(): ReadText {
    const text = this.#text;
    const raw = !this.#deviates(DEVIATION.noRawStrings) && text.includes('R"');
    const opening = raw ? COMMENT_OR_RAW : COMMENT;
    opening.lastIndex = 0;
    while (opening.test(text)) opening.lastIndex = this.#pass(opening.lastIndex - 2);
    if (this.#done === 0) return { text, doubts: this.#doubts };
    this.#kept.push(text.slice(this.#done));
    return { text: this.#kept.join(''), doubts: this.#doubts };
  }

  #deviates(bit: Reading): boolean {
    return (this.#reading & bit) !== 0;
  }

  /** Passes what begins at `at`, if it does; the place from where to look on. */
  #pass(at: number): number {
    const literalEnd = this.#literalAround(at);
    if (literalEnd !== undefined) return (this.#code = literalEnd);
    switch (this.#text[at + 1]) {
      case '*': {
        const close = this.#text.indexOf('*/', at + 2);
        return this.#replace(at, close < 0 ? this.#text.length : close + 2, ' ');
      }
      case '/':
        return this.#passLineComment(at);
      default:
        return this.#passRawString(at);
    }
  }

  #replace(from: number, to: number, by: ByteString): number {
    this.#kept.push(this.#text.slice(this.#done, from), by);
    this.#done = to;
    return (this.#code = to);
  }

  #passLineComment(at: number): number {
    if (this.#deviates(DEVIATION.noLineComments)) return at + 1;
    const newline = this.#text.indexOf('\n', at);
    const end = newline < 0 ? this.#text.length : newline;
    if (this.#text.slice(at + 1, end).includes('/*')) this.#doubts |= DEVIATION.noLineComments;
    return this.#replace(at, end, ' ');
  }

  #passRawString(at: number): number {
    const text = this.#text;
    RAW_OPENING.lastIndex = at;
    const delimiter = RAW_OPENING.exec(text)?.[1];
    if (delimiter === undefined || !RAW_PREFIX.test(text.slice(Math.max(0, at - 3), at))) {
      return at + 2;
    }
    this.#doubts |= DEVIATION.noRawStrings;
    const begin = RAW_OPENING.lastIndex;
    const closing = `)${delimiter}"`;
    let close = text.indexOf(closing, begin);
    while (close >= 0 && this.#isSpliced(close, closing.length)) {
      close = text.indexOf(closing, close + 1);
    }
    const end = close < 0 ? text.length : close;
    const content = text.slice(begin, end);
    DIRECTIVE_LINE.lastIndex = this.#line;
    if (content.includes('\n') && DIRECTIVE_LINE.test(text)) {
      this.#doubts |= DEVIATION.shortRawStrings;
      if (this.#deviates(DEVIATION.shortRawStrings)) return at + 2;
    }
    const plain = content.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n');
    return this.#replace(at, close < 0 ? end : end + closing.length, `"${plain}"`);
  }

  #isSpliced(at: number, length: number): boolean {
    for (let i = at + 1; i < at + length; i++) if (this.#joints.has(i)) return true;
    return false;
  }

  /** The end of the literal or header name that holds `at`; undefined if none does. */
  #literalAround(at: number): number | undefined {
    let mayBe = false;
    let from = at;
    for (; from > this.#code; from--) {
      const char = this.#text.charCodeAt(from - 1);
      if (char === NEWLINE) break;
      if (char === QUOTE || char === APOSTROPHE || char === LESS) mayBe = true;
    }
    if (from > this.#code || this.#text.charCodeAt(from - 1) === NEWLINE) this.#line = from;
    this.#code = from;
    return mayBe ? this.#readPieces(from, at) : undefined;
  }

  #readPieces(from: number, at: number): number | undefined {
    const text = this.#text;
    HEADER_LINE.lastIndex = this.#line;
    const header = HEADER_LINE.exec(text)?.[1];
    let place = from;
    if (header !== undefined) {
      const end = HEADER_LINE.lastIndex;
      if (end > at) return end - header.length < at ? end : undefined;
      place = Math.max(place, end);
    }
    const separates = !this.#deviates(DEVIATION.noDigitSeparators);
    const piece = separates ? SEPARATED_PIECE : PIECE;
    while (place < at) {
      piece.lastIndex = place;
      const match = piece.exec(text);
      const end = piece.lastIndex;
      if (match?.[1] === undefined) {
        if (separates && match?.[0].includes("'") === true) {
          this.#doubts |= DEVIATION.noDigitSeparators;
        }
      } else if (end > at) return end;
      place = end;
    }
    return undefined;
  }
}
