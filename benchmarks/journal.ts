/**
 * `npm run bench:journal -- DIR`: what the journal tells of a build, and what it costs. Linux's
 * tinyconfig is built on eight servers on this machine, again and again:
 *
 *   phases     do the phases of each compile add up to its wall time, as its parent (account.c) saw it?
 *   bytes      of the journal per compile, compressed
 *   overhead   of the journal, and of the live page with a reader: wall and processor time here
 *   what-if    what a replay says of half the hosts, against a build on half the hosts. Since all
 *              servers share this machine, on a simulated farm (farm.ts): its compilers sleep.
 *
 *   node build/benchmarks/journal.js DIR [--runs N] [--targets WORDS] [--stretch FACTOR]
 *     [--output FILE]
 *
 * DIR has sources and builds, as for `npm run bench:projects`, which fetches them, and keeps the farm's
 * recording. WORDS are make's, to build less than everything: `lib/ mm/`. FACTOR: the farm's compilers
 * sleep so many times as long as the real ones took. Ends with status 1 when a goal is missed.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { parseJournal } from '../src/report/journal.js';
import { keptRecording, record, type Recording } from './farm-recording.js';
import { FarmReplay } from './farm-replay.js';
import type { Run } from './farm-run.js';
import { KernelTree, type Account } from './kernel-tree.js';
import { cpuOfDaemon, daemonPid, median, sum } from './measure.js';
import { ownState } from './own-state.js';
import { startServers } from './servers.js';
import { table } from './table.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tscc = `${root}bin/tscc`;
const ADDRESSES = Array.from({ length: 8 }, (_, n) => `127.0.0.${n + 1}`);
const JOBS = 16;
const FARM = { hosts: 8, slots: 3, jobs: 32 } as const;
const GOALS = { explained: 0.95, bytes: 1024, wall: 0.02, cpu: 0.5, whatIf: 0.1 } as const;

const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '3' },
    targets: { type: 'string', default: '' },
    stretch: { type: 'string', default: '5' },
    output: { type: 'string' },
  },
});

const WAYS = ['no journal', 'journal', 'journal and page'] as const;
type Way = (typeof WAYS)[number];

/** A compile's share of wall time that its phases tell. */
interface Explained {
  readonly output: string;
  /** Milliseconds. */
  readonly wall: number;
  readonly phases: number;
}

/** One build. */
interface Build {
  readonly compiles: number;
  /** Seconds. */
  readonly wall: number;
  /** Milliseconds of launchers and daemon per compile. */
  readonly cpu: number;
  /** Compressed bytes of the journal per compile; undefined without one. */
  readonly bytes: number | undefined;
  readonly explained: readonly Explained[];
}

interface WhatIfResult {
  /** Seconds from the first request to the last end. */
  readonly full: number;
  readonly predicted: number;
  readonly real: number;
}

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

/** A page that somebody looks at, in a process of its own. */
function watchPage(env: NodeJS.ProcessEnv): () => void {
  const url = execFileSync(tscc, ['status', '--web'], { env, encoding: 'utf8' }).trim();
  const program = 'for await (const _ of (await fetch(process.argv[1])).body);';
  const reader = spawn(process.execPath, ['--input-type=module', '-e', program, `${url}events`], {
    stdio: 'ignore',
  });
  return () => void reader.kill();
}

async function builds(tree: KernelTree, runs: number): Promise<Map<Way, Build[]>> {
  const found = new Map<Way, Build[]>(WAYS.map((way) => [way, []]));
  const servers = await startServers(ADDRESSES, `${scratch}/stores`);
  const env = { ...environment, TSCC_HOSTS: servers.hosts };
  const one = (way: Way, session: string): Build => {
    tree.clean(environment);
    const own = { ...env, TSCC_SESSION: session, TSCC_JOURNAL: way === 'no journal' ? '0' : '1' };
    const stop = way === 'journal and page' ? watchPage(env) : () => {};
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
        found.get(way)?.push(build);
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

async function halved(directory: string, tree: KernelTree, runs: number): Promise<WhatIfResult> {
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

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const signed = (share: number) => `${share < 0 ? '' : '+'}${percent(share)}`;

interface Verdict {
  readonly text: string;
  readonly isMet: boolean;
}

function goals(found: ReadonlyMap<Way, readonly Build[]>, farm: WhatIfResult): Verdict[] {
  const of = (way: Way, figure: (build: Build) => number | undefined) =>
    median((found.get(way) ?? []).flatMap((build) => figure(build) ?? []));
  const shares = (found.get('journal') ?? [])
    .flatMap(({ explained }) => explained)
    .map(({ phases, wall, output }) => ({ share: phases / wall, output, wall, phases }))
    .toSorted((a, b) => a.share - b.share);
  const at = (quantile: number) => shares[Math.floor(quantile * (shares.length - 1))]?.share ?? 0;
  const [worst] = shares;
  const bytes = of('journal', (build) => build.bytes);
  const verdicts: Verdict[] = [
    {
      text:
        `Phases explain of each compile's wall time at least ${percent(at(0))}, in 99 of 100 ` +
        `${percent(at(0.01))}, in the median ${percent(at(0.5))} (goal: ${percent(GOALS.explained)} ` +
        `of each; ${shares.length} compiles). The worst is ${worst?.output}: ` +
        `${worst?.phases.toFixed(1)} of ${worst?.wall.toFixed(1)} ms.`,
      isMet: at(0) >= GOALS.explained,
    },
    {
      text: `The journal has ${bytes.toFixed(0)} bytes per compile, compressed (goal: ${GOALS.bytes}).`,
      isMet: bytes <= GOALS.bytes,
    },
  ];
  for (const way of ['journal', 'journal and page'] as const) {
    const wall = of(way, (build) => build.wall) / of('no journal', (build) => build.wall) - 1;
    const cpu = of(way, (build) => build.cpu) - of('no journal', (build) => build.cpu);
    verdicts.push({
      text:
        `${way}: ${signed(wall)} of wall time (goal: ${percent(GOALS.wall)}), ` +
        `${cpu.toFixed(2)} ms of CPU here per compile (goal: ${GOALS.cpu}).`,
      isMet: wall <= GOALS.wall && cpu <= GOALS.cpu,
    });
  }
  const error = farm.predicted / farm.real - 1;
  verdicts.push({
    text:
      `What-if: ${FARM.hosts}×${FARM.slots} took ${farm.full.toFixed(1)} s; its replay says ` +
      `${farm.predicted.toFixed(1)} s for ${FARM.hosts / 2}×${FARM.slots}, which took ` +
      `${farm.real.toFixed(1)} s: ${signed(error)} (goal: within ${percent(GOALS.whatIf)}).`,
    isMet: Math.abs(error) <= GOALS.whatIf,
  });
  return verdicts;
}

function report(found: ReadonlyMap<Way, readonly Build[]>, verdicts: readonly Verdict[]): string {
  const rows = [...found].map(([way, runs]) => ({
    way,
    compiles: `${runs[0]?.compiles ?? 0}`,
    'wall s': median(runs.map(({ wall }) => wall)).toFixed(2),
    'client CPU, ms per compile': median(runs.map(({ cpu }) => cpu)).toFixed(2),
  }));
  const what = given.targets === '' ? '' : ` (${given.targets})`;
  return [
    '# The journal: what it tells, and what it costs',
    '',
    `Made by \`npm run bench:journal -- DIR --runs ${given.runs} --stretch ${given.stretch}\`: Linux 6.1,`,
    `tinyconfig${what}, on ${ADDRESSES.length} servers; medians. Client CPU is launchers and daemon.`,
    '',
    table(rows),
    '',
    ...verdicts.map(({ text, isMet }) => `- ${isMet ? 'met' : '**missed**'}: ${text}`),
    '',
    "A compile's wall time ends when it has ended, and not when its parent has a processor again: what",
    'measures it has real-time priority, where it may (account.c).',
    '',
    'The what-if is of a simulated farm, whose compilers sleep: on one machine real ones would share its',
    `processors. ${cpus().length} cores for all of it; load at the end ${loadavg()[0]?.toFixed(1)}.`,
    '',
  ].join('\n');
}

async function main(directory: string): Promise<boolean> {
  const runs = Number(given.runs);
  if (!(Number.isInteger(runs) && runs > 0)) throw new Error(`--runs: ${given.runs} is no number`);
  if (!(Number(given.stretch) > 0)) throw new Error(`--stretch: ${given.stretch} is no factor`);
  const tree = new KernelTree(directory, 'journal', scratch);
  tree.renew(environment);
  const found = await builds(tree, runs);
  const farm = await halved(directory, tree, runs);
  const verdicts = goals(found, farm);
  const text = report(found, verdicts);
  say(`\n${text}`);
  if (given.output !== undefined) {
    const kept = { builds: Object.fromEntries(found), farm, verdicts };
    writeFileSync(`${given.output}.json`, `${JSON.stringify(kept, shorten, 1)}\n`);
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
      'usage: npm run bench:journal -- DIR [--runs N] [--targets WORDS] [--stretch N] [--output FILE]',
    );
    process.exitCode = 2;
  } else if (!(await main(resolve(directory)))) {
    say('a goal is missed');
    process.exitCode = 1;
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
