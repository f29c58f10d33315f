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
import { startDistccd, type Distccd } from './distccd.js';
import { queueTime } from './farm-ideal.js';
import { partOf, shellWord, type Recorded, type Recording } from './farm-recording.js';
import { standInDirectory, withStandIn } from './farm-stand-in.js';
import {
  cpuOfDaemon,
  cpuOfStat,
  cpuOfTree,
  daemonPid,
  measure,
  median,
  sum,
  type Cost,
} from './measure.js';
import { startServers, type Servers } from './servers.js';
import { counts } from './table.js';

export const ROW_NAMES = [
  'serial',
  'distcc plain',
  'distcc pump',
  'tscc plain',
  'tscc pump',
] as const;
export type RowName = (typeof ROW_NAMES)[number];

export interface FarmShape {
  readonly hosts: number;
  /** Of each host. */
  readonly slots: number;
  /** Of make's -j. */
  readonly jobs: number;
}

/** One replay; times in seconds, those of processors for all compiles together. */
export interface Run {
  readonly wall: number;
  /** make, the launchers and what these start, and the session daemon or distcc's include server. */
  readonly client: number;
  /** Compile servers and all that they start. */
  readonly servers: number;
  /** Bytes on the wire to the servers and back; undefined where nobody counts. */
  readonly sent: number | undefined;
  readonly received: number | undefined;
  readonly tscc: TsccRun | undefined;
}

export interface TsccRun {
  readonly outcomes: SessionStatus['outcomes'];
  /** Declines, fallbacks and demotions. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Median milliseconds of each phase that a compile goes through, and of its compiler. */
  readonly phases: Readonly<Record<string, number>>;
  /** Seconds from the first request to the last end, and what a replay says of half the hosts. */
  readonly built: number;
  readonly halved: number;
}

export interface Row {
  readonly name: RowName;
  /** Empty: not measured. */
  readonly runs: readonly Run[];
}

export interface FarmResult extends FarmShape {
  readonly cores: number;
  readonly compiles: number;
  /** Seconds of all compiles, and of the longest. */
  readonly work: number;
  readonly longest: number;
  /** Seconds of processor time of make and the stand-ins, without anything that distributes. */
  readonly replaying: number;
  /** Of these, of make alone. */
  readonly make: number;
  /** Seconds that a farm could do it in at best. */
  readonly ideal: number;
  /** The same if compiles begin in the order that make has them in. */
  readonly queue: number;
  readonly rows: readonly Row[];
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const tscc = `${root}bin/tscc`;

/** What a way of building needs from one replay to the next. */
interface Way {
  readonly name: RowName;
  /** Uncounted and counted replays. */
  replay(number: number): Run;
}

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
      LC_ALL: 'C',
      TSCC_DIR: `${this.#scratch}/state`,
      XDG_RUNTIME_DIR: this.#scratch,
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
          ways.push(this.#distccPlain(distccd, shape));
        }
      }
      if (rows.has('distcc pump') && this.#distccPump !== undefined) {
        const { PATH = '' } = this.#env;
        const [compilers = '', ...others] = PATH.split(':');
        const path = [compilers, this.#distccPump, ...others].join(':');
        const env = { ...this.#env, PATH: path };
        const distccd = await startDistccd(addresses, slots, env);
        if (distccd === undefined) throw new Error(`no distccd in ${this.#distccPump}`);
        stops.push(() => distccd.stop());
        ways.push(this.#distccPumpWay(distccd, shape, env));
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
          ...{ wall, client, servers: after - before },
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

  #distccPlain({ hosts, pids }: Distccd, { jobs }: FarmShape): Way {
    let counted: Bytes | undefined;
    return {
      name: 'distcc plain',
      replay: (number) => {
        const log = `${this.#scratch}/distcc.log`;
        const env = distccEnvironment(this.#env, hosts);
        // What it sends it only tells where it tells all.
        const telling = { DISTCC_LOG: log, DISTCC_VERBOSE: '1' };
        const before = sum(pids.map(cpuOfTree));
        const cost = this.#make(jobs, 'distcc', number === 0 ? { ...env, ...telling } : env);
        if (number === 0) counted = bytesOf(log);
        const servers = sum(pids.map(cpuOfTree)) - before;
        return { ...NO_FARM, ...counted, wall: cost.wall, client: cost.cpu, servers };
      },
    };
  }

  #distccPumpWay({ hosts, pids }: Distccd, { jobs }: FarmShape, own: NodeJS.ProcessEnv): Way {
    let counted: Bytes | undefined;
    const withPump = hosts.split(' ').map((host) => `${host},cpp,lzo`);
    return {
      name: 'distcc pump',
      replay: (number) => {
        const log = `${this.#scratch}/distcc-pump.log`;
        const stat = `${this.#scratch}/include-server`;
        const env = distccEnvironment(own, withPump.join(' '));
        const telling = { DISTCC_LOG: log, DISTCC_VERBOSE: '1' };
        const before = sum(pids.map(cpuOfTree));
        // Its include server is nobody's child: what it used is asked before it ends.
        const around = (line: string) =>
          `eval "$(pump --startup)"; ${line}; status=$?; ` +
          `cat /proc/$INCLUDE_SERVER_PID/stat >${stat}; pump --shutdown; [ $status = 0 ]`;
        const full = number === 0 ? { ...env, ...telling } : env;
        const cost = this.#make(jobs, 'distcc', full, true, around);
        if (number === 0) counted = bytesOf(log);
        const client = cost.cpu + cpuOfStat(readFileSync(stat, 'latin1'), true);
        const servers = sum(pids.map(cpuOfTree)) - before;
        return { ...NO_FARM, ...counted, wall: cost.wall, client, servers };
      },
    };
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

/** A compile that came back would be no distributed one. */
const distccEnvironment = (env: NodeJS.ProcessEnv, hosts: string): NodeJS.ProcessEnv => ({
  ...env,
  DISTCC_HOSTS: hosts,
  DISTCC_FALLBACK: '0',
});

interface Bytes {
  readonly sent: number;
  readonly received: number;
}

const NO_FARM = { servers: 0, sent: undefined, received: undefined, tscc: undefined } as const;

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

/** By distcc's own log of everything. */
function bytesOf(log: string): Bytes {
  const text = readFileSync(log, 'latin1');
  const total = (pattern: RegExp) =>
    sum([...text.matchAll(pattern)].map((match) => Number(match[1])));
  return {
    sent: total(/\bsend ([0-9]+) byte file/g),
    received: total(/\breceived ([0-9]+) bytes to file/g),
  };
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

function describe(name: RowName, { wall, client, servers, tscc: ours }: Run): string {
  const what = ours === undefined ? '' : `, ${counts(ours.outcomes)} (${counts(ours.reasons)})`;
  return (
    `${name} ${wall.toFixed(1)} s; processor time here ${client.toFixed(1)} s, ` +
    `servers ${servers.toFixed(1)} s${what}`
  );
}
