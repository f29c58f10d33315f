/**
 * Compiles without make and without compilers: a loop in C (launches.c) starts launchers for small
 * sources, and a server in C (launches-server.c) answers each job with a recorded object. What is left
 * is launcher and session daemon; what the two programs around them use is accounted apart.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { digestOf } from '../src/core/digest.js';
import { WIRE_VERSION } from '../src/protocol/messages.js';
import type { SessionStatus } from '../src/report/statistics.js';
import { delayReport, launcherWith, type DaemonNode } from './delays.js';
import type { DelayReport } from './delay-probe.js';
import { cpuOf, cpuOfDaemon, daemonPid, peakMemory } from './measure.js';
import { ownState } from './own-state.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Some compiles, one after another into the loop; processor times in milliseconds per compile. */
export interface LoopCost {
  readonly perSecond: number;
  readonly launcher: number;
  /** The session daemon and its tscc-watch. */
  readonly daemon: number;
  /** The servers and all that they start. */
  readonly server: number;
  /** The loop itself. */
  readonly loop: number;
  /** MiB, the most so far. */
  readonly daemonMemory: number;
}

/** Compiles without tscc. */
export interface BareCost {
  readonly perSecond: number;
  /** Milliseconds of processor time per compile. */
  readonly compiler: number;
}

/** Where jobs go, and what that has used so far, in seconds. */
export interface LoopServers {
  readonly hosts: string;
  cpu(): number;
}

export interface LoopTree {
  /** Sources, each of which includes all headers. */
  readonly sources: number;
  readonly headers: number;
}

export class LaunchLoop {
  readonly #scratch = mkdtempSync(`${tmpdir()}/tscc-launches-`);
  readonly #work = `${this.#scratch}/work`;
  readonly #env: NodeJS.ProcessEnv;
  readonly #stops: (() => void)[] = [];
  readonly #tscc: string;
  #session = 0;

  /** @param node how the daemon's differs from everybody's */
  constructor(
    { sources, headers }: LoopTree,
    node?: Pick<DaemonNode, 'flags'> & { probe: boolean },
  ) {
    const own = node && { flags: node.flags, ...(node.probe ? { report: this.#delays } : {}) };
    this.#tscc =
      own === undefined ? `${root}bin/tscc` : launcherWith(own, `${this.#scratch}/installation`);
    this.#env = {
      ...process.env,
      ...ownState(this.#scratch),
      TSCC_MODE: 'pump',
    };
    mkdirSync(`${this.#work}/include`, { recursive: true });
    const names = Array.from({ length: headers }, (_, n) => `${n}.h`);
    for (const name of names) writeFileSync(`${this.#work}/include/${name}`, headerText(name));
    const all = names.map((name) => `#include "include/${name}"\n`).join('');
    writeFileSync(`${this.#work}/all.h`, `#include <stddef.h>\n${all}`);
    for (let n = 0; n < sources; n++) {
      const text = `#include "all.h"\nint source_${n}(int n) { return n * ${n}; }\n`;
      writeFileSync(`${this.#work}/${n}.c`, text);
    }
    for (const name of ['launches', 'launches-server']) {
      const source = `${root}benchmarks/${name}.c`;
      execFileSync('gcc', ['-O2', '-o', `${this.#scratch}/${name}`, source]);
    }
  }

  get directory(): string {
    return this.#scratch;
  }

  /** To call tscc as the loop does. */
  get environment(): NodeJS.ProcessEnv {
    return this.#env;
  }

  get #delays(): string {
    return `${this.#scratch}/daemon-delays`;
  }

  /** Starts the daemon, with a command that it has nothing to do for. */
  startDaemon(): void {
    execFileSync(this.#tscc, ['gcc', '-dumpversion'], { env: this.#env, stdio: 'ignore' });
    this.#session = 1;
  }

  /** Of a probed daemon that runs, since the last call. */
  daemonDelays(): Promise<DelayReport> {
    return delayReport(daemonPid(`${this.#scratch}/state`), this.#delays);
  }

  /**
   * Starts a server that answers with the object of the first source.
   *
   * @param addresses of loopback, each of which is one host of the list
   * @param slots of each host
   * @param delay milliseconds until it answers
   */
  async standIn(addresses: readonly string[], slots: number, delay: number): Promise<LoopServers> {
    const object = `${this.#scratch}/recorded.o`;
    execFileSync('gcc', ['-c', '0.c', '-o', object], { cwd: this.#work });
    const digest = digestOf(readFileSync(object));
    const words = [0, WIRE_VERSION, slots, delay, digest, object].map(String);
    const server = spawn(`${this.#scratch}/launches-server`, words, {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#stops.push(() => server.kill('SIGTERM'));
    const port = await readyPort(server);
    const { pid = 0 } = server;
    return {
      hosts: addresses.map((address) => `${address}:${port}`).join(' '),
      cpu: () => cpuOf(pid),
    };
  }

  /**
   * Compiles `count` sources from `first` on. Throws when one is not compiled in pump mode.
   *
   * @param atOnce launchers that run at a time
   * @param own settings of these compiles
   */
  measure(
    servers: LoopServers,
    first: number,
    count: number,
    atOnce: number,
    own: NodeJS.ProcessEnv = {},
  ): LoopCost {
    const session = `loop-${this.#session++}`;
    const env = { ...this.#env, TSCC_HOSTS: servers.hosts, TSCC_SESSION: session, ...own };
    const state = `${this.#scratch}/state`;
    const isFirst = this.#session === 1;
    const [daemonBefore, serverBefore] = [isFirst ? 0 : daemonCpu(state), servers.cpu()];
    const { seconds, commands, loop } = this.#compile([this.#tscc], first, count, atOnce, env);
    const daemon = daemonCpu(state) - daemonBefore;
    const server = servers.cpu() - serverBefore;
    const answer = execFileSync(this.#tscc, ['status', '--json', '--session', session], { env });
    const { outcomes } = JSON.parse(answer.toString()) as SessionStatus;
    if (outcomes.pump !== count) {
      throw new Error(`not all ${count} compiles were pumped: ${JSON.stringify(outcomes)}`);
    }
    const perCompile = (value: number) => (value * 1000) / count;
    return {
      perSecond: count / seconds,
      launcher: perCompile(commands),
      daemon: perCompile(daemon),
      server: perCompile(server),
      loop: perCompile(loop),
      daemonMemory: peakMemory(daemonPid(state)),
    };
  }

  /** The same compiles without tscc: what this machine's cores can do at best. */
  measureBare(first: number, count: number, atOnce: number): BareCost {
    const { seconds, commands } = this.#compile([], first, count, atOnce, this.#env);
    return { perSecond: count / seconds, compiler: (commands * 1000) / count };
  }

  #compile(
    before: readonly string[],
    first: number,
    count: number,
    atOnce: number,
    env: NodeJS.ProcessEnv,
  ) {
    const words = [first, count, atOnce].map(String);
    const command = [...before, 'gcc', '-O1', '-c', '@.c', '-o', '@.o'];
    const printed = execFileSync(`${this.#scratch}/launches`, [...words, ...command], {
      cwd: this.#work,
      env,
      encoding: 'utf8',
    });
    const [seconds = Number.NaN, commands = 0, loop = 0] = printed.trim().split(' ').map(Number);
    return { seconds, commands, loop };
  }

  /** Ends what was started and removes all files. */
  end(): void {
    execFileSync(this.#tscc, ['stop'], { env: this.#env, stdio: 'ignore' });
    for (const stop of this.#stops) stop();
    // The daemon says that it ends, and then writes down what it has learned.
    const state = `${this.#scratch}/state`;
    if (existsSync(`${state}/daemon.log`)) {
      const gone = [`--pid=${daemonPid(state)}`, '-s', '0.05', '-f', '/dev/null'];
      execFileSync('tail', gone, { timeout: 10_000 });
    }
    rmSync(this.#scratch, { recursive: true, force: true });
  }
}

/** As long as a header is on average in real projects: some 2 KiB. */
function headerText(name: string): string {
  const stem = `header_${name.replace('.', '_')}`;
  const lines = Array.from(
    { length: 30 },
    (_, n) => `extern int ${stem}_function_${n}(const char *text, size_t size, int flags);`,
  );
  return `#ifndef ${stem}\n#define ${stem}\n${lines.join('\n')}\n#endif\n`;
}

const daemonCpu = (state: string) => cpuOfDaemon(daemonPid(state));

async function readyPort(server: ChildProcess): Promise<number> {
  if (server.stdout === null) throw new Error('Internal error: a server without an output');
  const [bytes] = (await once(server.stdout, 'data')) as [Buffer];
  return Number(/^ready ([0-9]+)$/m.exec(bytes.toString())?.[1]);
}
