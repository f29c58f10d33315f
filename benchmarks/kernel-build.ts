/**
 * `npm run bench:kernel -- DIR`: what a build of Linux's tinyconfig costs the build host, with eight
 * servers on this machine: through distcc (plain), through tscc in pump mode with empty stores, and
 * once more. Every compile's launcher is accounted for by getrusage (account.c), daemons and servers
 * by /proc. DIR keeps sources and builds, as for `npm run bench:projects`, which fetches them.
 *
 *   node build/benchmarks/kernel-build.js DIR [--runs N] [--targets WORDS] [--output FILE]
 *
 * WORDS are make's, to build less than everything: `lib/ mm/`. Ends with status 1 when a compile is
 * not done in pump mode.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { SessionStatus } from '../src/report/statistics.js';
import { startDistccd } from './distccd.js';
import { KernelTree } from './kernel-tree.js';
import { cpuOfDaemon, cpuOfServers, daemonPid, median, peakMemory, sum } from './measure.js';
import { ownState } from './own-state.js';
import { startServers } from './servers.js';
import { jobOverheads } from './upload-budget.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const ADDRESSES = Array.from({ length: 8 }, (_, n) => `127.0.0.${n + 1}`);
const JOBS = 16;

const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '1' },
    targets: { type: 'string', default: '' },
    output: { type: 'string' },
  },
});

/** One build; times are milliseconds of CPU per compile unless told otherwise. */
interface Build {
  readonly compiles: number;
  readonly launcher: number;
  /** Seconds of the whole build. */
  readonly wall: number;
  readonly tscc?: TsccBuild;
}

/** What tscc adds. */
interface TsccBuild {
  readonly daemon: number;
  /** tsccd and their runners, without the compilers. */
  readonly servers: number;
  /** MiB, the most so far. */
  readonly daemonMemory: number;
  readonly serverMemory: number;
  /** Bytes that each job had beyond its compressed source. */
  readonly overheads: readonly number[];
  readonly outcomes: SessionStatus['outcomes'];
}

type Way = 'distcc plain' | 'tscc pump, empty stores' | 'tscc pump, again';

const scratch = mkdtempSync(`${tmpdir()}/tscc-kernel-`);
const state = `${scratch}/state`;
const environment: NodeJS.ProcessEnv = {
  ...process.env,
  ...ownState(scratch),
  TSCC_MODE: 'pump',
  DISTCC_DIR: `${scratch}/distcc`,
  // A compile that came back would be counted as distcc's own work.
  DISTCC_FALLBACK: '0',
};

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Builds what is clean; answers the accounts of its compiles. */
function build(tree: KernelTree, launcher: string, env: NodeJS.ProcessEnv): Build {
  const { accounts, wall } = tree.build(launcher, JOBS, given.targets, env);
  const cpu = accounts.map((account) => account.cpu);
  return { compiles: cpu.length, launcher: sum(cpu) / cpu.length, wall };
}

async function throughDistcc(tree: KernelTree): Promise<Build> {
  const distccd = await startDistccd(ADDRESSES, 2);
  if (distccd === undefined) throw new Error('distcc is missing: apt-get install distcc');
  try {
    return build(tree, 'distcc', { ...environment, DISTCC_HOSTS: distccd.hosts });
  } finally {
    distccd.stop();
  }
}

/** Two builds with the same daemon and servers. */
async function throughTscc(tree: KernelTree): Promise<readonly [Build, Build]> {
  const servers = await startServers(ADDRESSES, `${scratch}/stores`);
  const env = { ...environment, TSCC_HOSTS: servers.hosts };
  const tscc = `${root}bin/tscc`;
  const { processes } = servers;
  let daemonBefore = 0;
  const one = (session: string): Build => {
    const before = cpuOfServers(processes);
    const built = build(tree, tscc, { ...env, TSCC_SESSION: session });
    const ask = ['status', '--json', '--session', session];
    const answer = execFileSync(tscc, ask, { env, encoding: 'utf8' });
    const status = JSON.parse(answer) as SessionStatus;
    const pid = daemonPid(state);
    const milliseconds = (seconds: number) => (seconds * 1000) / built.compiles;
    const daemon = cpuOfDaemon(pid) - daemonBefore;
    daemonBefore += daemon;
    return {
      ...built,
      tscc: {
        daemon: milliseconds(daemon),
        servers: milliseconds(cpuOfServers(processes) - before - status.remoteCpu / 1000),
        daemonMemory: peakMemory(pid),
        serverMemory: Math.max(...processes.map((server) => peakMemory(server.pid ?? 0))),
        overheads: jobOverheads(`${state}/journal/${session}.jsonl`),
        outcomes: status.outcomes,
      },
    };
  };
  try {
    const empty = one('empty');
    tree.clean(environment);
    return [empty, one('again')];
  } finally {
    execFileSync(tscc, ['stop'], { env, stdio: 'ignore' });
    await servers.stop();
    for (const directory of ['stores', 'state']) {
      rmSync(`${scratch}/${directory}`, { recursive: true, force: true });
    }
  }
}

/** A column: its name, and what it says of a build; undefined where that makes no sense. */
type Column = readonly [string, number, (build: Build) => number | undefined];

const client = ({ launcher, tscc }: Build) => launcher + (tscc?.daemon ?? 0);

/** Name, digits after the point, figure. */
const COLUMNS: readonly Column[] = [
  ['compiles', 0, ({ compiles }) => compiles],
  ['of them pump', 0, ({ tscc }) => tscc?.outcomes.pump],
  ['client CPU', 2, client],
  ['launcher', 2, ({ launcher }) => launcher],
  ['daemon', 2, ({ tscc }) => tscc?.daemon],
  ['server CPU', 1, ({ tscc }) => tscc?.servers],
  ['job bytes, median', 0, ({ tscc }) => tscc && median(tscc.overheads)],
  ['job bytes, most', 0, ({ tscc }) => tscc && Math.max(...tscc.overheads)],
  ['daemon MiB', 0, ({ tscc }) => tscc?.daemonMemory],
  ['server MiB', 0, ({ tscc }) => tscc?.serverMemory],
  ['wall s', 0, ({ wall }) => wall],
];

function report(builds: ReadonlyMap<Way, readonly Build[]>): string {
  const distcc = median((builds.get('distcc plain') ?? []).map(client));
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const head = ['', ...COLUMNS.map(([name]) => name), 'distcc ÷ client CPU'];
  const rows = [...builds].map(([way, runs]) => {
    const cells = COLUMNS.map(([, digits, figure]) => {
      const figures = runs.flatMap((run) => figure(run) ?? []);
      return figures.length === 0 ? '' : median(figures).toFixed(digits);
    });
    return line([way, ...cells, (distcc / median(runs.map(client))).toFixed(1)]);
  });
  return [
    '# Linux 6.1, tinyconfig: what its compiles cost the build host',
    '',
    `Made by \`npm run bench:kernel -- DIR\`: ${given.runs} run(s), medians; ms of CPU per compile.`,
    '',
    line(head),
    line(head.map(() => '---')),
    ...rows,
    '',
    'Client CPU is launcher and daemon. Server CPU is tsccd and its runner, without the compilers. Job',
    'bytes are what a job has beyond its compressed source. Memory is the most so far.',
    `${cpus().length} cores for all of it; load at the end ${loadavg()[0]?.toFixed(1)}.`,
    '',
  ].join('\n');
}

async function main(directory: string): Promise<boolean> {
  const tree = new KernelTree(directory, 'kernel', scratch);
  mkdirSync(`${scratch}/distcc`);
  const builds = new Map<Way, Build[]>();
  const add = (way: Way, built: Build) => builds.set(way, [...(builds.get(way) ?? []), built]);
  for (let i = 0; i < Number(given.runs); i++) {
    say('distcc plain …');
    tree.renew(environment);
    add('distcc plain', await throughDistcc(tree));
    say('tscc pump, twice …');
    tree.renew(environment);
    const [empty, again] = await throughTscc(tree);
    add('tscc pump, empty stores', empty);
    add('tscc pump, again', again);
  }
  const text = report(builds);
  say(`\n${text}`);
  if (given.output !== undefined) {
    writeFileSync(
      `${given.output}.json`,
      `${JSON.stringify(Object.fromEntries(builds), null, 2)}\n`,
    );
    writeFileSync(`${given.output}.md`, text);
  }
  return [...builds.values()].flat().every(({ compiles, tscc }) => {
    if (tscc === undefined) return true;
    // Those with -S, which distcc never sends, are no compiles of the account's.
    const { pump, plain, cache, local } = tscc.outcomes;
    return pump >= compiles && plain + cache + local === 0;
  });
}

try {
  const [directory] = positionals;
  if (directory === undefined) {
    say('usage: npm run bench:kernel -- DIR [--runs N] [--targets WORDS] [--output FILE]');
    process.exitCode = 2;
  } else if (!(await main(resolve(directory)))) {
    say('not every compile was done in pump mode');
    process.exitCode = 1;
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
