/** The compile server put together, from its arguments to the signal that ends it. */
import { access, constants, stat } from 'node:fs/promises';
import { hostname, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describeError, errnoCode, EXIT, TsccError } from '../core/errors.js';
import { PUMP, SERVER } from '../core/limits.js';
import { realClock } from '../platform/clock.js';
import { makeDirectory } from '../platform/make-directory.js';
import { VERSION } from '../platform/version.js';
import { formatAddress, isLoopback, type ListenAddress } from '../server/access.js';
import { JobDirectories } from '../server/job-directory.js';
import { Log, type LogLevel } from '../server/log.js';
import { JobRoots } from '../server/job-root.js';
import { NO_OBSERVER } from '../server/observer.js';
import { openPump, type OpenPump } from '../server/pump-service.js';
import { Runner } from '../server/runner.js';
import { NO_SANDBOX, Sandbox, type SandboxState } from '../server/sandbox.js';
import { Server } from '../server/server.js';
import type { StatusEndpoint } from '../server/status-endpoint.js';
import { Toolchains } from '../server/toolchains.js';
import { renderRemoteArguments } from '../toolchain/remote-options.js';
import { realToolchainDeps } from '../toolchain/toolchain-host.js';
import { ToolchainProbe } from '../toolchain/toolchain.js';
import type { Configuration } from './tsccd-configuration.js';
import { lineFormat, logPath, LogOutput } from './tsccd-log-output.js';
import type { Settings } from './tsccd-options.js';
import { PidFile } from './tsccd-pid-file.js';
import { Reload } from './tsccd-reload.js';
import { describeRules, readRules } from './tsccd-rules.js';
import { endBySignal } from './tsccd-signals.js';
import { becomeUser } from './tsccd-user.js';

const RUNNER = fileURLToPath(new URL('../../../bin/tscc-runner', import.meta.url));
const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';

function listenAddress(given: ListenAddress | undefined, hasKey: boolean): ListenAddress {
  if (given === undefined) return { host: hasKey ? undefined : '127.0.0.1', port: SERVER.port };
  if (!hasKey && !isLoopback(given.host)) {
    const text = formatAddress(given.host ?? '*', given.port);
    throw new TsccError(
      `without --key-file only this machine may connect, so --listen ${text} is refused: ` +
        `give --key-file (made by 'tscc keygen'), or listen on 127.0.0.1`,
      EXIT.badArguments,
    );
  }
  return given;
}

/** Where this server keeps its files. The environment is that of who started it. */
function storeDirectory(given: Settings, home: string | undefined): string {
  if (given.store !== undefined) return given.store;
  const cache = given.user === undefined ? process.env['XDG_CACHE_HOME'] : undefined;
  if (cache?.startsWith('/') === true) return `${cache}/tscc`;
  if (home?.startsWith('/') === true && home !== '/') return `${home}/.cache/tscc`;
  return `/var/tmp/tscc-${uid()}`;
}

/** Makes the store's directory and asks whose it is. */
async function makeStore(store: string): Promise<void> {
  try {
    await makeDirectory(store);
    const facts = await stat(store);
    if (!facts.isDirectory()) throw new Error('ENOTDIR: it is no directory');
    const { uid: owner } = facts;
    // Whoever owns the directory could swap what compilers read and write below it.
    if (owner !== uid()) throw new Error(`it belongs to uid ${owner}`);
  } catch (error) {
    throw unusable(store, error);
  }
}

async function openStore(store: string, log: (line: string) => void): Promise<JobDirectories> {
  try {
    return await JobDirectories.open(store, log);
  } catch (error) {
    throw unusable(store, error);
  }
}

/** Puts a line of the server itself into the log. */
type Say = (what: string, level?: LogLevel) => void;

interface Sealing {
  readonly sandbox: SandboxState;
  /** Undefined where jobs cannot have roots of their own. */
  readonly pump: OpenPump | undefined;
  /** Ends the canary's rounds. */
  readonly stop: () => void;
}

/** Finds out how jobs can be sealed off; the log says what is missing. */
async function openSealing(
  store: string,
  given: Settings,
  runner: Runner,
  directories: JobDirectories,
  say: Say,
): Promise<Sealing> {
  if (given.unsafeNoSandbox) {
    return { sandbox: NO_SANDBOX, pump: undefined, stop: () => undefined };
  }
  try {
    const roots = await JobRoots.open(store);
    const sandbox = await Sandbox.measure(runner, directories, roots);
    if (sandbox.tier < 2) {
      throw new TsccError(
        `compilers cannot be sealed off on this host: ${sandbox.missing.join('; ')}; give ` +
          '--unsafe-no-sandbox where every client may read what this user can',
        EXIT.failure,
      );
    }
    const { storeSize, nice } = given;
    const isSealed = sandbox.tier === PUMP.tier;
    const around = { roots, nice, runner, directories, clock: realClock, log: say };
    const pump = isSealed ? await openPump(store, storeSize, around, say) : undefined;
    return { sandbox, pump, stop: sandbox.keepTrying(realClock, (news) => say(news, 'error')) };
  } catch (error) {
    throw error instanceof TsccError ? error : unusable(store, error);
  }
}

function unusable(store: string, error: unknown): TsccError {
  const why = describeError(error);
  return new TsccError(
    `the store ${store} cannot be used: ${why}; give another with --store`,
    EXIT.ioError,
  );
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
 * @param configuration what is read again on SIGHUP
 * @param given what it says now
 * @param announce takes the one line that says where it listens, once it does
 */
export async function serve(
  configuration: Configuration,
  given: Settings,
  announce: (line: string) => void,
): Promise<number> {
  // First of all: what is opened or made from here on is this user's.
  const home = given.user === undefined ? process.env['HOME'] : becomeUser(given.user);
  await requireRunner(given.user);
  const rules = await readRules(given, uid());
  const address = listenAddress(given.listen, rules.keys.length > 0);

  const store = storeDirectory(given, home);
  await makeStore(store);
  const output = new LogOutput(logPath(given, store));
  const format = await lineFormat(given.logFormat);
  const log = new Log(realClock, format, (text) => output.write(text));
  const say: Say = (what, level) => log.line('tsccd', what, { level });
  process.on('uncaughtExceptionMonitor', (error) => say(error.stack ?? error.message, 'error'));
  const reload = new Reload({ configuration, log, output, store, uid: uid() }, given);
  // On a terminal it means that the terminal is gone, and ends the server as it does any program.
  if (!output.isTerminal) process.on('SIGHUP', () => reload.request());
  const directories = await openStore(store, say);
  const runner = new Runner(RUNNER, (trouble) => say(trouble, 'warn'));
  const { sandbox, pump, stop } = await openSealing(store, given, runner, directories, say);
  const path = process.env['PATH'] ?? DEFAULT_PATH;
  const { metricsPort } = given;
  const status = metricsPort === undefined ? undefined : await import('./tsccd-status.js');
  const metrics = await status?.openMetrics();
  const server = new Server({
    ...rules,
    version: VERSION,
    hostName: hostname(),
    load: () => loadavg()[0] ?? 0,
    log(where, what, refused) {
      log.line(where, what, { refused });
      if (refused !== undefined) metrics?.refused(refused);
    },
    observer: metrics ?? NO_OBSERVER,
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
  let endpoint: StatusEndpoint | undefined;
  try {
    const ended = endBySignal(server, say);
    if (status !== undefined && metrics !== undefined && metricsPort !== undefined) {
      const storeLimit = given.storeSize;
      const measured = { sandbox, store: pump?.store, storeLimit, version: VERSION };
      endpoint = await status.openStatus(metricsPort, metrics, server, measured);
      say(`metrics: ${endpoint.url}/metrics`);
    }
    const line = await listen(server, address);
    pidFile?.write();
    announce(line);
    say(`version ${VERSION}, pid ${process.pid}, store ${store}, ${line.slice('tsccd: '.length)}`);
    say(`sandbox: tier ${sandbox.tier}, of plain jobs ${sandbox.plainTier}`);
    for (const missing of sandbox.missing) say(`sandbox: ${missing}`, 'warn');
    say(`${configuration.file ?? 'no configuration file'}; ${describeRules(rules)}`);
    reload.begin((next) => server.change(next));
    return await ended;
  } finally {
    stop();
    await endpoint?.close();
    await server.close();
    await runner.close();
    await pump?.close();
    await directories.close();
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
