/**
 * Replays a recording on a farm of one shape, once in each way and then again, in turn, so that a
 * slow minute hits all ways alike. Every object is compared with its recording.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { buildModel } from '../src/report/analysis/build-model.js';
import { whatIf } from '../src/report/analysis/what-if.js';
import { parseJournal } from '../src/report/journal.js';
import type { SessionStatus } from '../src/report/statistics.js';
import { startDistccd } from './distccd.js';
import { distccPlain, distccPump, findPump, type DistccContext } from './farm-distcc.js';
import { queueTime } from './farm-ideal.js';
import { partOf, shellWord, type Recorded, type Recording } from './farm-recording.js';
import {
  NO_FARM,
  ROW_NAMES,
  type FarmResult,
  type FarmShape,
  type Make,
  type RowName,
  type Run,
  type TsccRun,
  type Way,
} from './farm-run.js';
import { standInDirectory, withStandIn } from './farm-stand-in.js';
import { cpuOfDaemon, cpuOfTree, daemonPid, measure, median, sum, type Cost } from './measure.js';
import { ownState } from './own-state.js';
import { startServers, type Servers } from './servers.js';
import { counts } from './table.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tscc = `${root}bin/tscc`;

export class FarmReplay {
  readonly #directory: string;
  readonly #recording: Recording;
  readonly #distccPump: string | undefined;
  readonly #say: (line: string) => void;
  readonly #scratch = mkdtempSync(`${tmpdir()}/tscc-farm-`);
  readonly #env: NodeJS.ProcessEnv;

  /**
   * @param directory keeps the recording
   * @param distccPump directory with a distcc whose pump mode works, if there is one
   * @param say takes a line on what is happening
   */
  constructor(
    directory: string,
    recording: Recording,
    distccPump: string | undefined,
    say: (line: string) => void,
  ) {
    this.#directory = directory;
    this.#recording = recording;
    this.#distccPump = distccPump;
    this.#say = say;
    const env = standInEnvironment(directory, recording);
    this.#env = {
      ...env,
      ...ownState(this.#scratch),
      DISTCC_DIR: `${this.#scratch}/distcc`,
    };
    mkdirSync(`${this.#scratch}/distcc`);
    writeFileSync(`${this.#scratch}/replay.mk`, replayMakefile(recording.compiles));
  }

  async measure(shape: FarmShape, rows: ReadonlySet<RowName>, runs: number): Promise<FarmResult> {
    const { hosts, slots } = shape;
    const addresses = Array.from({ length: hosts }, (_, n) => `127.0.0.${n + 1}`);
    const results = new Map<RowName, Run[]>(ROW_NAMES.map((name) => [name, []]));
    const stops: (() => Promise<void> | void)[] = [];
    const bare: Cost[] = [];
    const alone: Cost[] = [];
    try {
      const ways: Way[] = [];
      if (rows.has('tscc plain') || rows.has('tscc pump')) {
        const stores = `${this.#scratch}/stores`;
        const options = ['--jobs', String(slots)];
        const servers = await startServers(addresses, stores, options, this.#env);
        stops.push(
          () => void execFileSync(tscc, ['stop'], { env: this.#env, stdio: 'ignore' }),
          () => servers.stop(),
        );
        for (const mode of ['plain', 'pump'] as const) {
          if (rows.has(`tscc ${mode}`)) ways.push(this.#tscc(mode, servers, shape));
        }
      }
      if (rows.has('distcc plain')) {
        const distccd = await startDistccd(addresses, slots, this.#env);
        if (distccd !== undefined) {
          stops.push(() => distccd.stop());
          ways.push(distccPlain(distccd, this.#distcc(shape, this.#env)));
        }
      }
      if (rows.has('distcc pump')) {
        const env = this.#withPump();
        const pump = findPump(env);
        const distccd = pump && (await startDistccd(addresses, slots, env));
        if (pump !== undefined && distccd !== undefined && distccd !== '') {
          stops.push(() => distccd.stop());
          ways.push(distccPump(pump, distccd, this.#distcc(shape, env)));
        }
      }
      if (rows.has('serial')) {
        this.#say('serial, once …');
        const cost = this.#make(1, '', this.#env);
        results.get('serial')?.push({ ...NO_FARM, wall: cost.wall, client: cost.cpu });
      }
      for (let number = 0; number <= runs; number++) {
        if (number > 0) {
          alone.push(this.#make(shape.jobs, 'true', this.#env, false));
          bare.push(this.#make(shape.jobs, '', this.#env));
        }
        for (const way of ways) {
          const run = way.replay(number);
          this.#say(`${number === 0 ? 'uncounted' : `run ${number}`}: ${describe(way.name, run)}`);
          if (number > 0) results.get(way.name)?.push(run);
        }
      }
    } finally {
      // Each is tried, whatever became of the one before.
      const ends = await Promise.allSettled(stops.map(async (stop) => stop()));
      rmSync(this.#scratch, { recursive: true, force: true });
      for (const end of ends)
        if (end.status === 'rejected') process.stderr.write(`${end.reason}\n`);
    }
    const times = this.#recording.compiles.map(({ cpu }) => cpu);
    const [work, longest, cores] = [sum(times), Math.max(...times), availableParallelism()];
    const replaying = median(bare.map(({ cpu }) => cpu));
    return {
      ...shape,
      ...{ cores, compiles: times.length, work, longest, replaying },
      make: median(alone.map(({ cpu }) => cpu)),
      ideal: Math.max(work / (hosts * slots), longest, replaying / cores),
      queue: queueTime(times, Math.min(hosts * slots, shape.jobs)),
      rows: ROW_NAMES.map((name) => ({ name, runs: results.get(name) ?? [] })),
    };
  }

  #tscc(mode: 'plain' | 'pump', servers: Servers, { jobs }: FarmShape): Way {
    const pids = servers.processes.map(({ pid = 0 }) => pid);
    const state = `${this.#scratch}/state`;
    const daemonCpu = () => {
      if (!existsSync(`${state}/daemon.log`)) return 0;
      const pid = daemonPid(state);
      if (pid > 0) return cpuOfDaemon(pid);
      throw new Error(`no session daemon: ${readFileSync(`${state}/daemon.log`, 'utf8')}`);
    };
    return {
      name: `tscc ${mode}`,
      replay: (number) => {
        const session = `farm-${mode}-${number}`;
        const env = {
          ...this.#env,
          ...{ TSCC_HOSTS: servers.hosts, TSCC_MODE: mode, TSCC_SESSION: session },
        };
        const [daemon, before] = [daemonCpu(), sum(pids.map(cpuOfTree))];
        const { wall, cpu } = this.#make(jobs, tscc, env);
        const client = cpu + daemonCpu() - daemon;
        const after = sum(pids.map(cpuOfTree));
        const answer = execFileSync(tscc, ['status', '--json', '--session', session], { env });
        const status = JSON.parse(answer.toString()) as SessionStatus;
        return {
          ...{ wall, client, servers: after - before, demoted: undefined },
          sent: status.sentBytes,
          received: sum(Object.values(status.hosts).map((host) => host.receivedBytes)),
          tscc: {
            outcomes: status.outcomes,
            reasons: { ...status.declines, ...status.fallbacks, ...status.demotions },
            phases: medianPhases(`${state}/journal/${session}.jsonl`),
            ...onHalfTheHosts(`${state}/journal/${session}.jsonl`),
          },
        };
      },
    };
  }

  #distcc({ jobs }: FarmShape, env: NodeJS.ProcessEnv): DistccContext {
    const make: Make = (launcher, own, around) => this.#make(jobs, launcher, own, true, around);
    return { env, scratch: this.#scratch, make };
  }

  /** A distcc of the user's choice comes before others, and behind the stand-in. */
  #withPump(): NodeJS.ProcessEnv {
    const { PATH = '' } = this.#env;
    const [compilers = '', ...others] = PATH.split(':');
    const own = this.#distccPump === undefined ? [] : [this.#distccPump];
    return { ...this.#env, PATH: [compilers, ...own, ...others].join(':') };
  }

  /** Throws when make fails, or an object is another than the recorded. */
  #make(
    jobs: number,
    launcher: string,
    env: NodeJS.ProcessEnv,
    isReplay = true,
    around = (line: string) => line,
  ): Cost {
    const { compiles } = this.#recording;
    for (const { output } of compiles) rmSync(output, { force: true });
    const line = `make -s -j${jobs} -f ${this.#scratch}/replay.mk LAUNCHER=${shellWord(launcher)}`;
    const cost = measure(around(line), this.#directory, env);
    if (!isReplay) return cost;
    for (const { output, key } of compiles) {
      const recorded = readFileSync(partOf(this.#directory, key, 'object'));
      if (!existsSync(output) || !readFileSync(output).equals(recorded)) {
        throw new Error(`'${launcher}' left another ${output} than was recorded`);
      }
    }
    return cost;
  }
}

/** Makes the stand-in with a recording; answers an environment whose compilers it is. */
export function standInEnvironment(directory: string, { compiles }: Recording): NodeJS.ProcessEnv {
  const recordings = compiles.map(({ key, cpu }) => ({
    key,
    microseconds: cpu * 1e6,
    parts: [
      partOf(directory, key, 'object'),
      partOf(directory, key, 'dependencies'),
      partOf(directory, key, 'stderr'),
    ] as const,
  }));
  return withStandIn(process.env, standInDirectory(directory, recordings));
}

/** Each compile a target of its own: nothing waits for anything. */
export function replayMakefile(compiles: readonly Recorded[]): string {
  const rules = compiles.map(({ key, cwd, compiler, words }) => {
    const command = [compiler, `-frandom-seed=${key}`, ...words].map(shellWord).join(' ');
    // exec: no shell stays to wait for a compile.
    const line = `cd ${shellWord(cwd)} && exec $(LAUNCHER) ${command.replaceAll('$', '$$$$')}`;
    return `${key}:\n\t@${line}\n`;
  });
  const names = compiles.map(({ key }) => key).join(' ');
  return `all: ${names}\n.PHONY: all ${names}\n\n${rules.join('\n')}`;
}

function onHalfTheHosts(journal: string): Pick<TsccRun, 'built' | 'halved'> {
  const model = buildModel('farm', parseJournal(readFileSync(journal, 'utf8')));
  const hosts = Math.max(1, Math.round(model.hosts.length / 2));
  const [row] = whatIf(model, [hosts]).rows;
  return { built: model.wall / 1000, halved: (row?.wall ?? Number.NaN) / 1000 };
}

function medianPhases(journal: string): Record<string, number> {
  const figures = new Map<string, number[]>();
  const add = (name: string, value: number) =>
    figures.set(name, [...(figures.get(name) ?? []), value]);
  for (const line of parseJournal(readFileSync(journal, 'utf8'))) {
    if (line.event !== 'compile') continue;
    for (const [name, value] of Object.entries(line.phases)) add(name, value);
    add('compiler', line.remoteRunning);
  }
  return Object.fromEntries([...figures].map(([name, values]) => [name, median(values)]));
}

function describe(name: RowName, { wall, client, servers, demoted, tscc: ours }: Run): string {
  const what =
    ours === undefined
      ? demoted === undefined
        ? ''
        : `, ${demoted} demoted`
      : `, ${counts(ours.outcomes)} (${counts(ours.reasons)})`;
  return (
    `${name} ${wall.toFixed(1)} s; processor time here ${client.toFixed(1)} s, ` +
    `servers ${servers.toFixed(1)} s${what}`
  );
}
