import type { ByteString } from '../core/byte-string.js';
import type { MacroTable } from './macro-expansion.js';
import type { Token } from './preprocessing-token.js';
import { replacementListOf, type ReplacementList } from './replacement-list.js';

/** The compiler's own macros that expand to the name of a file. */
export const FILE_OF_COMPILER = /^__(?:FILE|FILE_NAME|BASE_FILE)__$/;

/**
 * The coarse answer, for an operand that takes too long to expand, as file names that Boost's
 * arithmetic picks from tuples do where the definitions for all compilers are mixed: every string
 * and every `<…>` that is written in a macro that may take part. Unless one is made by #, is cut
 * in pieces or has a parameter in it, the header's name is among them, whatever the expansion is.
 *
 * `met` are the macros that the expansion has come across, so that names made by ## count as well.
 * Answers operands, to be read on; undefined if there may be others.
 */
export function reachableOperands(
  text: readonly Token[],
  met: Iterable<ByteString>,
  macros: MacroTable,
): readonly (readonly Token[])[] | undefined {
  const operands: (readonly Token[])[] = [];
  const names = new Set(met);
  const look = (tokens: readonly Token[], list: ReplacementList | undefined): boolean => {
    for (const [at, token] of tokens.entries()) {
      if (token.kind === 'identifier') names.add(token.text);
      else if (token.kind === 'string') operands.push([token]);
      else if (token.text === '<') {
        const end = tokens.findIndex((other, index) => index > at && other.text === '>');
        const operand = tokens.slice(at, end + 1);
        const isCut = operand.some(({ text }) => list?.parameters.includes(text) === true);
        if (end < 0 || isCut) return false;
        operands.push(operand);
      }
    }
    return true;
  };
  if (!look(text, undefined)) return undefined;
  // The set grows while it is gone through.
  for (const name of names) {
    if (FILE_OF_COMPILER.test(name) && macros.definitionsOf(name).length === 0) return undefined;
    for (const definition of macros.definitionsOf(name)) {
      const list = replacementListOf(definition);
      if (list.stringified.length > 0 || !look(list.tokens, list)) return undefined;
    }
  }
  return operands;
}
