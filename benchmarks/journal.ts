/**
 * `npm run bench:journal -- DIR`: what the journal tells of a build, and what it costs. Linux's
 * tinyconfig is built on eight servers on this machine, again and again:
 *
 *   phases     do the phases of each compile add up to its wall time, as its parent (account.c) saw it?
 *   bytes      of the journal per compile, compressed
 *   overhead   of the journal, and of the live page with a reader: wall time here
 *   what-if    what a replay says of half the hosts, against a build on half the hosts. Since all
 *              servers share this machine, on a simulated farm (farm.ts): its compilers sleep.
 *
 * What both cost in processor time is told by small compiles (journal-costs.ts).
 *
 *   node build/benchmarks/journal.js DIR [--runs N] [--targets WORDS] [--stretch FACTOR]
 *     [--parts WORDS] [--output FILE]
 *
 * DIR has sources and builds, as for `npm run bench:projects`, which fetches them, and keeps the farm's
 * recording. WORDS are make's, to build less than everything: `lib/ mm/`. FACTOR: the farm's compilers
 * sleep so many times as long as the real ones took. Parts are `costs`, `builds` and `what-if`; those
 * that are not measured now are told as they stand in FILE. Ends with status 1 when a goal is missed.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { parseJournal } from '../src/report/journal.js';
import { keptRecording, record, type Recording } from './farm-recording.js';
import { FarmReplay } from './farm-replay.js';
import type { Run } from './farm-run.js';
import { journalCosts, WAYS, watchPage, type Way } from './journal-costs.js';
import {
  textOf,
  verdictsOf,
  type Build,
  type Builds,
  type Explained,
  type Halved,
  type Report,
} from './journal-report.js';
import { KernelTree, type Account } from './kernel-tree.js';
import { cpuOfDaemon, daemonPid, median, sum } from './measure.js';
import { ownState } from './own-state.js';
import { startServers } from './servers.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tscc = `${root}bin/tscc`;
const ADDRESSES = Array.from({ length: 8 }, (_, n) => `127.0.0.${n + 1}`);
const JOBS = 16;
const FARM = { hosts: 8, slots: 3, jobs: 32 } as const;
/** Threes of launch loops. */
const ROUNDS = 9;

const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '3' },
    targets: { type: 'string', default: '' },
    stretch: { type: 'string', default: '5' },
    parts: { type: 'string', default: 'costs,builds,what-if' },
    output: { type: 'string' },
  },
});

const scratch = mkdtempSync(`${tmpdir()}/tscc-journal-`);
const state = `${scratch}/state`;
const environment: NodeJS.ProcessEnv = {
  ...process.env,
  ...ownState(scratch),
  TSCC_MODE: 'pump',
};

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function explain(journal: string, accounts: readonly Account[]): Explained[] {
  // What is compiled twice under one name would be taken for the other.
  const byOutput = new Map<string, Account | undefined>();
  for (const account of accounts) {
    byOutput.set(account.output, byOutput.has(account.output) ? undefined : account);
  }
  const explained: Explained[] = [];
  for (const line of parseJournal(journal)) {
    if (line.event !== 'compile') continue;
    const account = byOutput.get(line.output);
    if (account === undefined) continue;
    const phases = sum(Object.values(line.phases));
    explained.push({ output: line.output, wall: account.wall, phases });
  }
  return explained;
}

async function builds(tree: KernelTree, runs: number): Promise<Builds['found']> {
  const found = { 'no journal': [], journal: [], 'journal and page': [] } as {
    readonly [way in Way]: Build[];
  };
  const servers = await startServers(ADDRESSES, `${scratch}/stores`);
  const env = { ...environment, TSCC_HOSTS: servers.hosts };
  const one = (way: Way, session: string): Build => {
    tree.clean(environment);
    const own = { ...env, TSCC_SESSION: session, TSCC_JOURNAL: way === 'no journal' ? '0' : '1' };
    const stop = way === 'journal and page' ? watchPage(tscc, env) : () => {};
    try {
      const before = cpuOfDaemon(daemonPid(state));
      const { accounts, wall } = tree.build(tscc, JOBS, given.targets, own);
      const daemon = cpuOfDaemon(daemonPid(state)) - before;
      // Makes the daemon write what it holds back.
      execFileSync(tscc, ['status', '--session', session], { env, stdio: 'ignore' });
      const launchers = sum(accounts.map(({ cpu }) => cpu));
      const compiles = accounts.length;
      const cpu = (launchers + daemon * 1000) / compiles;
      if (way === 'no journal') return { compiles, wall, cpu, bytes: undefined, explained: [] };
      const journal = readFileSync(`${state}/journal/${session}.jsonl`);
      const bytes = gzipSync(journal).length / compiles;
      return { compiles, wall, cpu, bytes, explained: explain(journal.toString(), accounts) };
    } finally {
      stop();
    }
  };
  try {
    // Servers learn the tree, and the daemon what a build like this needs.
    tree.build(tscc, JOBS, given.targets, { ...env, TSCC_SESSION: 'uncounted' });
    for (let run = 1; run <= runs; run++) {
      for (const way of WAYS) {
        const build = one(way, `${way.replaceAll(' ', '-')}-${run}`);
        say(`run ${run}, ${way}: ${build.wall.toFixed(1)} s, ${build.cpu.toFixed(2)} ms of CPU`);
        found[way].push(build);
      }
    }
  } finally {
    execFileSync(tscc, ['stop'], { env, stdio: 'ignore' });
    await servers.stop();
  }
  return found;
}

/** The compiles of the kernel as the simulated farm replays them, the longest first. */
function recordingOf(directory: string, tree: KernelTree): Recording {
  const place = `${directory}/journal-farm`;
  mkdirSync(place, { recursive: true });
  const kept = keptRecording(place);
  if (kept === undefined) tree.clean(environment);
  const recorded = kept ?? record(place, tree.place, `make -s -j2 ${given.targets}`, say);
  const stretch = Number(given.stretch);
  return {
    ...recorded,
    compiles: recorded.compiles
      .map((compile) => ({ ...compile, cpu: compile.cpu * stretch }))
      .toSorted((a, b) => b.cpu - a.cpu),
  };
}

async function halved(directory: string, tree: KernelTree, runs: number): Promise<Halved> {
  const recording = recordingOf(directory, tree);
  const place = `${directory}/journal-farm`;
  const half = FARM.hosts / 2;
  const measure = async (hosts: number): Promise<readonly Run[]> => {
    const replay = new FarmReplay(place, recording, undefined, say);
    const { rows } = await replay.measure({ ...FARM, hosts }, new Set(['tscc pump']), runs);
    return rows.flatMap((row) => row.runs);
  };
  const [full, real] = [await measure(FARM.hosts), await measure(half)];
  const medianOf = (of: readonly Run[], figure: 'built' | 'halved') =>
    median(of.flatMap(({ tscc: run }) => (run === undefined ? [] : [run[figure]])));
  return {
    full: medianOf(full, 'built'),
    predicted: medianOf(full, 'halved'),
    real: medianOf(real, 'built'),
  };
}

/** The last report, for the parts that are not measured now. */
function lastReport(): Report {
  const path = `${given.output}.json`;
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Report) : {};
}

async function main(directory: string): Promise<boolean> {
  const runs = Number(given.runs);
  if (!(Number.isInteger(runs) && runs > 0)) throw new Error(`--runs: ${given.runs} is no number`);
  const stretch = Number(given.stretch);
  if (!(stretch > 0)) throw new Error(`--stretch: ${given.stretch} is no factor`);
  const parts = given.parts.split(',');
  let report = lastReport();
  if (parts.includes('costs')) report = { ...report, costs: await journalCosts(tscc, ROUNDS, say) };
  const tree = new KernelTree(directory, 'journal', scratch);
  if (parts.includes('builds')) {
    tree.renew(environment);
    const { targets } = given;
    report = { ...report, builds: { runs, targets, found: await builds(tree, runs) } };
  }
  if (parts.includes('what-if')) {
    if (!parts.includes('builds')) tree.renew(environment);
    report = { ...report, whatIf: { ...(await halved(directory, tree, runs)), stretch, ...FARM } };
  }
  const verdicts = verdictsOf(report);
  const text = textOf(report, verdicts);
  say(`\n${text}`);
  if (given.output !== undefined) {
    writeFileSync(`${given.output}.json`, `${JSON.stringify(report, shorten, 1)}\n`);
    writeFileSync(`${given.output}.md`, text);
  }
  return verdicts.every(({ isMet }) => isMet);
}

/** Figures to a microsecond. */
function shorten(_name: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 1000) / 1000 : value;
}

try {
  const [directory] = positionals;
  if (directory === undefined) {
    say(
      'usage: npm run bench:journal -- DIR [--runs N] [--targets WORDS] [--stretch N] [--parts WORDS] ' +
        '[--output FILE]',
    );
    process.exitCode = 2;
  } else if (!(await main(resolve(directory)))) {
    say('a goal is missed');
    process.exitCode = 1;
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
