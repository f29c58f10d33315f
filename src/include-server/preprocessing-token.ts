import type { ByteString } from '../core/byte-string.js';

/**
 * - `literal`: character constants and strings with a prefix, which no #include takes.
 * - `placemarker`: the empty operand of ##.
 * - `opaque`: some tokens that are not known: what only the compiler can tell (`__GNUC__`, whose
 *   text is kept) or what took too long to find out (text empty). A header name that contains one
 *   is unknown.
 * - `deferred`: any of several sequences, see deferred-choice.ts.
 */
export type TokenKind =
  | 'identifier'
  | 'number'
  | 'string'
  | 'literal'
  | 'punctuator'
  | 'placemarker'
  | 'opaque'
  | 'deferred';

export interface Token {
  readonly kind: TokenKind;
  /** As spelled, quotes included. */
  readonly text: ByteString;
  /** White space stood before it where it was written. */
  readonly ownBlank: boolean;
  /**
   * White space stands before it where it was put by expansion: the first token of an expansion
   * shows what stood before the macro's name. # looks at this one, the <…> made of tokens at
   * the other in GCC, at this one in Clang.
   */
  readonly blank: boolean;
  /** Met while its macro was being expanded: never expanded again ("painted blue"). */
  readonly painted: boolean;
  /** A string made by # from something opaque. */
  readonly doubtful: boolean;
  /** What a deferred token stands for. */
  readonly alternatives?: () => readonly (readonly Token[])[];
}

export const PLACEMARKER: Token = plain('placemarker', '', false);
export const OPAQUE: Token = plain('opaque', '', false);

// In this order: literals before identifiers, for the prefix; a lone quote is a token by itself.
const TOKEN =
  /([ \t\v\f\r\n]+)|((?:u8|[uUL])?R"([^()\\\s]{0,16})\([^]*?\)\3"|(?:(?:u8|[uUL])"(?:[^"\\\n]|\\.)*"|(?:u8|[uUL])?'(?:[^'\\\n]|\\.)*'))|("(?:[^"\\\n]|\\.)*")|((?:[A-Za-z_$\x80-\xff]|\\u[\dA-Fa-f]{4}|\\U[\dA-Fa-f]{8})(?:[\w$\x80-\xff]|\\u[\dA-Fa-f]{4}|\\U[\dA-Fa-f]{8})*)|(\.?\d(?:[eEpP][+-]|'[\dA-Za-z_]|[\w.$\x80-\xff])*)|(%:%:|<<=|>>=|<=>|\.\.\.|->\*|##|<<|>>|<=|>=|==|!=|&&|\|\||\+\+|--|->|\+=|-=|\*=|\/=|%=|&=|\|=|\^=|::|\.\*|<:|:>|<%|%>|%:|[^])/gy;

/** The preprocessing tokens of a replacement list or an operand, which holds no comments. */
export function tokensOf(text: ByteString): Token[] {
  const tokens: Token[] = [];
  let blank = false;
  for (const [whole, space, literal, , string, identifier, number] of text.matchAll(TOKEN)) {
    if (space !== undefined) {
      blank = tokens.length > 0;
      continue;
    }
    const kind =
      literal !== undefined
        ? 'literal'
        : string !== undefined
          ? 'string'
          : identifier !== undefined
            ? 'identifier'
            : number !== undefined
              ? 'number'
              : 'punctuator';
    tokens.push(plain(kind, whole, blank));
    blank = false;
  }
  return tokens;
}

function plain(kind: TokenKind, text: ByteString, blank: boolean): Token {
  return { kind, text, ownBlank: blank, blank, painted: false, doubtful: false };
}

/** The same token with white space before it or not. */
export function withBlank(token: Token, blank: boolean): Token {
  return token.blank === blank ? token : { ...token, blank };
}

/** The sequence with its first token moved behind white space; as it is if there is none. */
export function behind(blank: boolean, tokens: readonly Token[]): readonly Token[] {
  const [first] = tokens;
  if (!blank || first === undefined || first.blank) return tokens;
  return [withBlank(first, true), ...tokens.slice(1)];
}

/** What # makes of an argument, in GCC's way: blanks become one, quotes are kept from ending it. */
export function stringify(argument: readonly Token[]): Token {
  let text = '';
  for (const token of argument) {
    if (token.blank && text !== '') text += ' ';
    text +=
      token.kind === 'string' || token.kind === 'literal'
        ? token.text.replace(/[\\"]/g, '\\$&')
        : token.text;
  }
  // A backslash that would take the closing quote with it is left out.
  const trailing = /\\*$/.exec(text)?.[0].length ?? 0;
  if (trailing % 2 === 1) text = text.slice(0, -1);
  return { ...plain('string', `"${text}"`, false), doubtful: argument.some(isUncertain) };
}

/** What ## makes of two tokens; undefined if that is not one token, where compilers stop. */
export function paste(left: Token, right: Token): Token | undefined {
  if (right.kind === 'placemarker') return left;
  if (left.kind === 'placemarker') return { ...right, blank: left.blank };
  if (isUncertain(left) || isUncertain(right)) return withBlank(OPAQUE, left.blank);
  const [only, more] = tokensOf(left.text + right.text);
  if (only === undefined || more !== undefined) return undefined;
  return { ...only, ownBlank: left.ownBlank, blank: left.blank };
}

/** The token is not known, or made from one that is not. */
export function isUncertain(token: Token): boolean {
  return token.kind === 'opaque' || token.doubtful;
}

/** Equal for sequences that no further expansion can tell apart. */
export function keyOf(tokens: readonly Token[]): string {
  let key = '';
  for (const token of tokens) {
    // Above U+00FF: no byte of a token can be taken for one of these.
    const marks =
      (token.ownBlank ? 1 : 0) |
      (token.blank ? 2 : 0) |
      (token.painted ? 4 : 0) |
      (isUncertain(token) ? 8 : 0);
    key += String.fromCharCode(0x100 + marks) + token.text;
  }
  return key;
}
