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
  /** White space stood before it where it was written: GCC joins the tokens of <…> by this. */
  readonly ownBlank: boolean;
  /** For # in GCC: what was written, but the first token of an argument shows its parameter's. */
  readonly blank: boolean;
  /** For # and <…> in Clang: the first token of an expansion shows what is before the call, too. */
  readonly clangBlank: boolean;
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
  return { kind, text, ownBlank: blank, blank, clangBlank: blank, painted: false, doubtful: false };
}

/** The same token with white space before it or not, wherever it was written. */
export function withBlank(token: Token, blank: boolean): Token {
  if (token.blank === blank && token.clangBlank === blank) return token;
  return { ...token, blank, clangBlank: blank };
}

/** The sequence as it shows where a parameter stood. */
export function behind(blank: boolean, tokens: readonly Token[]): readonly Token[] {
  const [first] = tokens;
  if (!blank || first === undefined) return tokens;
  return [withBlank(first, true), ...tokens.slice(1)];
}

/** The sequence as it shows where a macro was called: to GCC, in a directive, as it is. */
export function behindName(clangBlank: boolean, tokens: readonly Token[]): readonly Token[] {
  const [first] = tokens;
  if (!clangBlank || first === undefined || first.clangBlank) return tokens;
  return [{ ...first, clangBlank: true }, ...tokens.slice(1)];
}

/** As GCC and as Clang would make a string of it. */
export function withEitherBlanks(argument: readonly Token[]): readonly (readonly Token[])[] {
  if (argument.every(({ blank, clangBlank }) => blank === clangBlank)) return [argument];
  return [argument, argument.map((token) => ({ ...token, blank: token.clangBlank }))];
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
  if (left.kind === 'placemarker') {
    return { ...right, blank: left.blank || right.ownBlank, clangBlank: left.clangBlank };
  }
  if (isUncertain(left) || isUncertain(right)) return withBlank(OPAQUE, left.blank);
  const [only, more] = tokensOf(left.text + right.text);
  if (only === undefined || more !== undefined) return undefined;
  const { ownBlank, blank, clangBlank } = left;
  return { ...only, ownBlank, blank, clangBlank };
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
      (token.clangBlank ? 4 : 0) |
      (token.painted ? 8 : 0) |
      (isUncertain(token) ? 16 : 0);
    key += String.fromCharCode(0x100 + marks) + token.text;
  }
  return key;
}
