/**
 * Host lists, in distcc's grammar. Pure: text in, hosts or one error with its column out.
 *
 *   list   := (host | flag | '#' comment to the end of the line)*      separated by white space
 *   host   := 'localhost' ['/' slots] | name [':' port] ['/' slots] (',' option)*
 *   name   := a host name, an IPv4 address, or an IPv6 address in brackets
 *   option := 'pump' | 'plain' | 'weight=' number | 'min-tier=' 0…3 | 'lzo' | 'cpp'
 *   flag   := '--localslots=' n | '--localslots_cpp=' n | '--randomize'
 */
import { toText, type ByteString } from '../core/byte-string.js';
import { failure, success, type Result } from '../core/errors.js';

export const DEFAULT_PORT = 3634;

/** One compile server as the user names it. */
export interface RemoteHost {
  /** How reports name it: `HOST` or `HOST:PORT` where the port is not the default. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Most jobs at once; undefined: as many as the server says. */
  readonly slots: number | undefined;
  /** `plain`: never pump mode on this host. */
  readonly mode: 'pump' | 'plain';
  /** Relative preference, 1 by default. */
  readonly weight: number;
  /** `lzo`: the wire to it is slow, so what travels is compressed. */
  readonly compress: boolean;
  /** How well it must seal a job off, 0 to 3; undefined: as the settings say. */
  readonly minTier?: number;
}

export interface HostList {
  readonly remote: readonly RemoteHost[];
  /** Compiles that localhost takes as one more host; 0 when the list does not name it. */
  readonly localhost: number;
  /** Most local compiles at once; undefined: one per core. */
  readonly localSlots: number | undefined;
  /** Most local preprocessors at once; undefined: the default. */
  readonly preprocessSlots: number | undefined;
  /** The order of the hosts shall mean nothing. */
  readonly randomize: boolean;
}

export interface HostListError {
  readonly message: string;
  /** Line and column of the word at fault, from 1. */
  readonly line: number;
  readonly column: number;
}

/** What distcc has and tscc has not. */
const NOT_SUPPORTED: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  { pattern: /^\+zeroconf$/, what: '+zeroconf' },
  { pattern: /^.*@/, what: 'ssh (@host)' },
  { pattern: /(?<=,)auth(=|,|$)/, what: "option 'auth'" },
  { pattern: /(?<=,)down(,|$)/, what: "option 'down'" },
];

/** distcc's default for a localhost without a number. */
const LOCALHOST_SLOTS = 2;

export function parseHostList(text: ByteString): Result<HostList, HostListError> {
  const remote: RemoteHost[] = [];
  let localhost = 0;
  let localSlots: number | undefined;
  let preprocessSlots: number | undefined;
  let randomize = false;
  for (const word of words(text)) {
    const wrong = (offset: number, message: string) =>
      failure({ message, line: word.line, column: word.column + offset });
    for (const { pattern, what } of NOT_SUPPORTED) {
      const at = word.text.search(pattern);
      if (at >= 0) return wrong(at, `${what} is not supported yet`);
    }
    if (word.text.startsWith('--')) {
      const [, name, value] = /^--([a-z_]+)(?:=(.*))?$/s.exec(word.text) ?? [];
      const number = slotCount(value);
      if (name === 'randomize' && value === undefined) randomize = true;
      else if (name === 'localslots' && number !== undefined) localSlots = number;
      else if (name === 'localslots_cpp' && number !== undefined) preprocessSlots = number;
      else return wrong(0, `'${toText(word.text)}' is no option of a host list`);
      continue;
    }
    const parsed = parseHost(word.text);
    if (!parsed.ok) return wrong(parsed.error.offset, parsed.error.message);
    if (parsed.value === undefined) continue;
    if (parsed.value.kind === 'localhost') localhost = parsed.value.slots;
    else remote.push(parsed.value.host);
  }
  return success({ remote, localhost, localSlots, preprocessSlots, randomize });
}

/** One line for people. */
export function describeHostListError(error: HostListError, origin: string): string {
  return `${origin}: line ${error.line}, column ${error.column}: ${error.message}`;
}

type ParsedHost =
  | { readonly kind: 'localhost'; readonly slots: number }
  | { readonly kind: 'remote'; readonly host: RemoteHost };

interface HostError {
  readonly offset: number;
  readonly message: string;
}

function parseHost(word: ByteString): Result<ParsedHost | undefined, HostError> {
  const name = /^(?:\[([0-9A-Fa-f:.]+(?:%[A-Za-z0-9._-]+)?)\]|[A-Za-z0-9._-]+)/.exec(word);
  if (name === null) {
    return failure({ offset: 0, message: `'${toText(word)}' does not begin with a host name` });
  }
  const host = name[1] ?? name[0];
  let at = name[0].length;
  let port: number | undefined;
  let slots: number | undefined;
  let mode: RemoteHost['mode'] = 'pump';
  let weight = 1;
  let compress = false;
  let minTier: number | undefined;
  while (at < word.length) {
    const part = /^([:/=,])([^:/,]*)/.exec(word.slice(at));
    const kind = part?.[1];
    const value = part?.[2] ?? '';
    const fail = (message: string) => failure({ offset: at, message });
    if (kind === ':') {
      port = /^[0-9]{1,5}$/.test(value) ? Number(value) : 0;
      if (port < 1 || port > 65_535) return fail(`port '${toText(value)}' is not 1 to 65535`);
    } else if (kind === '/' || kind === '=') {
      slots = slotCount(value);
      if (slots === undefined) return fail(`'${toText(value)}' is not a number of slots`);
    } else if (kind === ',') {
      const weighed = /^weight=([0-9]+(?:\.[0-9]+)?)$/.exec(value)?.[1];
      const tier = /^min-tier=([0-3])$/.exec(value)?.[1];
      if (value === 'pump' || value === 'plain') mode = value;
      else if (weighed !== undefined && Number(weighed) > 0) weight = Number(weighed);
      else if (tier !== undefined) minTier = Number(tier);
      else if (value === 'lzo') compress = true;
      else if (value !== 'cpp') {
        return fail(
          `unknown option '${toText(value)}'; known are pump, plain, lzo, weight=X, min-tier=N`,
        );
      }
    } else {
      return fail(`'${toText(word.slice(at))}' does not belong in a host`);
    }
    at += part?.[0].length ?? 1;
  }
  if (host === 'localhost' && port === undefined) {
    return success({ kind: 'localhost', slots: slots ?? LOCALHOST_SLOTS });
  }
  const shown = host.includes(':') ? `[${host}]` : host;
  return success({
    kind: 'remote',
    host: {
      name: port === undefined || port === DEFAULT_PORT ? shown : `${shown}:${port}`,
      host,
      port: port ?? DEFAULT_PORT,
      slots,
      mode,
      weight,
      compress,
      ...(minTier === undefined ? {} : { minTier }),
    },
  });
}

function slotCount(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]{1,4}$/.test(text) && Number(text) > 0
    ? Number(text)
    : undefined;
}

interface Word {
  readonly text: ByteString;
  readonly line: number;
  readonly column: number;
}

function* words(text: ByteString): Generator<Word> {
  let line = 0;
  for (const content of text.split('\n')) {
    line++;
    const comment = content.indexOf('#');
    const visible = comment < 0 ? content : content.slice(0, comment);
    for (const match of visible.matchAll(/[^ \t\r\f\v]+/g)) {
      yield { text: match[0], line, column: match.index + 1 };
    }
  }
}
