/** Preprocessing directives of a text without comments: what they name, and the definitions. */
import type { ByteString } from '../core/byte-string.js';
import { definitionsIn } from './macro-definitions.js';
import type { FileRequest } from './scanned-file.js';
import { BLANKS } from './source-reading.js';

const BLANK = `[${BLANKS}]`;
const HASH = `(?:#|%:)${BLANK}*`;
/** Either a word or the probes that a wrapper of `__has_include` is given, as Qt's are. */
const CONDITION = `(?:el)?if(?![\\w$])(?=[^\\n]*(?:__has_|[(,]${BLANK}*[<"]))`;
const PRAGMA = `pragma${BLANK}+(?:GCC${BLANK}+dependency|include_alias)(?![\\w$])`;
const IMPORT = `(?:export${BLANK}+)?import${BLANK}*(?=[\\w$<"])`;

/** One definition or several that follow each other; or a directive: its words and the rest. */
const DIRECTIVE = new RegExp(
  `\\n${BLANK}*(?:${HASH}(?:` +
    `define${BLANK}[^\\n]*(?:\\n${BLANK}*${HASH}define${BLANK}[^\\n]*)*` +
    `|(include(?:_next)?(?![\\w$])|import(?![\\w$])|embed(?![\\w$])|${CONDITION}|${PRAGMA})([^\\n]*)` +
    `)|(${IMPORT})([^\\n]*))`,
  'g',
);

const HEADER_NAME = new RegExp(`^${BLANK}*(?:"([^"\\n]*)"|<([^>\\n]*)>)`);
const BUILT_IN_PROBE = new RegExp(
  `__has_(include_next|include|embed)(?:__)?(?![\\w$])${BLANK}*(\\(?)([^\\n]*)`,
);
const HEADER_ARGUMENT = new RegExp(`[(,]${BLANK}*(?:"([^"\\n]*)"|<([^>\\n]*)>)`, 'g');
const IDENTIFIER = /^[A-Za-z_$\x80-\xff][\w$\x80-\xff]*/;
const OUTER_BLANKS = new RegExp(`^[\\s${BLANKS}]+|[\\s${BLANKS}]+$`, 'g');

export interface Directives {
  readonly requests: readonly FileRequest[];
  /** The lines of all definitions, for `definitionsIn`. */
  readonly definitions: readonly ByteString[];
}

/** All directives that name files, and all definitions. `code` is without comments. */
export function readDirectives(code: ByteString): Directives {
  const requests: FileRequest[] = [];
  const definitions: ByteString[] = [];
  const probes = code.includes('__has_');
  DIRECTIVE.lastIndex = 0;
  for (let match = DIRECTIVE.exec(code); match !== null; match = DIRECTIVE.exec(code)) {
    const word = match[1] ?? match[3];
    if (word === undefined) {
      definitions.push(match[0]);
      if (probes && match[0].includes('__has_')) requests.push(...probesOfDefinitions(match[0]));
    } else {
      requests.push(...requestsOf(word, match[2] ?? match[4] ?? ''));
    }
  }
  return { requests, definitions };
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
    default:
      if (word.endsWith('dependency')) return [operand('probe', rest, false)];
      // `#pragma include_alias("asked", "read")` of Clang with -fms-extensions.
      if (word.endsWith('alias')) {
        return headerArguments(rest).map((header) => ({ kind: 'include', ...header, next: false }));
      }
      return [operand('include', rest.replace(/;[^;]*$/, ''), false)];
  }
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
  return [...definitionsIn(lines).values()].flat().flatMap(({ parameters, body }) =>
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
