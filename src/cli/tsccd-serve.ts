/** The compile server put together, from its arguments to the signal that ends it. */
import { access, constants, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describeError, errnoCode, EXIT, TsccError } from '../core/errors.js';
import { SERVER } from '../core/limits.js';
import { realClock } from '../platform/clock.js';
import { loadAverage } from '../platform/load-average.js';
import { makeDirectory } from '../platform/make-directory.js';
import { VERSION } from '../platform/version.js';
import { readKeyFile, type Key } from '../protocol/key-file.js';
import {
  formatAddress,
  isLoopback,
  parseAllowed,
  parseListen,
  type ListenAddress,
} from '../server/access.js';
import { HostFacts } from '../server/host-facts.js';
import { Log } from '../server/log.js';
import { Runner } from '../server/runner.js';
import { Server } from '../server/server.js';
import { Toolchains } from '../server/toolchains.js';
import { renderRemoteArguments } from '../toolchain/remote-options.js';
import { realToolchainDeps } from '../toolchain/toolchain-host.js';
import { ToolchainProbe } from '../toolchain/toolchain.js';
import type { Arguments } from './tsccd-arguments.js';
import { LogFile } from './tsccd-log-file.js';
import { PidFile } from './tsccd-pid-file.js';
import { openSealing, unusable } from './tsccd-sealing.js';
import { becomeUser } from './tsccd-user.js';

const RUNNER = fileURLToPath(new URL('../../../bin/tscc-runner', import.meta.url));
const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';

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

/** Where this server keeps its files. The environment is that of who started it. */
function storeDirectory(given: Arguments, home: string | undefined): string {
  if (given.store !== undefined) return given.store;
  const cache = given.user === undefined ? process.env['XDG_CACHE_HOME'] : undefined;
  if (cache?.startsWith('/') === true) return `${cache}/tscc`;
  if (home?.startsWith('/') === true && home !== '/') return `${home}/.cache/tscc`;
  return `/var/tmp/tscc-${uid()}`;
}

/** Makes a directory of the server and asks whose it is. */
async function makeOwn(option: 'store' | 'scratch', path: string): Promise<void> {
  try {
    await makeDirectory(path);
    const facts = await stat(path);
    if (!facts.isDirectory()) throw new Error('ENOTDIR: it is no directory');
    const { uid: owner } = facts;
    // Whoever owns the directory could swap what compilers read and write below it.
    if (owner !== uid()) throw new Error(`it belongs to uid ${owner}`);
  } catch (error) {
    throw unusable({ option, path }, error);
  }
}

function uid(): number {
  return process.getuid?.() ?? 0;
}

/** Binds and says where, as people and scripts read it. */
async function listen(server: Server, address: ListenAddress): Promise<string> {
  try {
    const bound = await server.listen(address);
    return `tsccd: listening on ${formatAddress(bound.address, bound.port)}`;
  } catch (error) {
    const where = formatAddress(address.host ?? '*', address.port);
    const hint =
      errnoCode(error) === 'EADDRINUSE'
        ? 'the port is taken; is another tsccd running? give another with --listen'
        : describeError(error);
    throw new TsccError(`cannot listen on ${where}: ${hint}`, EXIT.bindFailed);
  }
}

/**
 * Runs the server until a signal ends it; resolves to the exit status.
 *
 * @param announce takes the one line that says where it listens, once it does
 */
export async function serve(given: Arguments, announce: (line: string) => void): Promise<number> {
  // First of all: what is opened or made from here on is this user's.
  const home = given.user === undefined ? process.env['HOME'] : becomeUser(given.user);
  await requireRunner(given.user);
  const keys: Key[] = [];
  for (const file of given.keyFile) {
    const key = await readKeyFile(file, uid());
    if (keys.some(({ id }) => id === key.id)) {
      const why = `another --key-file has a key of its id, ${key.id}, too`;
      throw new TsccError(
        `key file ${file}: ${why}; make a new one with 'tscc keygen'`,
        EXIT.badArguments,
      );
    }
    keys.push(key);
  }
  const address = listenAddress(given.listen, keys.length > 0);
  const allowed = parseAllowed(given.allow);
  if (!allowed.ok) throw new TsccError(`--allow: ${allowed.error}`, EXIT.badArguments);

  const store = storeDirectory(given, home);
  await makeOwn('store', store);
  if (given.scratch !== undefined) await makeOwn('scratch', given.scratch);
  const log = new Log(realClock, openLog(given, store));
  const say = (what: string) => log.line('tsccd', what);
  process.on('uncaughtExceptionMonitor', (error) => say(error.stack ?? error.message));
  const runner = new Runner(RUNNER, say);
  const sealing = await openSealing(store, given, runner, say);
  const { directories, sandbox, pump } = sealing;
  const path = process.env['PATH'] ?? DEFAULT_PATH;
  const facts = new HostFacts(store, given.storeSize, () => pump?.bytes ?? 0, realClock);
  const server = new Server({
    slots: given.jobs,
    keys,
    allowed: given.allow.length > 0 ? allowed.value : undefined,
    version: VERSION,
    hostName: hostname(),
    load: loadAverage(realClock),
    about: () => facts.about(),
    log: (where, what) => log.line(where, what),
    sandbox,
    compilers: new Toolchains(new ToolchainProbe(realToolchainDeps(say)), path, say),
    runner,
    directories,
    renderArguments: renderRemoteArguments,
    clock: realClock,
    path,
    nice: given.nice,
    pump,
  });
  const pidFile = given.pidFile === undefined ? undefined : new PidFile(given.pidFile);
  try {
    const ended = endBySignal(server, say);
    const line = await listen(server, address);
    pidFile?.write();
    announce(line);
    say(`version ${VERSION}, pid ${process.pid}, store ${store}, ${line.slice('tsccd: '.length)}`);
    say(`sandbox: tier ${sandbox.tier}, of plain jobs ${sandbox.plainTier}`);
    for (const missing of sandbox.missing) say(`sandbox: ${missing}`);
    return await ended;
  } finally {
    sealing.stop();
    await server.close();
    await runner.close();
    await sealing.close();
    pidFile?.remove();
  }
}

/** Another user may have no way into the installation, which would fail every job. */
async function requireRunner(user: string | undefined): Promise<void> {
  try {
    await access(RUNNER, constants.X_OK);
  } catch (error) {
    const hint = user === undefined ? 'run npm run build' : `let --user ${user} read it`;
    throw new TsccError(`${RUNNER} cannot be run: ${describeError(error)}; ${hint}`, EXIT.ioError);
  }
}

/** Where lines for the person who runs the server go. */
function openLog(given: Arguments, store: string): (line: string) => void {
  const path = given.logFile ?? (given.daemon ? `${store}/tsccd.log` : undefined);
  if (path === undefined) return (line) => process.stderr.write(`${line}\n`);
  const file = new LogFile(path);
  process.on('SIGHUP', () => file.reopen());
  return (line) => file.write(line);
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
