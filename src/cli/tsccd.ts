/** The compile server's program: arguments, composition, signals, exit codes. */
import { stat } from 'node:fs/promises';
import { availableParallelism, hostname, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describeError, errnoCode, EXIT, TsccError } from '../core/errors.js';
import { SERVER } from '../core/limits.js';
import { realClock } from '../platform/clock.js';
import { makeDirectory } from '../platform/make-directory.js';
import { readKeyFile, type Key } from '../protocol/key-file.js';
import {
  formatAddress,
  isLoopback,
  parseAllowed,
  parseListen,
  type ListenAddress,
} from '../server/access.js';
import { JobDirectories } from '../server/job-directory.js';
import { Log } from '../server/log.js';
import { Runner } from '../server/runner.js';
import { Server } from '../server/server.js';
import { Toolchains } from '../server/toolchains.js';
import { renderRemoteArguments } from '../toolchain/remote-options.js';
import { realToolchainDeps } from '../toolchain/toolchain-host.js';
import { ToolchainProbe } from '../toolchain/toolchain.js';
import { VERSION } from '../platform/version.js';

const RUNNER = fileURLToPath(new URL('../../../bin/tscc-runner', import.meta.url));
const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';

interface Arguments {
  readonly listen: string | undefined;
  readonly jobs: number;
  readonly store: string | undefined;
  readonly keyFile: readonly string[];
  readonly allow: readonly string[];
  readonly nice: number;
}

async function parseArguments(words: readonly string[]): Promise<Arguments> {
  // Loaded here so that a start without a mistake in it pays for yargs only once.
  const { default: yargs } = await import('yargs');
  const parsed = await yargs([...words])
    .scriptName('tsccd')
    .usage('$0 [options]\n\nCompile server of tscc; runs in the foreground.')
    .option('listen', {
      type: 'string',
      requiresArg: true,
      describe: `HOST:PORT; default 127.0.0.1:${SERVER.port}, with a key file all interfaces`,
    })
    .option('jobs', {
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
    .option('key-file', {
      type: 'string',
      array: true,
      nargs: 1,
      default: [],
      describe: 'pre-shared key for TLS, made by `tscc keygen`; give two while keys change',
    })
    .option('allow', {
      type: 'string',
      array: true,
      default: [],
      describe: 'networks (CIDR) or addresses that may connect; default all',
    })
    .option('nice', {
      type: 'number',
      requiresArg: true,
      default: 5,
      describe: 'niceness of compilers, 0 to 19',
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
  return parsed;
}

function checkRange(name: string, value: number, from: number, to: number): void {
  if (Number.isInteger(value) && value >= from && value <= to) return;
  throw new TsccError(`--${name} must be a whole number from ${from} to ${to}`, EXIT.badArguments);
}

function listenAddress(text: string | undefined, hasKey: boolean): ListenAddress {
  if (text === undefined) return { host: hasKey ? undefined : '127.0.0.1', port: SERVER.port };
  const address = parseListen(text, SERVER.port);
  if (!address.ok) throw new TsccError(`--listen: ${address.error}`, EXIT.badArguments);
  if (!hasKey && !isLoopback(address.value.host)) {
    throw new TsccError(
      `without --key-file only this machine may connect, so --listen ${text} is refused: ` +
        `give --key-file (made by 'tscc keygen'), or listen on 127.0.0.1`,
      EXIT.badArguments,
    );
  }
  return address.value;
}

/** Where this server keeps its files. */
function storeDirectory(given: string | undefined): string {
  if (given !== undefined) return given;
  const { XDG_CACHE_HOME: cache, HOME: home } = process.env;
  if (cache?.startsWith('/') === true) return `${cache}/tscc`;
  if (home?.startsWith('/') === true && home !== '/') return `${home}/.cache/tscc`;
  return `/var/tmp/tscc-${uid()}`;
}

async function openStore(store: string, log: (line: string) => void): Promise<JobDirectories> {
  try {
    await makeDirectory(store);
    const { uid: owner } = await stat(store);
    // Whoever owns the directory could swap what compilers read and write below it.
    if (owner !== uid()) throw new Error(`it belongs to uid ${owner}`);
    return await JobDirectories.open(store, log);
  } catch (error) {
    throw new TsccError(
      `the store ${store} cannot be used: ${describeError(error)}; give another with --store`,
      EXIT.ioError,
    );
  }
}

function uid(): number {
  return process.getuid?.() ?? 0;
}

async function listen(server: Server, address: ListenAddress): Promise<void> {
  try {
    const bound = await server.listen(address);
    process.stdout.write(`tsccd: listening on ${formatAddress(bound.address, bound.port)}\n`);
  } catch (error) {
    const where = formatAddress(address.host ?? '*', address.port);
    const hint =
      errnoCode(error) === 'EADDRINUSE'
        ? 'the port is taken; is another tsccd running? give another with --listen'
        : describeError(error);
    throw new TsccError(`cannot listen on ${where}: ${hint}`, EXIT.bindFailed);
  }
}

/** Runs the server until a signal ends it; resolves to the exit status. */
async function serve(given: Arguments): Promise<number> {
  const keys: Key[] = [];
  for (const file of given.keyFile) keys.push(await readKeyFile(file, uid()));
  const address = listenAddress(given.listen, keys.length > 0);
  const allowed = parseAllowed(given.allow);
  if (!allowed.ok) throw new TsccError(`--allow: ${allowed.error}`, EXIT.badArguments);

  const log = new Log(realClock, (line) => process.stderr.write(`${line}\n`));
  const say = (what: string) => log.line('tsccd', what);
  const directories = await openStore(storeDirectory(given.store), say);
  const runner = new Runner(RUNNER, say);
  const path = process.env['PATH'] ?? DEFAULT_PATH;
  const server = new Server({
    slots: given.jobs,
    keys,
    allowed: given.allow.length > 0 ? allowed.value : undefined,
    version: VERSION,
    hostName: hostname(),
    load: () => loadavg()[0] ?? 0,
    log: (where, what) => log.line(where, what),
    compilers: new Toolchains(new ToolchainProbe(realToolchainDeps(say)), path, say),
    runner,
    directories,
    renderArguments: renderRemoteArguments,
    clock: realClock,
    path,
    nice: given.nice,
  });
  try {
    const ended = endBySignal(server, say);
    await listen(server, address);
    return await ended;
  } finally {
    await runner.close();
    await directories.close();
  }
}

/** The first signal drains, the second ends at once. Resolves to the exit status. */
function endBySignal(server: Server, say: (what: string) => void): Promise<number> {
  return new Promise((resolve) => {
    let signals = 0;
    const end = (signal: 'SIGTERM' | 'SIGINT', number: number) => {
      signals++;
      if (signals === 1) {
        say(`${signal}: no new jobs; running ones finish (a second signal kills them)`);
        void server.drain().then(() => resolve(0));
      } else if (signals === 2) {
        void server.close().then(() => resolve(128 + number));
      }
    };
    process.on('SIGTERM', () => end('SIGTERM', 15));
    process.on('SIGINT', () => end('SIGINT', 2));
  });
}

export async function main(words: readonly string[]): Promise<void> {
  try {
    process.exitCode = await serve(await parseArguments(words));
  } catch (error) {
    if (!(error instanceof TsccError)) throw error;
    process.stderr.write(`tsccd: ${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}

await main(process.argv.slice(2));
