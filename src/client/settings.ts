/**
 * What the user set, read from the environment of one command. The daemon keeps no environment of
 * its own: two builds with different settings share it. Pure.
 */
import type { ByteString } from '../core/byte-string.js';
import { SCHEDULING, VERIFY, WIRE } from '../core/limits.js';
import { isSessionName } from '../report/journal.js';

export interface Settings {
  /** Host list given in the environment, and by which variable; undefined: look for a file. */
  readonly hosts: { readonly variable: string; readonly list: ByteString } | undefined;
  readonly mode: 'pump' | 'plain' | 'local';
  /** False: a compile that fails to run remotely is an error. */
  readonly fallback: boolean;
  /** Of a thousand remote compiles so many are done here too, and compared. */
  readonly verify: number;
  /** A compile that differs is an error. */
  readonly verifyFail: boolean;
  /** Say how every command ended. */
  readonly verbose: boolean;
  /** tscc-pump may draw a progress line on its terminal. */
  readonly progress: boolean;
  /** Make's token is lent to its jobserver while a compile runs elsewhere. */
  readonly donate: boolean;
  /** Not above this load of this host; undefined: as many cores suggest. */
  readonly donateLoad: number | undefined;
  /** Events of the session are written to its journal; counted they are always. */
  readonly journal: boolean;
  /** File for what tscc says to the person who builds; undefined: standard error. */
  readonly log: ByteString | undefined;
  /** Milliseconds without an answer to a job. */
  readonly ioTimeout: number;
  /** Milliseconds for a connection to a server. */
  readonly connectTimeout: number;
  readonly keyFile: ByteString | undefined;
  /** How well servers must seal a job off, 0 to 3. */
  readonly minTier: number;
  /** Session opened by tscc-pump; undefined: the implicit one. */
  readonly session: string | undefined;
  readonly home: ByteString | undefined;
  readonly configHome: ByteString | undefined;
}

type Environment = ReadonlyMap<ByteString, ByteString>;

/** Never fails: a value that makes no sense counts as unset, as distcc has it. */
export function readSettings(environment: Environment): Settings {
  const session = environment.get('TSCC_SESSION');
  const home = nonEmpty(environment.get('HOME'));
  return {
    hosts: givenHosts(environment),
    mode: readMode(environment.get('TSCC_MODE')),
    fallback: either(environment, 'FALLBACK') !== '0',
    verify: perMille(environment.get('TSCC_VERIFY')),
    verifyFail: isOn(nonEmpty(environment.get('TSCC_VERIFY_FAIL'))),
    verbose: isOn(either(environment, 'VERBOSE')),
    progress: environment.get('TSCC_PROGRESS') !== '0',
    donate: isOn(nonEmpty(environment.get('TSCC_DONATE'))),
    donateLoad: positive(environment.get('TSCC_DONATE_LOAD')),
    journal: environment.get('TSCC_JOURNAL') !== '0',
    log: either(environment, 'LOG'),
    ioTimeout: milliseconds(either(environment, 'IO_TIMEOUT'), SCHEDULING.jobTimeout),
    connectTimeout: milliseconds(either(environment, 'CONNECT_TIMEOUT'), WIRE.connect),
    keyFile: nonEmpty(environment.get('TSCC_KEY_FILE')),
    minTier: tier(nonEmpty(environment.get('TSCC_MIN_TIER'))),
    session: session !== undefined && isSessionName(session) ? session : undefined,
    home,
    configHome:
      nonEmpty(environment.get('XDG_CONFIG_HOME')) ??
      (home === undefined ? undefined : `${home}/.config`),
  };
}

/** TSCC_NAME, else DISTCC_NAME; one that is empty counts as not set. */
function either(environment: Environment, name: string): ByteString | undefined {
  return nonEmpty(environment.get(`TSCC_${name}`)) ?? nonEmpty(environment.get(`DISTCC_${name}`));
}

/** Not understood, it asks for the most: protection is not lost by a slip of the pen. */
function tier(text: ByteString | undefined): number {
  if (text === undefined) return 0;
  return /^[0-3]$/.test(text) ? Number(text) : 3;
}

/** Unlike other variables, an empty one counts: it is a list without a host. */
function givenHosts(environment: Environment): Settings['hosts'] {
  for (const variable of ['TSCC_HOSTS', 'DISTCC_HOSTS']) {
    const list = environment.get(variable);
    if (list !== undefined) return { variable, list };
  }
  return undefined;
}

function nonEmpty(value: ByteString | undefined): ByteString | undefined {
  return value === '' ? undefined : value;
}

function isOn(value: ByteString | undefined): boolean {
  return value !== undefined && !value.startsWith('0');
}

function readMode(value: ByteString | undefined): Settings['mode'] {
  return value === 'plain' || value === 'local' ? value : 'pump';
}

function perMille(value: ByteString | undefined): number {
  return value !== undefined && /^[0-9]{1,9}$/.test(value)
    ? Math.min(Number(value), VERIFY.scale)
    : 0;
}

/** Settings give seconds, as distcc's do. */
function milliseconds(value: ByteString | undefined, otherwise: number): number {
  const seconds = positive(value);
  return seconds === undefined ? otherwise : seconds * 1000;
}

function positive(value: ByteString | undefined): number | undefined {
  const number = Number(value);
  return value !== undefined && value !== '' && Number.isFinite(number) && number > 0
    ? number
    : undefined;
}
