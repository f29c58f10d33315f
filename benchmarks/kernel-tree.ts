/** A tree of Linux's tinyconfig that is built again and again, with every compile accounted for. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** One compile as its parent saw it (account.c). Milliseconds. */
export interface Account {
  /** Processor time of it and all that it waited for. */
  readonly cpu: number;
  /** From its start to its end. */
  readonly wall: number;
  /** As -o has it. */
  readonly output: string;
}

export interface KernelBuild {
  readonly accounts: readonly Account[];
  /** Seconds of the whole build. */
  readonly wall: number;
}

export class KernelTree {
  /** Where it is built. */
  readonly place: string;
  readonly #pristine: string;
  readonly #program: string;
  readonly #log: string;

  /**
   * @param directory has `sources/linux-source-6.1`
   * @param name of the copy in its `build/`
   * @param scratch for what is needed meanwhile
   */
  constructor(directory: string, name: string, scratch: string) {
    this.#pristine = `${directory}/sources/linux-source-6.1`;
    if (!existsSync(this.#pristine)) {
      throw new Error(`${this.#pristine} is missing: npm run bench:projects -- ${directory} linux`);
    }
    mkdirSync(`${directory}/build`, { recursive: true });
    this.place = `${directory}/build/${name}`;
    this.#program = `${scratch}/account`;
    this.#log = `${scratch}/accounts`;
    execFileSync('gcc', ['-O2', '-o', this.#program, `${root}benchmarks/account.c`]);
  }

  /** Copies it anew and configures it. */
  renew(env: NodeJS.ProcessEnv): void {
    rmSync(this.place, { recursive: true, force: true });
    execFileSync('cp', ['-a', `${this.#pristine}/.`, this.place]);
    this.#make('-s tinyconfig', env);
  }

  clean(env: NodeJS.ProcessEnv): void {
    this.#make('-s clean', env);
  }

  /** Builds what is clean. @param targets make's; empty: everything */
  build(launcher: string, jobs: number, targets: string, env: NodeJS.ProcessEnv): KernelBuild {
    rmSync(this.#log, { force: true });
    const cc = `CC="${this.#program} ${this.#log} ${launcher} gcc"`;
    const fixed = 'KBUILD_BUILD_TIMESTAMP=2024-01-01 KBUILD_BUILD_USER=user KBUILD_BUILD_HOST=host';
    const wall = this.#make(`-j${jobs} ${cc} HOST${cc} ${fixed} ${targets}`, env);
    const lines = readFileSync(this.#log, 'utf8').split('\n').filter(Boolean);
    const accounts = lines.map((line) => {
      const [cpu, own, ...output] = line.split(' ');
      return { cpu: Number(cpu) / 1000, wall: Number(own) / 1000, output: output.join(' ') };
    });
    return { accounts, wall };
  }

  /** Answers seconds. Throws with the end of what make printed. */
  #make(words: string, env: NodeJS.ProcessEnv): number {
    const began = performance.now();
    const done = spawnSync('/bin/sh', ['-c', `exec make ${words}`], {
      cwd: this.place,
      env,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    if (done.status !== 0) {
      const tail = `${done.stdout}\n${done.stderr}`.split('\n').slice(-30).join('\n');
      throw new Error(`make ${words} failed with ${done.status}:\n${tail}`);
    }
    return (performance.now() - began) / 1000;
  }
}
