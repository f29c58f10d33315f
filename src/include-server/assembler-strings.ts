/** Inline assembler: the directives in a C file's strings, joined as the compiler joins them. */
import type { ByteString } from '../core/byte-string.js';
import { assemblerNames, UNKNOWN_TEXT, type AssemblerNames } from './assembler-directives.js';
import { BLANKS } from './source-reading.js';

/** A directive: whole, cut off by the end of a literal, or with one of its letters escaped. */
const SUSPECT = /\.(?:inc|(?:in?)?(?:"[\s\0]*\w*"|\\[0-7x]))|\\(?:0?56|x0*2e)/i;

const DIRECTIVE_LINE = new RegExp(`\\n[${BLANKS}]*(?:#|%:)[^\\n]*`, 'g');
const TOKEN = new RegExp(
  [
    '(?:u8|[uUL])?"([^"\\\\\\n]*(?:\\\\[^\\n][^"\\\\\\n]*)*)(?:"|\\\\?)',
    "'[^'\\\\\\n]*(?:\\\\[^\\n][^'\\\\\\n]*)*(?:'|\\\\?)",
    "\\.?\\d[\\w.]*(?:'[\\w.]+)*",
    '([A-Za-z_$\\x80-\\xff][\\w$\\x80-\\xff]*|#)',
    '(\\.inc(?:bin|lude)(?![\\w$]))',
    '([^\\s\\0])',
  ].join('|'),
  'gi',
);

/**
 * What the strings of `code` (without comments) may make the assembler read, and what becomes a
 * string by a macro, as in `STRING(.incbin "x")`.
 */
export function inlineAssemblerNames(code: ByteString): AssemblerNames {
  if (!SUSPECT.test(code)) return { names: [], opaque: false };
  // A conditional may take away what stands before or after it; what follows a macro's last
  // string is up to those who use the macro.
  const texts = [code.replace(DIRECTIVE_LINE, '\n_')];
  for (const [line] of code.matchAll(DIRECTIVE_LINE)) texts.push(`${line} _`);
  const found = texts.flatMap(readText);
  return {
    names: found.flatMap(({ names }) => names),
    opaque: found.some(({ opaque }) => opaque),
  };
}

function readText(text: ByteString): readonly AssemblerNames[] {
  const found: AssemblerNames[] = [];
  let sequence = '';
  let before = '';
  let stringised = false;
  const endSequence = (): void => {
    if (sequence !== '') found.push(assemblerNames(sequence, 'strings'));
    sequence = '';
  };
  for (const [token, string, word, directive, mark] of text.matchAll(TOKEN)) {
    if (stringised && (string !== undefined || word !== undefined)) {
      found.push(assemblerNames(`.incbin ${string === undefined ? UNKNOWN_TEXT : token}`, 'strings'));
    } else if (string !== undefined) sequence += unescaped(string);
    else if (word !== undefined) sequence += UNKNOWN_TEXT;
    else if (directive !== undefined || mark !== undefined) endSequence();
    // After a word it is a member.
    stringised = directive !== undefined && !/[\w$)\]\x80-\xff]$/.test(before);
    before = token;
  }
  endSequence();
  return found;
}

const ESCAPE = /\\(?:([0-7]{1,3})|x([0-9a-fA-F]+)|([^]))/g;
const CONTROLS: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['t', '\t'],
  ['v', '\v'],
  ['f', '\f'],
  ['r', '\r'],
]);

function unescaped(literal: ByteString): string {
  return literal.replace(ESCAPE, (_, octal?: string, hex?: string, char?: string) => {
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex.slice(-2), 16));
    return CONTROLS.get(char ?? '') ?? char ?? '';
  });
}
