/** What each tier costs a job beyond a fork and an exec of the same compiler: tscc-runner alone. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fromText, type ByteString } from '../src/core/byte-string.js';
import { JobUsers } from '../src/server/job-users.js';
import type { CompileSpec } from '../src/server/runner.js';
import { realToolchainDeps } from '../src/toolchain/toolchain-host.js';
import { ToolchainProbe } from '../src/toolchain/toolchain.js';
import { JobCell } from '../tests/fixtures/job-cell.js';
import { addPrograms } from '../tests/fixtures/program-layer.js';
import { median } from './measure.js';

export interface RunnerCost {
  readonly way: string;
  /** Milliseconds from asking for a job to its end, the median. */
  readonly wall: number;
  /** The same of the fastest tenth: its slowest. */
  readonly fast: number;
  /** Milliseconds of processor time of a job, the compiler's and the runner's together, the mean. */
  readonly cpu: number;
}

const GCC = '/usr/bin/gcc';

/** A layer with what `gcc -c` needs for a preprocessed file. */
function makeLayer(store: string): ByteString {
  const layer = `${store}/compiler`;
  mkdirSync(`${layer}/usr/include`, { recursive: true });
  const part = (name: string) =>
    execFileSync(GCC, [`-print-prog-name=${name}`], { encoding: 'utf8' }).trim();
  const path = (name: string) => (name.startsWith('/') ? name : `/usr/bin/${name}`);
  addPrograms(layer, [GCC, ...['cc1', 'as'].map((name) => path(part(name)))]);
  return fromText(layer);
}

/** How a job is started in a directory of its own, where its source is. */
type Start = (directory: string) => Pick<CompileSpec, 'cwd' | 'root' | 'confinement'>;

class Way {
  readonly name: string;
  readonly walls: number[] = [];
  readonly #cell: JobCell;
  readonly #start: Start;
  #cpuBefore = 0;

  constructor(name: string, cell: JobCell, start: Start) {
    this.name = name;
    this.#cell = cell;
    this.#start = start;
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
    writeFileSync(`${surroundings.root?.upper ?? path}/x.i`, 'int x;\n', { mode: 0o644 });
    const began = performance.now();
    const { ended } = this.#cell.runner.start({
      ...surroundings,
      program: GCC,
      words: ['gcc', '-x', 'cpp-output', '-c', 'x.i', '-o', 'x.o'],
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
    return { way: this.name, wall: median(sorted), fast, cpu };
  }

  /** Milliseconds of the runner and of all that it has waited for. */
  #cpu(): number {
    const stat = readFileSync(`/proc/${this.#cell.runner.pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields.slice(11, 15).reduce((sum, field) => sum + 10 * Number(field), 0);
  }
}

/**
 * Compiles a file of one line so often in each way, the ways in turn, so that what else this machine
 * does meets all alike. The first is without any sandbox; ways that this host has not are left out.
 */
export async function runnerCosts(jobs: number): Promise<RunnerCost[]> {
  const ends: (() => unknown)[] = [];
  const host = { teardown: (end: () => unknown) => void ends.push(end) };
  try {
    const probe = new ToolchainProbe(realToolchainDeps(() => undefined));
    const gcc = await probe.identify(GCC, '/usr/bin:/bin');
    if (typeof gcc === 'string') throw new Error(gcc);
    const cell = () => JobCell.open(host);
    const bare = await cell();
    const { plainTier, tier } = await bare.measure();
    const ways = [new Way('no sandbox', bare, (path) => ({ cwd: fromText(path) }))];
    if (process.getuid?.() === 0) {
      const users = new JobUsers(process.pid);
      const barriers = { landlock: false, seccomp: true };
      const start: Start = (path) => {
        const user = users.claim();
        user.own(path);
        // One job at a time: the next may be the same user.
        user.release();
        const confinement = { barriers, readable: [], user: user.id };
        return { cwd: fromText(path), confinement };
      };
      ways.push(new Way('tier 1', await cell(), start));
    }
    const barriers = { landlock: true, seccomp: true };
    if (plainTier === 2) {
      const confinement = { barriers, readable: gcc.files };
      ways.push(new Way('tier 2', await cell(), (path) => ({ cwd: fromText(path), confinement })));
    }
    if (tier === 3) {
      const sealed = await cell();
      const layer = makeLayer(sealed.store);
      const start: Start = (path) => ({
        cwd: '/',
        root: sealed.roots.create({ path }, [layer], { kind: 'namespaces', barriers }).spec,
      });
      ways.push(new Way('tier 3', sealed, start));
    }
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
