/**
 * The same bytes are read in different ways, depending on the language standard and the compiler.
 * A file is scanned once for all command lines, so each way that matters for it is tried: the
 * passes over the text report a doubt where another reading would see something else.
 *
 *   bytes ─joinLines→ logical lines ─withoutComments→ code ─→ directives, assembler, clock words
 */
import type { ByteString } from '../core/byte-string.js';

/**
 * A reading is a set of these bits, each a deviation from GNU C++20 as GCC reads it, which is 0.
 * A doubt is such a bit that a pass would have liked to try.
 */
export const DEVIATION = {
  /** Trigraphs are replaced: -trigraphs, -std=c11, -std=c++14. */
  trigraphs: 1,
  /** A lone carriage return ends a line: Clang. */
  carriageReturns: 2,
  /** `//` begins no comment: -std=c89. */
  noLineComments: 4,
  /** In `1'000'000` the quotes begin character literals: C before C23, C++ before C++14. */
  noDigitSeparators: 8,
  /** `R"x(…)x"` is an identifier and a string: ISO C, C++98. */
  noRawStrings: 16,
  /** In a directive a raw string ends with the line: GCC before 15, and where it skips. */
  shortRawStrings: 32,
} as const;

export type Reading = number;

/** What assembler sources never have; all that is C's own in them. */
export const ASSEMBLER_READING: Reading =
  DEVIATION.noDigitSeparators | DEVIATION.noRawStrings | DEVIATION.shortRawStrings;

/** Blanks within a line, as GCC sees them: a NUL is one. Inside a regular expression's class. */
export const BLANKS = ' \\t\\f\\v\\0';

/** A text after one of the passes, and the readings that would have made another one of it. */
export interface ReadText {
  readonly text: ByteString;
  readonly doubts: Reading;
}

/** Logical lines. */
export interface JoinedText extends ReadText {
  /** Where splices were, as offsets into `text`; a raw string does not end across one. */
  readonly joints: ReadonlySet<number>;
}

/**
 * Calls `read` for each reading that may matter, beginning with `first`. It answers the doubts
 * that it had; every combination of all doubts is read.
 */
export function readEachWay(first: Reading, read: (reading: Reading) => Reading): void {
  const known = new Set<Reading>();
  const open: Reading[] = [first];
  let doubts = 0;
  for (let reading = open.pop(); reading !== undefined; reading = open.pop()) {
    if (known.has(reading)) continue;
    known.add(reading);
    doubts |= read(reading);
    for (const seen of known) {
      for (let bit = 1; bit <= doubts; bit <<= 1) {
        if ((doubts & bit & ~seen) !== 0) open.push(seen | bit);
      }
    }
  }
}

const TRIGRAPH = /\?\?([=/'()!<>-])/g;
const TRIGRAPHS: ReadonlyMap<string, string> = new Map([
  ['=', '#'],
  ['/', '\\'],
  ["'", '^'],
  ['(', '['],
  [')', ']'],
  ['!', '|'],
  ['<', '{'],
  ['>', '}'],
  ['-', '~'],
]);
const SPLICE = new RegExp(`\\\\[${BLANKS}]*\\n`, 'y');
const BYTE_ORDER_MARK = '\xef\xbb\xbf';

/**
 * Logical lines of a file (translation phases 1 and 2). Line ends become `\n`; blanks may follow
 * a splice's backslash.
 */
export function joinLines(source: ByteString, reading: Reading): JoinedText {
  let text = source.startsWith(BYTE_ORDER_MARK) ? source.slice(3) : source;
  let doubts = 0;
  if (text.includes('\r')) {
    text = text.replaceAll('\r\n', '\n');
    if ((reading & DEVIATION.carriageReturns) !== 0) text = text.replaceAll('\r', '\n');
    else if (text.includes('\r')) doubts |= DEVIATION.carriageReturns;
  }
  if (text.includes('??')) {
    if ((reading & DEVIATION.trigraphs) !== 0) {
      text = text.replace(TRIGRAPH, (_, last: string) => TRIGRAPHS.get(last) ?? '');
    } else if (text.search(TRIGRAPH) >= 0) doubts |= DEVIATION.trigraphs;
  }
  return { ...withoutSplices(text), doubts };
}

/** From backslash to backslash, which is faster than a search for the whole expression. */
function withoutSplices(text: ByteString): Omit<JoinedText, 'doubts'> {
  const joints = new Set<number>();
  const kept: string[] = [];
  let length = 0;
  let done = 0;
  let next = 0;
  for (let at = text.indexOf('\\'); at >= 0; at = text.indexOf('\\', next)) {
    SPLICE.lastIndex = at;
    if (SPLICE.test(text)) {
      next = SPLICE.lastIndex;
      kept.push(text.slice(done, at));
      length += at - done;
      joints.add(length);
      done = next;
    } else next = at + 1;
  }
  if (done === 0) return { text, joints };
  kept.push(text.slice(done));
  return { text: kept.join(''), joints };
}
