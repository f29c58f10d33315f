/**
 * Compiles for trial: a small source goes through the launcher, a session daemon of this build's own
 * and one server, as a build's would, and its object is compared with one made here.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { RemoteHost } from '../../client/host-list.js';
import { toText } from '../../core/byte-string.js';
import { describeError, EXIT, TsccError } from '../../core/errors.js';
import { DOCTOR } from '../../core/limits.js';
import { explainDemotion, type DemotionReason } from '../../core/reasons.js';
import { realClock } from '../../platform/clock.js';
import { run } from '../../platform/process.js';
import { askDaemon } from '../../protocol/control.js';
import type { SessionStatus } from '../../report/statistics.js';
import type { Toolchain } from '../../toolchain/toolchain.js';
import { endDaemon } from '../end-daemon.js';
import { findUserState } from '../user-state.js';
import { BIN } from './look-up-client.js';
import type { Trial } from './server-facts.js';

/** With a header of its own and one of the compiler's, which every installation has. */
const HEADER = 'struct pair { size_t first, second; };\n';
const SOURCE = (value: number) =>
  '#include <stddef.h>\n#include "trial.h"\n' +
  `size_t trial(struct pair *pair) { return pair->first * ${value} + pair->second; }\n`;

export class TrialBuild {
  readonly toolchain: Toolchain;
  readonly #directory: string;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #socketPath: string;
  #sessions = 0;

  /**
   * Throws TsccError when there is no place for it.
   *
   * @param toolchain the compiler that it is tried with
   */
  constructor(toolchain: Toolchain, environment: NodeJS.ProcessEnv = process.env) {
    this.toolchain = toolchain;
    this.#directory = makeDirectory();
    const kept = Object.entries(environment).flatMap(([name, value]) =>
      /^(?:TSCC_|DISTCC_|XDG_)/.test(name) || value === undefined ? [] : [[name, value] as const],
    );
    const timeout = environment['TSCC_CONNECT_TIMEOUT'] ?? environment['DISTCC_CONNECT_TIMEOUT'];
    this.#environment = {
      ...Object.fromEntries(kept),
      ...(timeout === undefined ? {} : { TSCC_CONNECT_TIMEOUT: timeout }),
      TSCC_DIR: `${this.#directory}/state`,
      XDG_RUNTIME_DIR: this.#directory,
      // What cannot be done there shall be told, not done here.
      TSCC_FALLBACK: '0',
      TSCC_IO_TIMEOUT: String(DOCTOR.trial / 2_000),
    };
    this.#socketPath = findUserState(this.#environment).socketPath;
  }

  /** Never rejects: what goes wrong is the result. */
  async compile(
    host: RemoteHost,
    mode: Trial['mode'],
    keyFile: string | undefined,
  ): Promise<Trial['result']> {
    const session = `doctor-${++this.#sessions}`;
    const environment = {
      ...this.#environment,
      TSCC_HOSTS: `${host.name}${host.compress ? ',lzo' : ''}`,
      TSCC_MODE: mode,
      TSCC_SESSION: session,
      ...(keyFile === undefined ? {} : { TSCC_KEY_FILE: keyFile }),
    };
    try {
      const times: number[] = [];
      let here = 0;
      for (const value of [1, 2]) {
        // Another source each time: nothing may be answered from memory.
        const source = `trial-${this.#sessions}-${value}.c`;
        writeFileSync(`${this.#directory}/${source}`, SOURCE(value));
        here = await this.#timed([], source, 'here.o');
        times.push(await this.#timed([`${BIN}/tscc`], source, 'there.o', environment));
        if (!this.#object('here.o').equals(this.#object('there.o'))) return { kind: 'differs' };
      }
      const why = await this.#whyElsewhere(session, mode, times.length);
      if (why !== undefined) return { kind: 'failed', why };
      const [first = 0, again = 0] = times;
      return { kind: 'same', first, again, here };
    } catch (error) {
      return { kind: 'failed', why: describeError(error) };
    }
  }

  /** Ends its daemon and removes its files. */
  async close(): Promise<void> {
    await endDaemon(this.#socketPath);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** Milliseconds that the compile took; rejects with what was printed when it failed. */
  async #timed(
    before: readonly string[],
    source: string,
    object: string,
    env: Readonly<Record<string, string>> = this.#environment,
  ): Promise<number> {
    const words = [...before, toText(this.toolchain.compiler), '-O2', '-c', source, '-o', object];
    const [program = '', ...args] = words;
    const began = realClock.monotonic();
    const ended = await run(program, args, { env, cwd: this.#directory, timeout: DOCTOR.trial });
    const took = realClock.monotonic() - began;
    if (ended.status === 0) return took;
    const printed = ended.stderr.toString().trim().replaceAll('\n', ' ');
    throw new Error(
      printed === '' ? `no answer in ${Math.round(took / 1000)} s` : printed.replace(/^tscc: /, ''),
    );
  }

  #object(name: string): Buffer {
    return readFileSync(`${this.#directory}/${name}`);
  }

  /** Why compiles were not done in this mode; undefined when they were. */
  async #whyElsewhere(session: string, mode: Trial['mode'], count: number) {
    const answer = await askDaemon(this.#socketPath, { ask: 'end-session', session });
    // The launcher does the compile by itself where it has no daemon.
    if (answer === undefined || answer === null) return 'no session daemon could be started';
    const { outcomes, demotions, declines } = answer as SessionStatus;
    if (outcomes[mode] === count) return undefined;
    const [reason] = [...Object.keys(demotions), ...Object.keys(declines)];
    return reason === undefined
      ? `it was done elsewhere (${JSON.stringify(outcomes)})`
      : explainDemotion(reason as DemotionReason);
  }
}

function makeDirectory(): string {
  try {
    const directory = mkdtempSync(`${tmpdir()}/tscc-doctor-`);
    mkdirSync(`${directory}/state`, { mode: 0o700 });
    writeFileSync(`${directory}/trial.h`, HEADER);
    return directory;
  } catch (error) {
    const why = `no compile can be tried in ${tmpdir()}: ${describeError(error)}`;
    throw new TsccError(`${why}; set TMPDIR to a directory with space`, EXIT.ioError);
  }
}
