import type { ByteString } from '../core/byte-string.js';
import { INCLUDES } from '../core/include-limits.js';
import { resolve, type Sequence } from './deferred-choice.js';
import { MacroExpansion, type MacroTable } from './macro-expansion.js';
import { FILE_OF_COMPILER, reachableOperands } from './reachable-names.js';
import { isUncertain, OPAQUE, tokensOf, type Token } from './preprocessing-token.js';

export type { MacroTable } from './macro-expansion.js';

/** A header's name behind the character that opens it: `"name` or `<name`. */
export type HeaderName = ByteString;

/**
 * Every operand that `#include text` may have. An expansion that is no header name is an error in
 * GCC, if it gets there: it gives nothing. `unknown`: there are more than INCLUDES.macroValues, or
 * one depends on something that is not in the table (`__COUNTER__`) or takes too long.
 */
export function headerNames(
  text: ByteString,
  macros: MacroTable,
): ReadonlySet<HeaderName> | 'unknown' {
  const tokens = tokensOf(text);
  const expansion = new MacroExpansion(macros);
  const names = namesOf(expansion.expand(tokens));
  if (names !== 'unknown' || !expansion.exhausted) return names;
  const operands = reachableOperands(tokens, expansion.met, macros);
  if (operands === undefined) return 'unknown';
  return namesOf(operands.flatMap((operand) => new MacroExpansion(macros).expand(operand)));
}

function namesOf(values: readonly Sequence[]): ReadonlySet<HeaderName> | 'unknown' {
  const names = new Set<HeaderName>();
  for (const value of values) {
    for (const operand of operandsIn(value)) {
      const found = namesIn(operand);
      if (found === 'unknown') return 'unknown';
      for (const name of found) names.add(name);
    }
  }
  return names.size > INCLUDES.macroValues ? 'unknown' : names;
}

/** What the value may begin with, up to the end of a header name, with no choice left in it. */
function operandsIn(value: Sequence): readonly Sequence[] {
  const begun = resolve(value, 'first', INCLUDES.macroValues) ?? [[OPAQUE]];
  return begun.flatMap((tokens) =>
    tokens[0]?.text === '<'
      ? (resolve(tokens, 'all', INCLUDES.macroValues) ?? [[OPAQUE]])
      : [tokens],
  );
}

/** The header name that a sequence begins with; what follows is ignored, as compilers do. */
function namesIn(tokens: readonly Token[]): readonly HeaderName[] | 'unknown' {
  const [first] = tokens;
  if (first === undefined) return [];
  if (first.kind === 'opaque') {
    return first.text === '' || FILE_OF_COMPILER.test(first.text) ? 'unknown' : [];
  }
  if (first.kind === 'string') return first.doubtful ? 'unknown' : [first.text.slice(0, -1)];
  if (first.text !== '<') return [];
  const end = tokens.findIndex((token) => token.text === '>');
  if (end < 0) return [];
  const inside = tokens.slice(1, end);
  if (inside.some(isUncertain)) return 'unknown';
  // GCC joins the tokens with the white space where each was written, Clang where it came to be.
  return [joined(inside, 'ownBlank'), joined(inside, 'clangBlank')];
}

function joined(tokens: readonly Token[], blank: 'ownBlank' | 'clangBlank'): HeaderName {
  return tokens.reduce((name, token) => name + (token[blank] ? ' ' : '') + token.text, '<');
}
