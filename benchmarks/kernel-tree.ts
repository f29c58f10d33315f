/** A copy of the kernel's sources, and building it: what campaigns with kernels have in common. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';

/** So that two builds make the same. */
const FIXED = 'KBUILD_BUILD_TIMESTAMP=2024-01-01 KBUILD_BUILD_USER=user KBUILD_BUILD_HOST=host';

export class KernelTree {
  /** Where it is built. */
  readonly place: string;
  readonly #pristine: string;

  /** @param directory as `npm run bench:projects` has it. Throws where that has no kernel. */
  constructor(directory: string) {
    this.#pristine = `${directory}/sources/linux-source-6.1`;
    if (!existsSync(this.#pristine)) {
      throw new Error(`${this.#pristine} is missing: npm run bench:projects -- ${directory} linux`);
    }
    this.place = `${directory}/build/kernel`;
    mkdirSync(`${directory}/build`, { recursive: true });
  }

  /** A fresh copy, configured as small as can be. */
  renew(env: NodeJS.ProcessEnv): void {
    rmSync(this.place, { recursive: true, force: true });
    execFileSync('cp', ['-a', `${this.#pristine}/.`, this.place]);
    this.make('-s tinyconfig', env);
  }

  clean(env: NodeJS.ProcessEnv): void {
    this.make('-s clean', env);
  }

  /**
   * Builds what is clean; answers seconds.
   *
   * @param compiler words before and with the compiler's name
   * @param targets of make; empty: everything
   */
  build(jobs: number, compiler: string, targets: string, env: NodeJS.ProcessEnv): number {
    return this.make(`-j${jobs} CC="${compiler}" HOSTCC="${compiler}" ${FIXED} ${targets}`, env);
  }

  /** Runs make with these words; answers seconds. Throws with its last lines when it fails. */
  make(words: string, env: NodeJS.ProcessEnv): number {
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
