/**
 * What the user set, read from the environment of one command. The daemon keeps no environment of
 * its own: two builds with different settings share it. Pure.
 */
import type { ByteString } from '../core/byte-string.js';
import { SCHEDULING, WIRE } from '../core/limits.js';
import { isSessionName } from '../report/journal.js';

export interface Settings {
  /** Host list given in the environment; undefined: look for a hosts file. */
  readonly hosts: ByteString | undefined;
  readonly mode: 'pump' | 'plain' | 'local';
  /** False: a compile that fails to run remotely is an error. */
  readonly fallback: boolean;
  readonly verbose: boolean;
  /** Milliseconds without an answer to a job. */
  readonly ioTimeout: number;
  /** Milliseconds for a connection to a server. */
  readonly connectTimeout: number;
  readonly keyFile: ByteString | undefined;
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
    hosts: either(environment, 'HOSTS'),
    mode: readMode(environment.get('TSCC_MODE')),
    fallback: either(environment, 'FALLBACK') !== '0',
    verbose: isOn(either(environment, 'VERBOSE')),
    ioTimeout: milliseconds(either(environment, 'IO_TIMEOUT'), SCHEDULING.jobTimeout),
    connectTimeout: milliseconds(either(environment, 'CONNECT_TIMEOUT'), WIRE.connect),
    keyFile: nonEmpty(environment.get('TSCC_KEY_FILE')),
    session: session !== undefined && isSessionName(session) ? session : undefined,
    home,
    configHome:
      nonEmpty(environment.get('XDG_CONFIG_HOME')) ??
      (home === undefined ? undefined : `${home}/.config`),
  };
}

/** TSCC_NAME, else DISTCC_NAME. */
function either(environment: Environment, name: string): ByteString | undefined {
  return environment.get(`TSCC_${name}`) ?? environment.get(`DISTCC_${name}`);
}

function nonEmpty(value: ByteString | undefined): ByteString | undefined {
  return value === '' ? undefined : value;
}

function isOn(value: ByteString | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0';
}

function readMode(value: ByteString | undefined): Settings['mode'] {
  return value === 'plain' || value === 'local' ? value : 'pump';
}

/** Settings give seconds, as distcc's do. */
function milliseconds(value: ByteString | undefined, otherwise: number): number {
  const seconds = Number(value);
  return value !== undefined && value !== '' && Number.isFinite(seconds) && seconds > 0
    ? seconds * 1000
    : otherwise;
}
