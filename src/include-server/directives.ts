/** Preprocessing directives of a text without comments: what they name, and the definitions. */
import type { ByteString } from '../core/byte-string.js';
import { definitionsIn } from './macro-definitions.js';
import type { FileRequest } from './scanned-file.js';
import { BLANKS } from './source-reading.js';

const BLANK = `[${BLANKS}]`;
const HASH = `#${BLANK}*`;
/** Either a word or the probes that a wrapper of `__has_include` is given, as Qt's are. */
const CONDITION = `(?:el)?if(?![\\w$])(?=[^\\n]*(?:__has_|[(,]${BLANK}*[<"]))`;
const PRAGMA = `pragma${BLANK}+(?:GCC${BLANK}+dependency|include_alias)(?![\\w$])`;

/** One definition, or several that follow each other. */
const DEFINITIONS = new RegExp(
  `${HASH}define${BLANK}[^\\n]*(?:\\n${BLANK}*${HASH}define${BLANK}[^\\n]*)*`,
  'y',
);
/** A directive that names files: its words and the rest. */
const REQUEST = new RegExp(
  `${HASH}(include(?:_next)?(?![\\w$])|import(?![\\w$])|embed(?![\\w$])|line(?![\\w$])|\\d+(?=${BLANK}+")|${CONDITION}|${PRAGMA})([^\\n]*)`,
  'y',
);
/** C++20's import of a header unit or a module; `#import` says the same to us. */
const IMPORT = new RegExp(
  `\\n${BLANK}*(?:export${BLANK}+)?import${BLANK}*(?=[\\w$<"])([^\\n;]*)[^\\n]*`,
  'g',
);
/** The pragma as an operator: its operand is a string in a string. */
const PRAGMA_OPERATOR = new RegExp(
  `_Pragma[\\s\\0]*\\([\\s\\0]*L?"${BLANK}*(GCC${BLANK}+dependency${BLANK}*(?:[^"\\\\\\n]|\\\\["\\\\])*)"`,
  'g',
);
const PRAGMA_WORDS = new RegExp(`^GCC${BLANK}+dependency`);
const DIGRAPH = new RegExp(`\\n${BLANK}*%:`, 'g');

const HEADER_NAME = new RegExp(`^${BLANK}*(?:"([^"\\n]*)"|<([^>\\n]*)>)`);
const BUILT_IN_PROBE = new RegExp(
  `__has_(include_next|include|embed)(?:__)?(?![\\w$])${BLANK}*(\\(?)([^\\n]*)`,
);
const HEADER_ARGUMENT = new RegExp(`[(,]${BLANK}*(?:"([^"\\n]*)"|<([^>\\n]*)>)`, 'g');
/** As a string literal, with the escapes that preprocessors write. */
const LINE_NAME = /"((?:[^"\\\n]|\\[^\n])*)"/;
const ESCAPE = /\\([0-7]{1,3}|[^\n])/g;
const IDENTIFIER = /^[A-Za-z_$\x80-\xff][\w$\x80-\xff]*/;
const OUTER_BLANKS = new RegExp(`^[\\s${BLANKS}]+|[\\s${BLANKS}]+$`, 'g');

const NEWLINE = 10;
/** As in BLANKS. */
const BLANK_CODES = new Set([0, 9, 11, 12, 32]);

export interface Directives {
  readonly requests: readonly FileRequest[];
  /** The lines of all definitions, for `definitionsIn`. */
  readonly definitions: readonly ByteString[];
}

/** All directives that name files, and all definitions. `code` is without comments. */
export function readDirectives(code: ByteString): Directives {
  const requests: FileRequest[] = [];
  const definitions: ByteString[] = [];
  const lines = withUsualSpelling(code);
  const probes = lines.includes('__has_');
  let next = 0;
  for (let at = lines.indexOf('#'); at >= 0; at = lines.indexOf('#', next)) {
    next = at + 1;
    if (!beginsLine(lines, at)) continue;
    DEFINITIONS.lastIndex = REQUEST.lastIndex = at;
    if (DEFINITIONS.test(lines)) {
      next = DEFINITIONS.lastIndex;
      const found = lines.slice(at, next);
      definitions.push('\n', found);
      if (probes && found.includes('__has_')) requests.push(...probesOfDefinitions(found));
    } else {
      const match = REQUEST.exec(lines);
      if (match !== null) requests.push(...requestsOf(match[1] ?? '', match[2] ?? ''));
    }
  }
  if (lines.includes('_Pragma')) requests.push(...pragmaOperators(lines));
  return { requests, definitions };
}

/** `_Pragma("GCC dependency \\"x\\"")`. */
function pragmaOperators(code: ByteString): readonly FileRequest[] {
  return [...code.matchAll(PRAGMA_OPERATOR)].map(([, text = '']) =>
    operand('probe', text.replace(PRAGMA_WORDS, '').replace(/\\(["\\])/g, '$1'), false),
  );
}

/** `%:` and C++20's `import` in the words of all other directives. */
function withUsualSpelling(code: ByteString): ByteString {
  const hashed = code.includes('%:') ? code.replace(DIGRAPH, '\n#') : code;
  return hashed.includes('import') ? hashed.replace(IMPORT, '\n#import $1') : hashed;
}

function beginsLine(code: ByteString, at: number): boolean {
  for (let i = at - 1; i >= 0; i--) {
    const char = code.charCodeAt(i);
    if (char === NEWLINE) return true;
    if (!BLANK_CODES.has(char)) return false;
  }
  return true;
}

function requestsOf(word: ByteString, rest: ByteString): readonly FileRequest[] {
  switch (word) {
    case 'include':
    case 'import':
      return [operand('include', rest, false)];
    case 'include_next':
      return [operand('include', rest, true)];
    case 'embed':
      return [operand('embed', rest, false)];
    case 'if':
    case 'elif':
      return probesOfCondition(rest);
    case 'line':
      return lineName(rest);
    default:
      if (/^\d/.test(word)) return lineName(rest);
      if (word.endsWith('dependency')) return [operand('probe', rest, false)];
      // `#pragma include_alias("asked", "read")` of Clang with -fms-extensions.
      if (word.endsWith('alias')) {
        return headerArguments(rest).map((header) => ({ kind: 'include', ...header, next: false }));
      }
      return [];
  }
}

function lineName(text: ByteString): readonly FileRequest[] {
  const literal = LINE_NAME.exec(text)?.[1];
  if (literal === undefined) return [];
  const name = literal.replace(ESCAPE, (_, escaped: string) =>
    /^[0-7]/.test(escaped) ? String.fromCharCode(Number.parseInt(escaped, 8) & 0xff) : escaped,
  );
  return [{ kind: 'line', name }];
}

function operand(
  what: 'include' | 'probe' | 'embed',
  text: ByteString,
  next: boolean,
): FileRequest {
  const header = headerName(HEADER_NAME.exec(text));
  if (header === undefined) {
    return { kind: 'computed', what, next, text: text.replace(OUTER_BLANKS, '') };
  }
  return what === 'embed' ? { kind: what, ...header } : { kind: what, ...header, next };
}

interface Header {
  readonly form: 'quote' | 'angle';
  readonly name: ByteString;
}

function headerName(match: RegExpExecArray | null): Header | undefined {
  if (match === null) return undefined;
  return match[1] === undefined
    ? { form: 'angle', name: match[2] ?? '' }
    : { form: 'quote', name: match[1] };
}

function headerArguments(text: ByteString): readonly Header[] {
  return [...text.matchAll(HEADER_ARGUMENT)].flatMap((match) => headerName(match) ?? []);
}

/**
 * `#if __has_include(<x>)`, and `#if HAS_INCLUDE(<x>)`: neither `(<` nor a string makes sense in
 * a condition unless a macro hands it on to `__has_include` or its like.
 */
function probesOfCondition(condition: ByteString): readonly FileRequest[] {
  const { requests, others } = builtInProbes(condition);
  const wrapped = headerArguments(others).flatMap((header): FileRequest[] =>
    [false, true].map((next) => ({ kind: 'probe', ...header, next })),
  );
  return [...requests, ...wrapped];
}

/** A parameter as operand is left to the calls: see `probesOfCondition`. */
function probesOfDefinitions(lines: ByteString): readonly FileRequest[] {
  return [...definitionsIn(lines).values()]
    .flat()
    .flatMap(({ parameters, body }) =>
      builtInProbes(body).requests.filter(
        (request) => request.kind !== 'computed' || parameters?.includes(request.text) !== true,
      ),
    );
}

/** What `__has_include` and its like ask for, and the text without these. */
function builtInProbes(text: ByteString): {
  readonly requests: readonly FileRequest[];
  readonly others: ByteString;
} {
  const requests: FileRequest[] = [];
  let others = '';
  let rest = text;
  for (;;) {
    const match = BUILT_IN_PROBE.exec(rest);
    if (match === null) return { requests, others: others + rest };
    const [, word, parenthesis, following = ''] = match;
    const asked =
      HEADER_NAME.exec(following)?.[0] ??
      (parenthesis === '(' ? beforeClosing(following) : IDENTIFIER.exec(following)?.[0]);
    if (asked !== undefined && asked.replace(OUTER_BLANKS, '') !== '') {
      requests.push(operand(word === 'embed' ? word : 'probe', asked, word === 'include_next'));
    }
    others += `${rest.slice(0, match.index)} `;
    rest = following.slice(asked?.length ?? 0);
  }
}

/** Up to the parenthesis that closes the one before the text. */
function beforeClosing(text: ByteString): ByteString {
  let depth = 1;
  for (const { index, 0: char } of text.matchAll(/[()]/g)) {
    depth += char === '(' ? 1 : -1;
    if (depth === 0) return text.slice(0, index);
  }
  return text;
}
