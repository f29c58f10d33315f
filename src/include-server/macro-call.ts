import type { Sequence } from './deferred-choice.js';
import type { Token } from './preprocessing-token.js';

/** Index of the parenthesis that closes the one at `open`; the length if there is none. */
export function closingParenthesis(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let at = open; at < tokens.length; at++) {
    const { text, kind } = tokens[at] as Token;
    if (kind !== 'punctuator') continue;
    if (text === '(') depth++;
    else if (text === ')' && --depth === 0) return at;
  }
  return tokens.length;
}

/** The end of `(…)(…)` at `start`; `start` if there is none. */
export function endOfGroups(tokens: Sequence, start: number): number {
  let end = start;
  while (tokens[end]?.text === '(') {
    const close = closingParenthesis(tokens, end);
    if (close === tokens.length) break;
    end = close + 1;
  }
  return end;
}

/** The end of the call or name at `start`, if it is an element of a tuple; else `start`. */
export function endOfElement(tokens: Sequence, start: number): number {
  const before = tokens[start - 1]?.text;
  if (before !== '(' && before !== ',') return start;
  const called = tokens[start + 1]?.text === '(';
  const end = called ? closingParenthesis(tokens, start + 1) + 1 : start + 1;
  const after = tokens[end]?.text;
  return after === ',' || after === ')' ? end : start;
}

/** The arguments between the parentheses at `open` and `end`, split at the commas in between. */
export function argumentsIn(
  tokens: Sequence,
  open: number,
  end: number,
): { readonly args: readonly Sequence[]; readonly commas: Sequence } {
  const args: Token[][] = [[]];
  const commas: Token[] = [];
  let depth = 0;
  for (let at = open + 1; at < end; at++) {
    const token = tokens[at] as Token;
    if (token.text === ',' && depth === 0) {
      commas.push(token);
      args.push([]);
      continue;
    }
    if (token.text === '(') depth++;
    else if (token.text === ')') depth--;
    args.at(-1)?.push(token);
  }
  return { args, commas };
}
