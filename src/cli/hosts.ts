/** `tscc hosts`, `tscc --show-hosts` and `tscc -j`: the compile servers as this user would use them. */
import { fromText, toText } from '../core/byte-string.js';
import { describeError, EXIT, TsccError } from '../core/errors.js';
import { pumpOffer } from '../protocol/pump-offer.js';
import { realClock } from '../platform/clock.js';
import { realFiles } from '../platform/files.js';
import type { HostList, RemoteHost } from '../client/host-list.js';
import { HostSource } from '../client/host-source.js';
import type { LiveView } from '../report/live.js';
import { realToolchainDeps } from '../toolchain/toolchain-host.js';
import { ToolchainProbe, type Toolchain } from '../toolchain/toolchain.js';
import { findCompilers } from './compilers.js';
import { askHost } from './host-answer.js';
import { LiveSource } from './live-view.js';
import { findUserState, type UserState } from './user-state.js';

/** What one host answered. */
export interface HostReport {
  readonly host: string;
  readonly state: 'up' | 'draining' | 'down';
  /** Why it is down. */
  readonly reason: string | null;
  readonly version: string | null;
  readonly slots: number | null;
  readonly running: number | null;
  readonly queued: number | null;
  readonly load: number | null;
  /** Whether it takes compiles in pump mode: null while it is down. */
  readonly pump: boolean | null;
  /** How well it seals off pump and plain jobs, and what it lacks for more: null while down. */
  readonly tier: number | null;
  readonly plainTier: number | null;
  readonly missing: readonly string[];
  /**
   * What builds of the running session daemon have seen, null where they have not used it: whether it
   * gets compiles (`open`: none for `pause` milliseconds), why not, and how fast they are there.
   */
  readonly breaker: 'closed' | 'open' | 'half-open' | null;
  readonly pause: number | null;
  readonly pauseReason: string | null;
  readonly speed: number | null;
  /** Compilers of this host by name, and whether the server has the very same. */
  readonly toolchains: Readonly<Record<string, boolean>>;
}

export async function printHosts(options: { readonly json: boolean }): Promise<void> {
  const user = findUserState();
  const list = hostList(user);
  const probe = new ToolchainProbe(
    realToolchainDeps((message) => process.stderr.write(`tscc: ${message}\n`)),
  );
  const path = fromText(process.env['PATH'] ?? '');
  const toolchains: Toolchain[] = [];
  for (const compiler of findCompilers(['gcc', 'g++', 'clang', 'clang++'], path)) {
    const identity = await probe.identify(compiler, path);
    if (typeof identity !== 'string') toolchains.push(identity);
  }
  const asked = await Promise.all(list.remote.map((host) => ask(host, user, toolchains)));
  const seen = await seenByBuilds(user);
  const reports = asked.map((report) => ({ ...report, ...seen.get(report.host) }));
  if (options.json) {
    process.stdout.write(`${JSON.stringify(reports, null, 2)}\n`);
    return;
  }
  if (reports.length === 0) {
    process.stdout.write('no compile servers: set TSCC_HOSTS or write a hosts file\n');
  }
  for (const report of reports) process.stdout.write(`${describe(report)}\n`);
}

/** One host a line, as the list has them. */
export function printHostList(): void {
  const list = hostList(findUserState());
  for (const host of list.remote) process.stdout.write(`${host.name}\n`);
  if (list.localhost > 0) process.stdout.write(`localhost/${list.localhost}\n`);
}

/**
 * A fitting `make -j`: the slots of the servers that answer, and those that the list gives to
 * hosts that do not.
 */
export async function printConcurrency(): Promise<void> {
  const user = findUserState();
  const list = hostList(user);
  const slots = await Promise.all(
    list.remote.map(async (host) => host.slots ?? (await ask(host, user, [])).slots ?? 0),
  );
  const total = slots.reduce((sum, n) => sum + n, list.localhost);
  process.stdout.write(`${Math.max(1, total)}\n`);
}

function hostList(user: UserState): HostList {
  const hosts = new HostSource(fromText(user.stateDirectory), realFiles).hostsFor(user.settings);
  if (!hosts.ok) throw new TsccError(toText(hosts.error), EXIT.badHostSpec);
  return hosts.value;
}

type SeenByBuilds = Pick<HostReport, 'breaker' | 'pause' | 'pauseReason' | 'speed'>;

/** What the session daemon has learned of hosts by name; nothing where none runs. */
async function seenByBuilds(user: UserState): Promise<ReadonlyMap<string, SeenByBuilds>> {
  let hosts: LiveView['hosts'];
  try {
    ({ hosts } = await new LiveSource(user).view());
  } catch (error) {
    const why = describeError(error);
    process.stderr.write(`tscc: what builds have seen of servers is not known: ${why}\n`);
    return new Map();
  }
  return new Map(
    hosts.map(({ name, breaker, pause, reason, speed }) => [
      name,
      { breaker, pause, pauseReason: breaker === 'closed' ? null : reason, speed },
    ]),
  );
}

async function ask(
  host: RemoteHost,
  user: UserState,
  toolchains: readonly Toolchain[],
): Promise<HostReport> {
  const { settings, stateDirectory } = user;
  const answer = await askHost(host, {
    settings,
    stateDirectory,
    toolchains,
    about: false,
    clock: realClock,
  });
  const nothing = {
    host: host.name,
    version: null,
    slots: null,
    running: null,
    queued: null,
    load: null,
    pump: null,
    tier: null,
    plainTier: null,
    missing: [],
    breaker: null,
    pause: null,
    pauseReason: null,
    speed: null,
    toolchains: {},
  };
  if (answer.kind === 'down') return { ...nothing, state: 'down', reason: answer.why };
  const { welcome, state, has } = answer;
  return {
    ...nothing,
    state: state.draining ? 'draining' : 'up',
    reason: null,
    version: welcome.version,
    slots: state.slots,
    running: state.running,
    queued: state.queued,
    load: state.load,
    tier: welcome.tier,
    plainTier: welcome.plainTier,
    missing: welcome.missing,
    pump: host.mode === 'pump' && pumpOffer(welcome) !== 'none',
    toolchains: Object.fromEntries(
      toolchains.map(({ name, version }, n) => [`${toText(name)} ${version}`, has[n] ?? false]),
    ),
  };
}

function describe(report: HostReport): string {
  return `${describeAnswer(report)}${describeUse(report)}`;
}

/** What builds have seen of it, where that is not what is usual. */
function describeUse({ breaker, pause, pauseReason, speed }: HostReport): string {
  const fast =
    speed === null || speed === 1 ? '' : `; compiles run at ${speed.toFixed(2)} × the usual speed`;
  if (breaker === null || breaker === 'closed') return fast;
  const how = breaker === 'open' ? `paused for ${((pause ?? 0) / 1000).toFixed(1)} s` : 'on trial';
  return `${fast}; builds: ${how}: ${pauseReason}`;
}

function describeAnswer(report: HostReport): string {
  if (report.state === 'down') return `${report.host}  down: ${report.reason}`;
  const toolchains = Object.entries(report.toolchains)
    .map(([name, known]) => (known ? name : `no ${name}`))
    .join(', ');
  return (
    `${report.host}  ${report.state}, tsccd ${report.version}, ` +
    `${report.running}/${report.slots} slots, ${report.queued} queued, ` +
    `load ${report.load?.toFixed(2)}${report.pump === true ? '' : ', plain mode only'}, ` +
    `sandbox tier ${report.tier} (plain ${report.plainTier}); ${toolchains === '' ? 'no compilers here' : toolchains}`
  );
}
