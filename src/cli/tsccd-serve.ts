/** The compile server put together, from its arguments to the signal that ends it. */
import { access, constants, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describeError, errnoCode, EXIT, TsccError } from '../core/errors.js';
import { SERVER } from '../core/limits.js';
import { realClock } from '../platform/clock.js';
import { loadAverage } from '../platform/host-load.js';
import { makeDirectory } from '../platform/make-directory.js';
import { VERSION } from '../platform/version.js';
import { formatAddress, isLoopback, type ListenAddress } from '../server/access.js';
import { HostPrograms } from '../server/host-programs.js';
import { HostFacts } from '../server/host-facts.js';
import { Log } from '../server/log.js';
import { NO_OBSERVER } from '../server/observer.js';
import { Runner } from '../server/runner.js';
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
import { openSealing, unusable, type Say } from './tsccd-sealing.js';
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
  await makeOwn('store', store);
  if (given.scratch !== undefined) await makeOwn('scratch', given.scratch);
  const output = new LogOutput(logPath(given, store));
  const format = await lineFormat(given.logFormat);
  const log = new Log(realClock, format, (text) => output.write(text));
  const say: Say = (what, level) => log.line('tsccd', what, { level });
  process.on('uncaughtExceptionMonitor', (error) => say(error.stack ?? error.message, 'error'));
  const reload = new Reload({ configuration, log, output, store, uid: uid() }, given);
  // On a terminal it means that the terminal is gone, and ends the server as it does any program.
  if (!output.isTerminal) process.on('SIGHUP', () => reload.request());
  const runner = new Runner(RUNNER, (trouble) => say(trouble, 'warn'));
  const path = process.env['PATH'] ?? DEFAULT_PATH;
  const compilers = new Toolchains(new ToolchainProbe(realToolchainDeps(say)), path, say);
  const sealing = await openSealing(store, given, runner, say, new HostPrograms(compilers));
  const { directories, sandbox, pump } = sealing;
  const stored = () => pump?.store.bytes ?? 0;
  const facts = new HostFacts(store, given.storeSize, stored, realClock);
  const { metricsPort } = given;
  const status = metricsPort === undefined ? undefined : await import('./tsccd-status.js');
  const metrics = await status?.openMetrics();
  const server = new Server({
    ...rules,
    version: VERSION,
    hostName: hostname(),
    load: loadAverage(realClock),
    // Of the container that it runs in, where there is one.
    availableMemory: () => process.availableMemory(),
    about: () => facts.about(),
    log: (where, what, refused) => log.line(where, what, { refused }),
    observer: metrics ?? NO_OBSERVER,
    sandbox,
    compilers,
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
    if (sandbox.pump === 'own') say('pump mode: own compilers');
    for (const missing of sandbox.missing) say(`sandbox: ${missing}`, 'warn');
    say(`${configuration.file ?? 'no configuration file'}; ${describeRules(rules)}`);
    reload.begin((next) => server.change(next));
    return await ended;
  } finally {
    sealing.stop();
    await endpoint?.close();
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
