/** What each tier costs a job beyond a fork and an exec of the same compiler: tscc-runner alone. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import type { Test } from 'tap';
import { fromText, type ByteString } from '../src/core/byte-string.js';
import { JobUsers } from '../src/server/job-users.js';
import { ALL_BARRIERS, type CompileSpec } from '../src/server/runner.js';
import { realToolchainDeps } from '../src/toolchain/toolchain-host.js';
import { ToolchainProbe } from '../src/toolchain/toolchain.js';
import { JobCell } from '../tests/fixtures/job-cell.js';
import { addPrograms, programFiles } from '../tests/fixtures/program-layer.js';
import { median } from './measure.js';

export interface RunnerCost {
  readonly way: string;
  /** What is compiled. */
  readonly unit: string;
  /** Milliseconds from asking for a job to its end, the median. */
  readonly wall: number;
  /** The same of the fastest tenth: its slowest. */
  readonly fast: number;
  /** Milliseconds of processor time of a job, the compiler's and the runner's together, the mean. */
  readonly cpu: number;
}

const GCC = '/usr/bin/gcc';

/** Headers of the unit that has many, as a file of the kernel has. */
const HEADERS = 500;

/** What `gcc -c` starts. */
function compilerParts(): string[] {
  const part = (name: string) =>
    execFileSync(GCC, [`-print-prog-name=${name}`], { encoding: 'utf8' }).trim();
  const path = (name: string) => (name.startsWith('/') ? name : `/usr/bin/${name}`);
  return [GCC, ...['cc1', 'as'].map((name) => path(part(name)))];
}

/** Headers in a directory of the host; gives a source that includes all of them. */
function makeHeaders(directory: string): string {
  mkdirSync(directory, { recursive: true });
  const names = Array.from({ length: HEADERS }, (_, n) => `${directory}/${n}.h`);
  for (const [n, name] of names.entries()) {
    const text = `#ifndef H${n}\n#define H${n}\nstruct s${n} { int a; };\n#endif\n`;
    writeFileSync(name, text);
  }
  return names.map((name) => `#include "${name}"\n`).join('');
}

/** A layer with what `gcc -c` needs, and headers at their own paths. */
function makeLayer(store: string, headers: string): ByteString {
  const layer = `${store}/compiler`;
  mkdirSync(`${layer}/usr/include`, { recursive: true });
  writeFileSync(`${layer}/usr/include/stdc-predef.h`, '');
  addPrograms(layer, compilerParts());
  cpSync(headers, layer + headers, { recursive: true });
  return fromText(layer);
}

/** How a job is started in a directory of its own, where its source is. */
type Start = (directory: string) => Pick<CompileSpec, 'cwd' | 'root' | 'confinement'>;

class Way {
  readonly name: string;
  readonly #unit: string;
  readonly walls: number[] = [];
  readonly #cell: JobCell;
  readonly #start: Start;
  readonly #source: string;
  #cpuBefore = 0;

  constructor(name: string, unit: string, cell: JobCell, start: Start, source: string) {
    this.name = name;
    this.#unit = unit;
    this.#cell = cell;
    this.#start = start;
    this.#source = source;
  }

  /** All that is to come counts. */
  begin(): void {
    this.walls.length = 0;
    this.#cpuBefore = this.#cpu();
  }

  async once(): Promise<void> {
    const directory = await this.#cell.directories.create();
    const { path } = directory;
    const surroundings = this.#start(path);
    writeFileSync(`${surroundings.root?.upper ?? path}/x.c`, this.#source, { mode: 0o644 });
    const began = performance.now();
    const { ended } = this.#cell.runner.start({
      ...surroundings,
      program: GCC,
      words: ['gcc', '-c', 'x.c', '-o', 'x.o'],
      environment: new Map([
        ['PATH', '/usr/bin:/bin'],
        ['TMPDIR', '.'],
      ]),
      stdout: fromText(`${path}/stdout`),
      stderr: fromText(`${path}/stderr`),
      nice: 0,
    });
    const { status } = await ended;
    this.walls.push(performance.now() - began);
    if (status !== 0) {
      throw new Error(`${this.name}: ${status}, ${readFileSync(`${path}/stderr`, 'utf8')}`);
    }
    await directory.remove();
  }

  cost(): RunnerCost {
    const cpu = (this.#cpu() - this.#cpuBefore) / this.walls.length;
    const sorted = this.walls.toSorted((a, b) => a - b);
    const fast = sorted[Math.floor(sorted.length / 10)] ?? Number.NaN;
    return { way: this.name, unit: this.#unit, wall: median(sorted), fast, cpu };
  }

  /** Milliseconds of the runner and of all that it has waited for. */
  #cpu(): number {
    const stat = readFileSync(`/proc/${this.#cell.runner.pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields.slice(11, 15).reduce((sum, field) => sum + 10 * Number(field), 0);
  }
}

/** The ways that this host has, for one unit; the first is without any sandbox. */
async function waysOf(
  host: Pick<Test, 'teardown'>,
  unit: string,
  source: string,
  headers: string,
): Promise<Way[]> {
  const probe = new ToolchainProbe(realToolchainDeps(() => undefined));
  const gcc = await probe.identify(GCC, '/usr/bin:/bin');
  if (typeof gcc === 'string') throw new Error(gcc);
  const ways: Way[] = [];
  const add = async (name: string, startIn: (cell: JobCell) => Start) => {
    const cell = await JobCell.open(host);
    ways.push(new Way(name, unit, cell, startIn(cell), source));
  };
  await add('no sandbox', () => (path) => ({ cwd: fromText(path) }));
  const { plainTier, tier } = await (await JobCell.open(host)).measure();
  if (process.getuid?.() === 0) {
    const users = new JobUsers(process.pid);
    const barriers = { landlock: false, seccomp: true };
    await add('tier 1', () => (path) => {
      const user = users.claim();
      user.own(path);
      // One job at a time: the next may be the same user.
      user.release();
      return { cwd: fromText(path), confinement: { barriers, readable: [], user: user.id } };
    });
  }
  const barriers = ALL_BARRIERS;
  if (plainTier === 2) {
    const confinement = {
      barriers,
      readable: [...gcc.files, fromText('/usr/include'), fromText(headers)],
    };
    await add('tier 2', () => (path) => ({ cwd: fromText(path), confinement }));
    const seal = { kind: 'supervisor', programs: programFiles(compilerParts()) } as const;
    await add('tier 2, pump', ({ store, roots }) => {
      const layer = makeLayer(store, headers);
      return (path) => {
        const { spec } = roots.create({ path }, [layer], { kind: 'supervisor' });
        return { cwd: '/', root: { ...spec, seal } };
      };
    });
  }
  if (tier === 3) {
    await add('tier 3', ({ store, roots }) => {
      const layer = makeLayer(store, headers);
      const sealing = { kind: 'namespaces', barriers } as const;
      return (path) => ({ cwd: '/', root: roots.create({ path }, [layer], sealing).spec });
    });
  }
  return ways;
}

/**
 * Compiles a file of one line so often in each way, and one with many headers, the ways in turn, so
 * that what else this machine does meets all alike.
 */
export async function runnerCosts(jobs: number): Promise<RunnerCost[]> {
  const ends: (() => unknown)[] = [];
  const host = { teardown: (end: () => unknown) => void ends.push(end) };
  const headers = mkdtempSync(`${tmpdir()}/tscc-headers-`);
  ends.push(() => rmSync(headers, { recursive: true }));
  // Users of their own go there as well.
  chmodSync(headers, 0o755);
  try {
    const many = makeHeaders(headers);
    const ways = [
      ...(await waysOf(host, 'one line', 'int x;\n', headers)),
      ...(await waysOf(host, `${HEADERS} headers`, many, headers)),
    ];
    const round = async () => {
      for (const way of ways) await way.once();
    };
    for (let warm = 0; warm < 5; warm++) await round();
    for (const way of ways) way.begin();
    for (let job = 0; job < jobs; job++) await round();
    return ways.map((way) => way.cost());
  } finally {
    for (const end of ends.toReversed()) await end();
  }
}
