import type { ByteString } from '../core/byte-string.js';
import { closingParenthesis } from './macro-call.js';
import {
  behind,
  paste,
  PLACEMARKER,
  stringify,
  tokensOf,
  withBlank,
  type Token,
} from './preprocessing-token.js';
import type { MacroDefinition } from './scanned-file.js';

/** A token of a replacement list, with what its place asks for. */
type Element =
  | { readonly kind: 'token'; readonly token: Token; readonly pasted: boolean }
  | {
      readonly kind: 'parameter' | 'raw-parameter' | 'stringified';
      readonly index: number;
      readonly token: Token;
      /** ## stands before it. */
      readonly pasted: boolean;
    }
  | {
      readonly kind: 'if-rest';
      readonly elements: readonly Element[];
      readonly token: Token;
      readonly pasted: boolean;
    };

/** A definition, read once. */
export interface ReplacementList {
  readonly isFunction: boolean;
  readonly parameters: readonly ByteString[];
  readonly parameterCount: number;
  readonly variadic: boolean;
  /** Parameters whose expansion matters: beside neither # nor ##, or asked by __VA_OPT__. */
  readonly expanded: readonly number[];
  /** Parameters that stand behind #. */
  readonly stringified: readonly number[];
  /** Parameters that stand beside ##. */
  readonly pasted: readonly number[];
  readonly elements: readonly Element[];
  /** As written. */
  readonly tokens: readonly Token[];
}

const lists = new WeakMap<MacroDefinition, ReplacementList>();

export function replacementListOf(definition: MacroDefinition): ReplacementList {
  let list = lists.get(definition);
  if (list === undefined) lists.set(definition, (list = read(definition)));
  return list;
}

function read(definition: MacroDefinition): ReplacementList {
  const parameters = definition.parameters ?? [];
  const uses: Uses = { expanded: new Set(), stringified: new Set(), pasted: new Set() };
  const tokens = tokensOf(definition.body);
  const elements = readElements(tokens, definition, uses);
  return {
    isFunction: definition.parameters !== undefined,
    parameters,
    parameterCount: parameters.length,
    variadic: definition.variadic,
    expanded: [...uses.expanded],
    stringified: [...uses.stringified],
    pasted: [...uses.pasted],
    elements,
    tokens,
  };
}

interface Uses {
  readonly expanded: Set<number>;
  readonly stringified: Set<number>;
  readonly pasted: Set<number>;
}

function readElements(
  tokens: readonly Token[],
  definition: MacroDefinition,
  uses: Uses,
): Element[] {
  const elements: Element[] = [];
  const parameters = definition.parameters ?? [];
  let pasted = false;
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as Token;
    const next = tokens[at + 1];
    if (isPaste(token) && elements.length > 0 && next !== undefined) {
      pasted = true;
      continue;
    }
    const index = parameters.indexOf(token.text);
    const operand = next === undefined ? -1 : parameters.indexOf(next.text);
    if (definition.parameters !== undefined && isHash(token) && operand >= 0) {
      elements.push({ kind: 'stringified', index: operand, token, pasted });
      uses.stringified.add(operand);
      at++;
    } else if (definition.variadic && token.text === '__VA_OPT__' && next?.text === '(') {
      const end = closingParenthesis(tokens, at + 1);
      const inner = readElements(tokens.slice(at + 2, end), definition, uses);
      elements.push({ kind: 'if-rest', elements: inner, token, pasted });
      uses.expanded.add(parameters.length - 1);
      at = end;
    } else if (index >= 0) {
      const raw = pasted || (next !== undefined && isPaste(next) && at + 2 < tokens.length);
      elements.push({ kind: raw ? 'raw-parameter' : 'parameter', index, token, pasted });
      (raw ? uses.pasted : uses.expanded).add(index);
    } else {
      elements.push({ kind: 'token', token, pasted });
    }
    pasted = false;
  }
  return elements;
}

function isHash(token: Token): boolean {
  return token.kind === 'punctuator' && (token.text === '#' || token.text === '%:');
}

function isPaste(token: Token): boolean {
  return token.kind === 'punctuator' && (token.text === '##' || token.text === '%:%:');
}

/** The arguments of a call by parameter: as written, and one choice of what they expand to. */
export interface Arguments {
  readonly raw: readonly (readonly Token[])[];
  readonly expanded: readonly (readonly Token[])[];
  /** `, ## rest` loses its comma if the rest is empty. */
  readonly dropsComma: boolean;
}

/**
 * The replacement list with the arguments in place, not scanned again yet. Undefined if a ## in it
 * makes no token: compilers stop there, so nothing comes of this definition. (In an assembler
 * source GCC goes on, with both tokens; no header's name was ever seen to be made in that way.)
 */
export function substitute(list: ReplacementList, args: Arguments): readonly Token[] | undefined {
  const tokens = place(list, list.elements, args);
  return tokens === undefined ? undefined : withoutPlacemarkers(tokens);
}

function place(
  list: ReplacementList,
  elements: readonly Element[],
  args: Arguments,
): Token[] | undefined {
  const out: Token[] = [];
  for (const element of elements) {
    const piece = pieceOf(list, element, args);
    if (piece === undefined) return undefined;
    if (element === list.elements[0] && element.kind !== 'stringified') {
      out.push(...asWritten(piece));
    } else if (!element.pasted) {
      out.push(...piece);
    } else if (!joinsRest(list, element, out)) {
      const pasted = paste(out.pop() ?? PLACEMARKER, piece[0] ?? PLACEMARKER);
      if (pasted === undefined) return undefined;
      out.push(pasted, ...piece.slice(1));
    } else if (piece[0]?.kind !== 'placemarker') {
      out.push(...piece);
    } else if (args.dropsComma) {
      out.pop();
    }
  }
  return out;
}

/** At the very beginning, GCC lets an argument show what was written before it. */
function asWritten(piece: readonly Token[]): readonly Token[] {
  const [first] = piece;
  if (first === undefined) return piece;
  const { alternatives, text } = first;
  if (alternatives !== undefined) {
    const choice = {
      ...first,
      text: `${text}\u0207`,
      alternatives: () => alternatives().map(asWritten),
    };
    return [choice, ...piece.slice(1)];
  }
  if (first.blank === first.ownBlank) return piece;
  return [{ ...first, blank: first.ownBlank }, ...piece.slice(1)];
}

/** `, ## rest` pastes nothing. */
function joinsRest(list: ReplacementList, element: Element, out: readonly Token[]): boolean {
  return (
    element.kind === 'raw-parameter' &&
    list.variadic &&
    element.index === list.parameterCount - 1 &&
    out.at(-1)?.text === ','
  );
}

/** Never empty: a placemarker stands for nothing and remembers the white space before it. */
function pieceOf(
  list: ReplacementList,
  element: Element,
  args: Arguments,
): readonly Token[] | undefined {
  const { token } = element;
  switch (element.kind) {
    case 'token':
      return [token];
    case 'stringified':
      return [withBlank(stringify(args.raw[element.index] ?? []), token.blank)];
    case 'parameter':
      return orPlacemarker(args.expanded[element.index] ?? [], token);
    case 'raw-parameter':
      // Behind ## the white space before the parameter does not count.
      return orPlacemarker(
        args.raw[element.index] ?? [],
        element.pasted ? withBlank(token, false) : token,
      );
    case 'if-rest': {
      const hasRest = (args.expanded[list.parameterCount - 1] ?? []).length > 0;
      const tokens = hasRest ? place(list, element.elements, args) : [];
      return tokens === undefined ? undefined : orPlacemarker(tokens, token);
    }
  }
}

function orPlacemarker(tokens: readonly Token[], parameter: Token): readonly Token[] {
  if (tokens.length === 0) return [withBlank(PLACEMARKER, parameter.blank)];
  return behind(parameter.blank, tokens);
}

/** The white space before a placemarker shows before the token behind it. */
function withoutPlacemarkers(tokens: readonly Token[]): readonly Token[] {
  if (!tokens.some((token) => token.kind === 'placemarker')) return tokens;
  const kept: Token[] = [];
  let blank = false;
  for (const token of tokens) {
    if (token.kind === 'placemarker') {
      blank ||= token.blank;
    } else {
      kept.push(blank ? withBlank(token, true) : token);
      blank = false;
    }
  }
  return kept;
}

/** Whether a call with these arguments is one of this definition; else GCC stops with an error. */
export function accepts(list: ReplacementList, args: readonly (readonly Token[])[]): boolean {
  const wanted = list.parameterCount;
  if (args.length === wanted) return true;
  if (wanted === 0) return args.length === 1 && args[0]?.length === 0;
  return list.variadic && (args.length > wanted || args.length === wanted - 1);
}

/** Arguments as parameters take them: the rest as one, with its commas; no white space in front. */
export function gather(
  list: ReplacementList,
  args: readonly (readonly Token[])[],
  commas: readonly Token[],
): readonly (readonly Token[])[] {
  const last = list.parameterCount - 1;
  if (!list.variadic || args.length <= list.parameterCount) return args.map(withoutLeadingBlank);
  const rest = [...(args[last] ?? [])];
  for (let at = last + 1; at < args.length; at++) {
    const comma = commas[at - 1];
    if (comma !== undefined) rest.push(comma);
    rest.push(...(args[at] ?? []));
  }
  return [...args.slice(0, last), rest].map(withoutLeadingBlank);
}

function withoutLeadingBlank(tokens: readonly Token[]): readonly Token[] {
  const [first] = tokens;
  return first === undefined ? tokens : [withBlank(first, false), ...tokens.slice(1)];
}

/**
 * Ways in which GCC may treat the comma of `, ## rest`: dropped if the call has no such argument,
 * kept if it has an empty one; where the rest is the only parameter, as -std= says.
 */
export function commaRules(
  list: ReplacementList,
  args: readonly (readonly Token[])[],
): readonly boolean[] {
  if (!list.variadic) return [false];
  if (list.parameterCount === 1) return args[0]?.length === 0 ? [true, false] : [false];
  return [args.length < list.parameterCount];
}
