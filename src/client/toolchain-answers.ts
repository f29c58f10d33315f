/** What the server of one connection has answered to the question whether it has a compiler. */
import type { Digest } from '../core/digest.js';
import { SCHEDULING } from '../core/limits.js';
import type { Clock, Timer } from '../platform/clock.js';
import type { Toolchain } from '../toolchain/toolchain.js';

/** What a server is asked by. */
export type WantedToolchain = Pick<Toolchain, 'digest' | 'name' | 'driverBytes'>;

type Answer =
  | { readonly known: undefined; readonly patience: Timer }
  | { readonly known: boolean; readonly at: number };

export class ToolchainAnswers {
  readonly #clock: Clock;
  readonly #ask: (wanted: WantedToolchain) => void;
  readonly #onChange: () => void;
  readonly #answers = new Map<Digest, Answer>();

  constructor(clock: Clock, ask: (wanted: WantedToolchain) => void, onChange: () => void) {
    this.#clock = clock;
    this.#ask = ask;
    this.#onChange = onChange;
  }

  /** Asks where that has not been done, or long ago in vain; `unknown` while it is being asked. */
  has(wanted: WantedToolchain): 'yes' | 'no' | 'unknown' {
    const { digest } = wanted;
    const answer = this.#answers.get(digest);
    const now = this.#clock.monotonic();
    const isOld = answer?.known === false && now - answer.at > SCHEDULING.askAgain;
    if (answer === undefined || isOld) {
      this.#ask(wanted);
      const patience = this.#clock.after(SCHEDULING.toolchainAnswer, () => {
        this.heard(digest, false);
        this.#onChange();
      });
      this.#answers.set(digest, { known: undefined, patience });
      return 'unknown';
    }
    return answer.known === undefined ? 'unknown' : answer.known ? 'yes' : 'no';
  }

  heard(digest: Digest, known: boolean): void {
    cancelPatience(this.#answers.get(digest));
    this.#answers.set(digest, { known, at: this.#clock.monotonic() });
  }

  /** So that the server is asked again. */
  forget(): void {
    for (const [digest, { known }] of this.#answers) {
      if (known !== undefined) this.#answers.delete(digest);
    }
  }

  /** Nobody waits any more. */
  close(): void {
    for (const answer of this.#answers.values()) cancelPatience(answer);
  }
}

function cancelPatience(answer: Answer | undefined): void {
  if (answer?.known === undefined) answer?.patience.cancel();
}
