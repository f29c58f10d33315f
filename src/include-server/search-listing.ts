/** The search path as `-E -v` of GCC and Clang prints it. */
import type { ByteString } from '../core/byte-string.js';

export interface SearchListing {
  /** As printed: relative ones are relative to where the compiler ran. */
  readonly quote: readonly ByteString[];
  readonly angle: readonly ByteString[];
  /** Asked for and not there. */
  readonly missing: readonly ByteString[];
  /** Left out because another name of the same directory is in. */
  readonly duplicates: readonly ByteString[];
  /** Clang: folders of GCC installations, of which it took the newest. */
  readonly installations: readonly ByteString[];
}

const QUOTE = '#include "..." search starts here:';
const ANGLE = '#include <...> search starts here:';
const END = 'End of search list.';
/**
 * GCC's words on a file in the search path; a compile without that file would not say them. They
 * come before the list, and those on other options after it.
 */
const OBJECTION = /: (?:warning: .*: not a directory$|error: )/;
/** Clang's for entries that are no plain directories. */
const FOREIGN = / \((?:framework directory|headermap)\)$/;

/** Undefined if `text` has no complete listing, or one with what is no plain directory. */
export function parseSearchListing(text: ByteString): SearchListing | undefined {
  const lines = text.split('\n');
  const quoteAt = lines.indexOf(QUOTE);
  const endAt = lines.indexOf(END, quoteAt);
  if (quoteAt < 0 || endAt < 0) return undefined;
  if (lines.slice(0, endAt).some((line) => OBJECTION.test(line))) return undefined;
  // Clang leaves this line out when nothing would follow it.
  const angleLine = lines.indexOf(ANGLE, quoteAt);
  const angleAt = angleLine < 0 ? endAt : angleLine;
  const angle = lines.slice(angleAt + 1, endAt);
  // GCC 15 prints the path of #embed after that of #include <...>.
  const embedAt = angle.findIndex((line) => line.startsWith('#'));
  const listed = {
    quote: lines.slice(quoteAt + 1, angleAt),
    angle: embedAt < 0 ? angle : angle.slice(0, embedAt),
  };
  const all = [...listed.quote, ...listed.angle];
  if (all.some((line) => !line.startsWith(' ') || FOREIGN.test(line))) return undefined;
  return {
    quote: listed.quote.map((line) => line.slice(1)),
    angle: listed.angle.map((line) => line.slice(1)),
    missing: valuesOf(text, /^ignoring nonexistent directory "(.*)"$/gm),
    duplicates: valuesOf(text, /^ignoring duplicate directory "(.*)"$/gm),
    installations: valuesOf(text, /^Found candidate GCC installation: (.*)$/gm),
  };
}

function valuesOf(text: ByteString, pattern: RegExp): ByteString[] {
  return [...text.matchAll(pattern)].map((match) => match[1] ?? '');
}
