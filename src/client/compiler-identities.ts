/** Remembers what compilers are, as long as their files have not changed. */
import type { ByteString } from '../core/byte-string.js';
import type { DeclineReason } from '../core/reasons.js';
import type { Clock } from '../platform/clock.js';
import type { Toolchain } from '../toolchain/toolchain.js';
import type { CompilerIdentifier } from './decision.js';

/** The part of ToolchainProbe that is needed here. */
export interface Probe {
  identify(compiler: ByteString, path: ByteString): Promise<Toolchain | DeclineReason>;
  isCurrent(toolchain: Toolchain): boolean;
}

/** Milliseconds before a compiler that could not be identified is looked at again. */
const RETRY_AFTER = 10_000;

interface Entry {
  readonly answer: Promise<Toolchain | DeclineReason>;
  readonly at: number;
}

export class CompilerIdentities implements CompilerIdentifier {
  readonly #probe: Probe;
  readonly #clock: Clock;
  readonly #known = new Map<string, Entry>();

  constructor(probe: Probe, clock: Clock) {
    this.#probe = probe;
    this.#clock = clock;
  }

  async identify(compiler: ByteString, path: ByteString): Promise<Toolchain | DeclineReason> {
    // The programs a compiler runs may be found along PATH, so another PATH is another toolchain.
    const key = `${compiler}\0${path}`;
    const entry = this.#known.get(key) ?? this.#ask(key, compiler, path);
    const answer = await entry.answer;
    const isCurrent =
      typeof answer === 'string'
        ? this.#clock.monotonic() - entry.at < RETRY_AFTER
        : this.#probe.isCurrent(answer);
    if (isCurrent) return answer;
    // Many compiles may find out at once; the first one asks again for all.
    if (this.#known.get(key) === entry) this.#known.delete(key);
    return (this.#known.get(key) ?? this.#ask(key, compiler, path)).answer;
  }

  #ask(key: string, compiler: ByteString, path: ByteString): Entry {
    const answer = this.#probe.identify(compiler, path);
    const entry = { answer, at: this.#clock.monotonic() };
    this.#known.set(key, entry);
    // A probe that fails for a fault of the program must not be remembered.
    answer.catch(() => this.#known.delete(key));
    return entry;
  }
}
