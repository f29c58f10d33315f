/** The compile server's command line. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { describeError, EXIT, TsccError } from '../core/errors.js';
import { SERVER, STORE } from '../core/limits.js';
import { VERSION } from '../platform/version.js';

/** What the command line says, its numbers within bounds and its paths absolute. */
export interface Arguments {
  readonly listen: string | undefined;
  readonly jobs: number;
  readonly store: string | undefined;
  /** Bytes. */
  readonly storeSize: number;
  /** Where jobs have their files; undefined: in memory if that can be, else in the store. */
  readonly scratch: string | undefined;
  readonly keyFile: readonly string[];
  readonly allow: readonly string[];
  readonly nice: number;
  readonly user: string | undefined;
  readonly pidFile: string | undefined;
  readonly logFile: string | undefined;
  readonly daemon: boolean;
  readonly unsafeNoSandbox: boolean;
}

/** Prints and exits for --help and --version; rejects with a TsccError for what makes no sense. */
export async function parseArguments(words: readonly string[]): Promise<Arguments> {
  // Loaded here so that a start without a mistake in it pays for yargs only once.
  const { default: yargs } = await import('yargs');
  const parsed = await yargs([...words])
    .scriptName('tsccd')
    .usage(
      '$0 [options]\n\nCompile server of tscc; stays in the foreground unless --daemon is given.',
    )
    .option('listen', {
      type: 'string',
      requiresArg: true,
      describe: `HOST:PORT; default 127.0.0.1:${SERVER.port}, with a key file all interfaces`,
    })
    .option('jobs', {
      alias: 'j',
      type: 'number',
      requiresArg: true,
      default: availableParallelism(),
      defaultDescription: 'number of cores',
      describe: 'compilers that run at once',
    })
    .option('store', {
      type: 'string',
      requiresArg: true,
      describe: 'directory for its files; default $XDG_CACHE_HOME/tscc or ~/.cache/tscc',
    })
    .option('store-size', {
      type: 'string',
      requiresArg: true,
      default: String(STORE.bytes),
      defaultDescription: '4G',
      describe: 'bytes of headers and compilers to keep in the store; K, M, G, T may follow',
    })
    .option('scratch', {
      type: 'string',
      requiresArg: true,
      describe:
        'directory for the files of running jobs; default in /dev/shm, where it has ' +
        `${SERVER.scratchPerSlot / 2 ** 20} MiB free for each job, else in the store`,
    })
    .option('key-file', {
      type: 'string',
      array: true,
      nargs: 1,
      default: [],
      describe: 'pre-shared key for TLS, made by `tscc keygen`; give two while keys change',
    })
    .option('allow', {
      alias: 'a',
      type: 'string',
      array: true,
      default: [],
      describe: 'networks (CIDR) or addresses that may connect; default all',
    })
    .option('nice', {
      alias: 'N',
      type: 'number',
      requiresArg: true,
      default: 5,
      describe: 'niceness of compilers, 0 to 19',
    })
    .option('daemon', {
      type: 'boolean',
      default: false,
      describe: 'detach once it listens; the exit status tells whether it does',
    })
    .option('user', {
      type: 'string',
      requiresArg: true,
      describe: 'started by root: become this user before anything is opened',
    })
    .option('unsafe-no-sandbox', {
      type: 'boolean',
      default: false,
      describe: 'serve plain mode, and seal nothing off: every client can read what this user can',
    })
    .option('pid-file', {
      alias: 'P',
      type: 'string',
      requiresArg: true,
      describe: 'file that holds the process id while it listens',
    })
    .option('log-file', {
      type: 'string',
      requiresArg: true,
      describe: 'default standard error, with --daemon tsccd.log in the store; SIGHUP reopens it',
    })
    .strict()
    .version(`tsccd ${VERSION}`)
    .exitProcess(true)
    .fail((message, error) => {
      throw new TsccError(message ?? describeError(error), EXIT.badArguments);
    })
    .parseAsync();
  checkRange('jobs', parsed.jobs, 1, 4096);
  checkRange('nice', parsed.nice, 0, 19);
  // A server that detaches leaves the directory which they are relative to.
  return {
    ...parsed,
    store: absolute(parsed.store),
    scratch: absolute(parsed.scratch),
    storeSize: byteCount('store-size', parsed.storeSize),
    keyFile: parsed.keyFile.map((path) => resolve(path)),
    pidFile: absolute(parsed.pidFile),
    logFile: absolute(parsed.logFile),
  };
}

function checkRange(name: string, value: number, from: number, to: number): void {
  if (Number.isInteger(value) && value >= from && value <= to) return;
  throw new TsccError(`--${name} must be a whole number from ${from} to ${to}`, EXIT.badArguments);
}

function byteCount(name: string, text: string): number {
  const [, digits, unit] = /^([0-9]{1,12})([KMGT]?)$/i.exec(text) ?? [];
  const bytes = Number(digits) * 1024 ** ' KMGT'.indexOf(unit?.toUpperCase() || ' ');
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new TsccError(`--${name} must be a number of bytes, as 500M or 20G`, EXIT.badArguments);
}

function absolute(path: string | undefined): string | undefined {
  return path === undefined ? undefined : resolve(path);
}
