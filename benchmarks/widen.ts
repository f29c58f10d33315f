/**
 * `npm run bench:widen -- DIR`: how busy does `make -j2` keep a simulated farm when it is lent the
 * tokens of compiles that are elsewhere? Beside it make with as many jobs as the farm has slots.
 *
 *   node build/benchmarks/widen.js DIR [--farm HOSTSxSLOTS] [--narrow N] [--stretch FACTOR]
 *     [--runs N] [--load N] [--make PROGRAM] [--output FILE]
 *
 * DIR has the recording that `npm run bench:farm -- DIR` made. The compiles are one makefile's, or
 * those of three sub-makes: side by side, or one after the other in a loop of the shell.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { SessionStatus } from '../src/report/statistics.js';
import { keptRecording, partOf, type Recorded, type Recording } from './farm-recording.js';
import { replayMakefile, standInEnvironment } from './farm-replay.js';
import { cpuOfDaemon, daemonPid, measure, median, sum } from './measure.js';
import { ownState } from './own-state.js';
import { startServers } from './servers.js';
import { counts, table } from './table.js';

const tscc = fileURLToPath(new URL('../../bin/tscc', import.meta.url));
const SHAPES = ['flat', 'three sub-makes', 'loop over three'] as const;
type Shape = (typeof SHAPES)[number];

interface Run {
  /** Seconds. */
  readonly wall: number;
  /** Seconds of processor time: make, launchers, daemon. */
  readonly client: number;
  readonly lentTokens: number;
  readonly outcomes: SessionStatus['outcomes'];
  /** What make said of its tokens. */
  readonly notices: number;
}

interface Row {
  readonly shape: Shape;
  readonly jobs: number;
  readonly isWide: boolean;
  readonly runs: readonly Run[];
}

interface Given {
  readonly directory: string;
  readonly hosts: number;
  readonly slots: number;
  readonly narrow: number;
  readonly stretch: number;
  readonly runs: number;
  readonly load: string | undefined;
  readonly make: string;
  readonly output: string | undefined;
}

function arguments_(): Given {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      farm: { type: 'string', default: '8x3' },
      narrow: { type: 'string', default: '2' },
      stretch: { type: 'string', default: '1' },
      runs: { type: 'string', default: '3' },
      load: { type: 'string' },
      make: { type: 'string', default: 'make' },
      output: { type: 'string' },
    },
  });
  const [directory] = positionals;
  const [hosts, slots] = values.farm.split('x').map(Number);
  const [narrow, stretch, runs] = [values.narrow, values.stretch, values.runs].map(Number);
  if (directory === undefined || !hosts || !slots || !narrow || !stretch || !runs) {
    throw new Error('usage: npm run bench:widen -- DIR [--farm HOSTSxSLOTS] [OPTION…]');
  }
  const { load, make, output } = values;
  return { directory: resolve(directory), hosts, slots, narrow, stretch, runs, load, make, output };
}

/** Writes the makefiles of all shapes; answers each one's target in the first. */
function writeMakefiles(place: string, compiles: readonly Recorded[]): Record<Shape, string> {
  const parts = [0, 1, 2];
  writeFileSync(`${place}/flat.mk`, replayMakefile(compiles));
  for (const part of parts) {
    const own = compiles.filter((_, n) => n % parts.length === part);
    writeFileSync(`${place}/part-${part}.mk`, replayMakefile(own));
  }
  const all = parts.map((part) => `part-${part}`).join(' ');
  writeFileSync(
    `${place}/Makefile`,
    `flat:\n\t@$(MAKE) -f ${place}/flat.mk\n` +
      `beside: ${all}\n${all}:\n\t@$(MAKE) -f ${place}/$@.mk\n` +
      `loop:\n\t@for part in ${all}; do $(MAKE) -f ${place}/$$part.mk || exit; done\n` +
      `.PHONY: flat beside loop ${all}\n`,
  );
  return { flat: 'flat', 'three sub-makes': 'beside', 'loop over three': 'loop' };
}

async function measureAll(recording: Recording, given: Given): Promise<readonly Row[]> {
  const { directory, hosts, slots, narrow, runs, load, make } = given;
  const { compiles } = recording;
  const scratch = mkdtempSync(`${tmpdir()}/tscc-widen-`);
  const state = `${scratch}/state`;
  const common = {
    ...standInEnvironment(directory, recording),
    ...ownState(scratch),
  };
  const addresses = Array.from({ length: hosts }, (_, n) => `127.0.0.${n + 1}`);
  const options = ['--jobs', String(slots)];
  const servers = await startServers(addresses, `${scratch}/stores`, options, common);
  const targets = writeMakefiles(scratch, compiles);
  let sessions = 0;
  const run = (shape: Shape, jobs: number, isWide: boolean): Run => {
    const session = `widen-${++sessions}`;
    const env = {
      ...common,
      ...{ TSCC_HOSTS: servers.hosts, TSCC_SESSION: session },
      ...(isWide ? { TSCC_DONATE: '1' } : {}),
      ...(load === undefined ? {} : { TSCC_DONATE_LOAD: load }),
    };
    for (const { output } of compiles) rmSync(output, { force: true });
    const words = `${scratch}/words`;
    const line = `${make} -s -j${jobs} -C ${scratch} ${targets[shape]} LAUNCHER=${tscc} 2>${words}`;
    const daemonCpu = () => (sessions > 1 ? cpuOfDaemon(daemonPid(state)) : 0);
    const before = daemonCpu();
    const { wall, cpu } = measure(line, directory, env);
    for (const { output, key } of compiles) {
      if (!readFileSync(output).equals(readFileSync(partOf(directory, key, 'object')))) {
        throw new Error(`${output} is not as it was recorded`);
      }
    }
    const answer = execFileSync(tscc, ['status', '--json', '--session', session], { env });
    const { lentTokens, outcomes } = JSON.parse(answer.toString()) as SessionStatus;
    const notices = readFileSync(words, 'utf8').match(/INTERNAL/g)?.length ?? 0;
    const done = { wall, client: cpu + daemonCpu() - before, lentTokens, outcomes, notices };
    process.stdout.write(`${shape}, -j${jobs}${isWide ? ' widened' : ''}: ${describe(done)}\n`);
    return done;
  };
  try {
    run('flat', hosts * slots, false);
    const rows: { shape: Shape; jobs: number; isWide: boolean; runs: Run[] }[] = SHAPES.flatMap(
      (shape) => [
        { shape, jobs: narrow, isWide: false, runs: [] },
        { shape, jobs: hosts * slots, isWide: false, runs: [] },
        { shape, jobs: narrow, isWide: true, runs: [] },
        { shape, jobs: hosts * slots, isWide: true, runs: [] },
      ],
    );
    for (let number = 0; number < runs; number++) {
      for (const row of rows) {
        // It takes as long as all others together, and hardly varies.
        if (row.jobs === narrow && !row.isWide && number > 0) continue;
        row.runs.push(run(row.shape, row.jobs, row.isWide));
      }
    }
    return rows;
  } finally {
    execFileSync(tscc, ['stop'], { env: common, stdio: 'ignore' });
    await servers.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
}

function describe({ wall, client, lentTokens, outcomes, notices }: Run): string {
  return (
    `${wall.toFixed(2)} s, processor time here ${client.toFixed(2)} s, ${counts(outcomes)}, ` +
    `${lentTokens} tokens lent${notices === 0 ? '' : `, ${notices} × INTERNAL`}`
  );
}

const wallOf = ({ runs }: Row) => median(runs.map(({ wall }) => wall));

function report({ compiles }: Recording, rows: readonly Row[], given: Given): string {
  const { hosts, slots, runs, load, stretch } = given;
  const times = compiles.map(({ cpu }) => cpu);
  const wide = (shape: Shape) =>
    rows.find((row) => row.shape === shape && !row.isWide && row.jobs === hosts * slots);
  const cells = rows.map((row) => {
    const all = wide(row.shape);
    return {
      build: row.shape,
      make: `-j${row.jobs}${row.isWide ? ' widened' : ''}`,
      'wall s': wallOf(row).toFixed(2),
      [`throughput of -j${hosts * slots}`]:
        all === undefined ? '' : `${((100 * wallOf(all)) / wallOf(row)).toFixed(0)} %`,
      'tokens lent': median(row.runs.map(({ lentTokens }) => lentTokens)).toFixed(0),
      'client CPU': (
        (1000 * median(row.runs.map(({ client }) => client))) /
        compiles.length
      ).toFixed(1),
      INTERNAL: String(sum(row.runs.map(({ notices }) => notices))),
    };
  });
  return [
    '# Tokens lent while compiles are elsewhere',
    '',
    `A simulated farm (as in farm.md) of ${hosts} hosts × ${slots} slots; ${compiles.length} compiles, ` +
      `${sum(times).toFixed(1)} s of work${stretch === 1 ? '' : `, stretched ${stretch} times`}, the`,
    `longest ${Math.max(...times).toFixed(2)} s. Made by \`npm run bench:widen\`: medians of ${runs} run(s) in turn, after one`,
    'that is not counted; one only of the narrow builds that are not widened. Every object is the recorded one.',
    `Load of the machine at the end, all else that it did included: ${loadavg()[0]?.toFixed(0)} on ${availableParallelism()} cores.` +
      (load === undefined ? '' : ` TSCC_DONATE_LOAD=${load}.`),
    '',
    table(cells),
    '',
    'client CPU: ms of processor time per compile, make included. INTERNAL: notices of make that it has',
    'too many or too few tokens at its end; all runs together.',
    '',
  ].join('\n');
}

async function main(): Promise<void> {
  const given = arguments_();
  const { directory, stretch, output } = given;
  const kept = keptRecording(directory);
  if (kept === undefined) {
    throw new Error(`no recording in ${directory}: npm run bench:farm -- ${directory} makes one`);
  }
  // The longest first, as in bench:farm.
  const compiles = kept.compiles
    .map((compile) => ({ ...compile, cpu: compile.cpu * stretch }))
    .toSorted((a, b) => b.cpu - a.cpu);
  const recording = { ...kept, compiles };
  const rows = await measureAll(recording, given);
  const text = report(recording, rows, given);
  process.stdout.write(`\n${text}`);
  if (output === undefined) return;
  mkdirSync(resolve(output, '..'), { recursive: true });
  const { hosts, slots, load } = given;
  const figures = { hosts, slots, stretch, load, rows };
  writeFileSync(`${output}.json`, `${JSON.stringify(figures, null, 2)}\n`);
  writeFileSync(`${output}.md`, text);
}

await main();
