/** The file names in assembler text: `.incbin "x"` and `.include "x"`, as GNU as reads them. */
import type { ByteString } from '../core/byte-string.js';

/** Stands for text that macros supply, in what is handed to `assemblerNames`. No byte is it. */
export const UNKNOWN_TEXT = '\uffff';

export interface AssemblerNames {
  readonly names: readonly ByteString[];
  /** There is a directive whose name cannot be read. */
  readonly opaque: boolean;
}

/**
 * A directive stands at the beginning of a statement: of the text, of a line, after a separator,
 * a label, a comment or unknown text; its case does not matter. Either a whole one, followed by a
 * name (group 1, its closing quote group 2) or by another character (group 3), or one that some
 * macro completes.
 */
const DIRECTIVE = new RegExp(
  '(?:^|[\\n;:/!`${|}\\uffff])[ \\t\\f\\v\\r]*\\.(?:' +
    '(?:incbin|include)(?![\\w.$\\uffff\\\\])[ \\t\\f\\v\\r]*(?:"([^"\\n]*)("?)|([^\\n]?))' +
    '|inc(?:b|bi|bin|l|lu|lud|lude)?[\\uffff\\\\])',
  'gi',
);

/** With it macro parameters are replaced without a backslash as well. */
const ALTERNATE_MACROS = /\.altmacro/i;

/**
 * What `text` makes the assembler read. 'strings': templates of inline assembler, where `%` and
 * braces are the compiler's; 'source': a source, in which a bare word may be a macro. A name with
 * a backslash (an escape or a macro's parameter) is not read.
 */
export function assemblerNames(text: string, kind: 'strings' | 'source'): AssemblerNames {
  const names: ByteString[] = [];
  let opaque = false;
  const replaced = kind === 'source' ? /[\\\uffff]/ : /[\\\uffff%{|}]/;
  const takesWords = kind === 'source' || ALTERNATE_MACROS.test(text);
  for (const [, name, quote, other] of text.matchAll(DIRECTIVE)) {
    if (name !== undefined) {
      if (quote === '"' && !replaced.test(name)) names.push(name);
      else opaque = true;
    } else {
      opaque ||=
        other === undefined ||
        replaced.test(other) ||
        (takesWords && /[A-Za-z_$\x80-\xff]/.test(other));
    }
  }
  return { names, opaque };
}
