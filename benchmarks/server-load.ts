/**
 * `npm run bench:server`: what a server costs and withstands. Memory when idle and with 64 jobs at
 * once; what each sandbox tier costs a job; how much slower a client with the key builds while 1,000
 * connections stall (stallers.ts), against the same without them, in turn.
 *
 *   node build/benchmarks/server-load.js [--rounds N] [--compiles N] [--jobs N] [--parts WORDS]
 *     [--output FILE]
 *
 * WORDS are some of `tiers,memory,siege`; the others' figures are then those of the last report.
 *
 * Ends with status 1 when a compile was not done by the server in pump mode.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { formatKey, generateKey } from '../src/protocol/key-file.js';
import type { SessionStatus } from '../src/report/statistics.js';
import { cpuOf, measure, median, peakMemory } from './measure.js';
import { ownState } from './own-state.js';
import { runnerCosts, type RunnerCost } from './runner-costs.js';
import { startServers, type Servers } from './servers.js';
import { table } from './table.js';

const { values: given } = parseArgs({
  options: {
    rounds: { type: 'string', default: '11' },
    compiles: { type: 'string', default: '30' },
    jobs: { type: 'string', default: '300' },
    parts: { type: 'string', default: 'tiers,memory,siege' },
    output: { type: 'string' },
  },
});
const STALLERS = 1_000;
const AT_ONCE = 64;
const bin = fileURLToPath(new URL('../../bin', import.meta.url));

/** One build while nobody or somebody stalls. */
interface Build {
  /** Seconds. */
  readonly wall: number;
  /** Milliseconds of the server's own processor time for each compile. */
  readonly serverCpu: number;
}

const PARTS = ['tiers', 'memory', 'siege'] as const;

/** What was measured, each part with the machine's load average at its beginning. */
interface Report {
  readonly tiers: { readonly load: number; readonly costs: readonly RunnerCost[] };
  /** MiB. */
  readonly memory: { readonly load: number; readonly idle: number; readonly busy: number };
  readonly siege: {
    readonly load: number;
    readonly calm: readonly Build[];
    readonly stalled: readonly Build[];
    /** Milliseconds of the server's processor time in a second of siege without any build. */
    readonly idleCpu: number;
  };
}

const scratch = mkdtempSync(`${tmpdir()}/tscc-server-`);
const keyFile = `${scratch}/key`;
const environment: NodeJS.ProcessEnv = {
  ...process.env,
  ...ownState(scratch),
  PATH: `${bin}:${process.env['PATH'] ?? ''}`,
  TSCC_KEY_FILE: keyFile,
  TSCC_MODE: 'pump',
  TSCC_SESSION: 'bench',
};

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Sources of some 50 milliseconds each. */
function writeSources(count: number): void {
  mkdirSync(`${scratch}/work`);
  for (let n = 0; n < count; n++) {
    const functions = Array.from(
      { length: 40 },
      (_, i) => `int f${i}(char *s, int n) {
  for (int i = 0; i < n; i++) if (s[i] == ${n + i}) { printf("%s", s); s = strchr(s, i); }
  return strlen(s) * ${i};
}\n`,
    );
    const text = `#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n${functions.join('')}`;
    writeFileSync(`${scratch}/work/${n}.c`, text);
  }
}

/** Compiles all sources, so many at once. */
function build(servers: Servers, count: number, atOnce: number): Build {
  const pid = servers.processes[0]?.pid ?? 0;
  const env = { ...environment, TSCC_HOSTS: servers.hosts };
  const before = cpuOf(pid);
  const line = `seq 0 ${count - 1} | xargs -P ${atOnce} -I@ tscc gcc -O2 -g -c @.c -o @.o`;
  const { wall } = measure(line, `${scratch}/work`, env);
  return { wall, serverCpu: ((cpuOf(pid) - before) * 1000) / count };
}

function loadNow(): number {
  return loadavg()[0] ?? 0;
}

function residentMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+([0-9]+) kB$/m.exec(status)?.[1]) / 1024;
}

/** One server with a key, as on a network. */
function start(name: string, jobs: number): Promise<Servers> {
  const options = ['--jobs', String(jobs), '--key-file', keyFile];
  return startServers(['127.0.0.1'], `${scratch}/${name}`, options);
}

async function memory(): Promise<Report['memory']> {
  const load = loadNow();
  const servers = await start('memory', AT_ONCE);
  try {
    const pid = servers.processes[0]?.pid ?? 0;
    await setTimeout(2_000);
    const idle = residentMiB(pid);
    build(servers, 2 * AT_ONCE, AT_ONCE);
    return { load, idle, busy: peakMemory(pid) };
  } finally {
    await servers.stop();
  }
}

/** Runs `action` while so many connections stall. */
async function whileStalled<T>(hosts: string, action: () => T | Promise<T>): Promise<T> {
  const port = hosts.slice(hosts.lastIndexOf(':') + 1);
  const program = fileURLToPath(new URL('stallers.js', import.meta.url));
  // They are other machines': here they shall not take the processor from those that are measured.
  const words = ['-n', '19', process.execPath, program, port, keyFile, String(STALLERS)];
  const child = spawn('nice', words, { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await once(child.stdout, 'data');
    return await action();
  } finally {
    const gone = once(child, 'close');
    child.kill('SIGTERM');
    await gone;
  }
}

/** Milliseconds of the server's processor time in a second. */
async function idleCpu(servers: Servers): Promise<number> {
  const pid = servers.processes[0]?.pid ?? 0;
  const [began, before] = [performance.now(), cpuOf(pid)];
  await setTimeout(20_000);
  return ((cpuOf(pid) - before) * 1_000_000) / (performance.now() - began);
}

async function underSiege(rounds: number, count: number): Promise<Report['siege']> {
  const load = loadNow();
  const servers = await start('siege', 2);
  const calm: Build[] = [];
  const stalled: Build[] = [];
  try {
    build(servers, count, 4);
    for (let round = 0; round < rounds; round++) {
      const alone = () => calm.push(build(servers, count, 4));
      // Now the one first, now the other: the machine gets slower and faster by what else it does.
      if (round % 2 === 0) alone();
      stalled.push(await whileStalled(servers.hosts, () => build(servers, count, 4)));
      if (round % 2 === 1) alone();
      const walls = [calm, stalled].map((builds) => `${builds.at(-1)?.wall.toFixed(2)} s`);
      say(`round ${round + 1}: ${walls.join(', stalled ')}`);
    }
    const alone = await whileStalled(servers.hosts, () => idleCpu(servers));
    return { load, calm, stalled, idleCpu: alone };
  } finally {
    await servers.stop();
  }
}

function reportOf({ tiers, memory: seen, siege }: Report): string {
  const { calm, stalled } = siege;
  const walls = (builds: readonly Build[]) => median(builds.map(({ wall }) => wall));
  const cpu = (builds: readonly Build[]) => median(builds.map(({ serverCpu }) => serverCpu));
  const losses = calm.map(({ wall }, n) => 100 * (1 - wall / (stalled[n]?.wall ?? Number.NaN)));
  const sorted = losses.toSorted((a, b) => a - b);
  const quartiles = [0.25, 0.75].map((at) => sorted[Math.floor(at * sorted.length)]?.toFixed(1));
  const goals: Record<string, readonly [wall: number, cpu: number]> = {
    'tier 2': [1, Infinity],
    'tier 3': [4, 2],
  };
  const rows = tiers.costs.flatMap(({ way, unit, wall, fast, cpu: used }) => {
    const bare = tiers.costs.find((cost) => cost.unit === unit);
    if (bare === undefined || bare.way === way) return [];
    const [mostWall = Infinity, mostCpu = Infinity] =
      (unit === tiers.costs[0]?.unit ? goals[way] : undefined) ?? [];
    const what = `${way}, ${unit}`;
    return [
      row(`${what}: wall over no sandbox`, wall - bare.wall, 'ms', mostWall),
      row(`${what}: the same for the fastest tenth`, fast - bare.fast, 'ms', mostWall),
      row(`${what}: processor time over no sandbox`, used - bare.cpu, 'ms', mostCpu),
    ];
  });
  return `# A server's costs, and a siege

\`npm run bench:server\` on ${cpus().length} × ${cpus()[0]?.model.trim()}. Load averages when it began to measure tiers
${tiers.load.toFixed(1)}, memory ${seen.load.toFixed(1)}, siege ${siege.load.toFixed(1)}.

${table([
  row('memory, idle', seen.idle, 'MiB', 90),
  row(`memory, the most with ${AT_ONCE} jobs at once`, seen.busy, 'MiB', 250),
  row(`throughput lost to ${STALLERS} stalling connections`, median(losses), '%', 5),
  row(
    'of this machine’s processors, for that siege alone',
    siege.idleCpu / 10 / cpus().length,
    '%',
    5,
  ),
  ...rows,
])}

${calm.length} pairs of builds, one alone and one beside ${STALLERS} connections that stall, half of them before a
TLS handshake and half with the key, greeted, and with a job whose source does not come. Lost is the
median of what each pair lost (quartiles ${quartiles.join(' and ')} %); median walls ${walls(calm).toFixed(2)} s and ${walls(stalled).toFixed(2)} s. The
server's own processor time for a compile: ${cpu(calm).toFixed(2)} ms alone, ${cpu(stalled).toFixed(2)} ms beside them. The stalling ends
run on this machine too (at nice 19).

A job of \`gcc -c\` for one line, and for one that includes many headers, through tscc-runner alone: median wall and mean processor time. On a busy machine
most of the wall is waiting for a processor; the fastest tenth waited least.

${table(
  tiers.costs.map(({ way, unit, wall, fast, cpu: used }) => ({
    '': `${way}, ${unit}`,
    'wall (ms)': wall.toFixed(2),
    'fastest tenth (ms)': fast.toFixed(2),
    'processor (ms)': used.toFixed(2),
  })),
)}
`;
}

function row(what: string, value: number, unit: string, most: number) {
  const goal = most === Infinity ? '–' : `≤ ${most} ${unit}`;
  return {
    '': what,
    seen: `${value.toFixed(unit === 'ms' ? 2 : 1)} ${unit}`,
    goal,
    met: most === Infinity ? '' : value <= most ? 'yes' : 'no',
  };
}

/** The last report, for the parts that are not measured now. */
function lastReport(): Partial<Report> {
  const path = `${given.output}.json`;
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Report) : {};
}

async function main(): Promise<boolean> {
  const { rounds, compiles, jobs } = given;
  const parts = given.parts.split(',');
  writeFileSync(keyFile, formatKey(generateKey()), { mode: 0o600 });
  writeSources(Math.max(Number(compiles), 2 * AT_ONCE));
  let report = lastReport();
  const lacking = PARTS.filter((part) => !parts.includes(part) && report[part] === undefined);
  if (lacking.length > 0) {
    const where =
      given.output === undefined ? 'without --output there' : `in ${given.output}.json there`;
    throw new Error(`${where} is no ${lacking.join(', ')} of before: add it to --parts`);
  }
  if (parts.includes('tiers')) {
    report = { ...report, tiers: { load: loadNow(), costs: await runnerCosts(Number(jobs)) } };
  }
  if (parts.includes('memory')) report = { ...report, memory: await memory() };
  if (parts.includes('siege')) {
    report = { ...report, siege: await underSiege(Number(rounds), Number(compiles)) };
  }
  const text = reportOf(report as Report);
  say(text);
  if (given.output !== undefined) {
    writeFileSync(`${given.output}.json`, `${JSON.stringify(report, null, 2)}\n`);
    writeFileSync(`${given.output}.md`, text);
  }
  if (!parts.includes('memory') && !parts.includes('siege')) return true;
  const words = ['status', '--json', '--session', 'bench'];
  const answer = execFileSync(`${bin}/tscc`, words, { env: environment, encoding: 'utf8' });
  const { outcomes } = JSON.parse(answer) as SessionStatus;
  say(`outcomes: ${JSON.stringify(outcomes)}`);
  return outcomes.plain + outcomes.cache + outcomes.local === 0 && outcomes.pump > 0;
}

try {
  if (!(await main())) {
    say('not every compile was done in pump mode');
    process.exitCode = 1;
  }
} finally {
  execFileSync(`${bin}/tscc`, ['stop'], { env: environment, stdio: 'ignore' });
  rmSync(scratch, { recursive: true, force: true });
}
