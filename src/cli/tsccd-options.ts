/**
 * The compile server's options, in one table: command line, configuration file, `--help` and what
 * SIGHUP may change are made from it. An option has the same name everywhere.
 */
import { availableParallelism } from 'node:os';
import { SERVER, STORE } from '../core/limits.js';
import type { ListenAddress } from '../server/access.js';
import { LOG_FORMATS, type LogFormat } from '../server/log.js';
import {
  byteCount,
  listenAddress,
  networks,
  oneOf,
  path,
  paths,
  toggle,
  wholeNumber,
  word,
  type OptionKind,
} from './option-kinds.js';

/** What an administrator decides; paths are absolute. */
export interface Settings {
  readonly listen: ListenAddress | undefined;
  readonly jobs: number;
  readonly store: string | undefined;
  /** Bytes. */
  readonly storeSize: number;
  /** Where jobs have their files; undefined: in memory if that can be, else in the store. */
  readonly scratch: string | undefined;
  readonly keyFile: readonly string[];
  /** Empty for all. */
  readonly allow: readonly string[];
  readonly nice: number;
  readonly daemon: boolean;
  readonly user: string | undefined;
  readonly unsafeNoSandbox: boolean;
  readonly pidFile: string | undefined;
  readonly logFile: string | undefined;
  readonly logFormat: LogFormat;
  readonly metricsPort: number | undefined;
}

export interface Option<T> {
  readonly alias?: string;
  readonly kind: OptionKind<Exclude<T, undefined>>;
  readonly default: T;
  /** The default as people are told it. */
  readonly defaultText?: string;
  readonly describe: string;
  /** SIGHUP brings a change of it into force; other changes take a restart. */
  readonly isLive: boolean;
}

export const OPTIONS: { readonly [Name in keyof Settings]: Option<Settings[Name]> } = {
  listen: {
    kind: listenAddress(SERVER.port),
    default: undefined,
    describe: `HOST:PORT; default 127.0.0.1:${SERVER.port}, with a key file all interfaces`,
    isLive: false,
  },
  jobs: {
    alias: 'j',
    kind: wholeNumber(1, 4096),
    default: availableParallelism(),
    defaultText: 'number of cores',
    describe: 'compilers that run at once',
    isLive: true,
  },
  store: {
    kind: path,
    default: undefined,
    describe: 'directory for its files; default $XDG_CACHE_HOME/tscc or ~/.cache/tscc',
    isLive: false,
  },
  storeSize: {
    kind: byteCount,
    default: STORE.bytes,
    defaultText: '4G',
    describe: 'bytes of headers and compilers to keep in the store; K, M, G, T may follow',
    isLive: false,
  },
  scratch: {
    kind: path,
    default: undefined,
    describe:
      'directory for the files of running jobs; default in /dev/shm, where it has ' +
      `${SERVER.scratchPerSlot / 2 ** 20} MiB free for each job, else in the store`,
    isLive: false,
  },
  keyFile: {
    kind: paths,
    default: [],
    describe: 'pre-shared key for TLS, made by `tscc keygen`; give two while keys change',
    isLive: true,
  },
  allow: {
    alias: 'a',
    kind: networks,
    default: [],
    describe: 'networks (CIDR) or addresses that may connect; default all',
    isLive: true,
  },
  nice: {
    alias: 'N',
    kind: wholeNumber(0, 19),
    default: 5,
    defaultText: '5',
    describe: 'niceness of compilers, 0 to 19',
    isLive: false,
  },
  daemon: {
    kind: toggle,
    default: false,
    describe: 'detach once it listens; the exit status tells whether it does',
    isLive: false,
  },
  user: {
    kind: word,
    default: undefined,
    describe: 'started by root: become this user before anything is opened',
    isLive: false,
  },
  unsafeNoSandbox: {
    kind: toggle,
    default: false,
    describe: 'serve plain mode, and seal nothing off: every client can read what this user can',
    isLive: false,
  },
  pidFile: {
    alias: 'P',
    kind: path,
    default: undefined,
    describe: 'file that holds the process id while it listens',
    isLive: false,
  },
  logFile: {
    kind: path,
    default: undefined,
    describe: 'default standard error, with --daemon tsccd.log in the store; SIGHUP reopens it',
    isLive: true,
  },
  logFormat: {
    kind: oneOf(LOG_FORMATS),
    default: 'text',
    defaultText: 'text',
    describe: 'a line for people, or a JSON object in each line of the log',
    isLive: true,
  },
  metricsPort: {
    kind: wholeNumber(0, 65_535),
    default: undefined,
    describe: '/metrics and /healthz on this port of 127.0.0.1; 0 for any, which the log tells',
    isLive: false,
  },
};

export type OptionName = keyof Settings;

/** As `Object.keys` would, with its type. */
export const OPTION_NAMES = Object.keys(OPTIONS) as OptionName[];

/** The name on a command line, less its dashes, and in a file: `storeSize` is `store-size`. */
export function nameOf(option: OptionName): string {
  return option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
