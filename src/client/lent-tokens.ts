/**
 * What one jobserver has been lent. A launcher that waits lends its token; when the last of them has
 * taken its own back, the jobserver has as many as before.
 *
 *   lenders   launchers that wait now
 *   lent      tokens that are in the jobserver beyond its own
 *   debt      lent - lenders: launchers have left, and make had given their tokens away
 *
 *            lend                 takeBack: a token was there
 *   even ──────────▶ even + 1  ─────────────────────────────────▶ even
 *                       │ takeBack: none was there        ▲
 *                       ▼                                 │ a new lender brings none,
 *                     debt ───────────────────────────────┘ or one comes back
 *
 * Make counts its tokens when it has nothing left to do: a debt that stays till then makes it print
 * an INTERNAL notice. So a launcher leaves with a debt only while another one lends, which will
 * settle it; the last one waits, not for long.
 */
import { DONATION } from '../core/limits.js';
import type { Clock, Timer } from '../platform/clock.js';
import type { TokenPipe } from '../platform/token-pipe.js';

export class LentTokens {
  readonly #pipe: TokenPipe;
  readonly #clock: Clock;
  readonly #onEven: () => void;
  #lenders = 0;
  #lent = 0;
  #nextLook: Timer | undefined;
  readonly #waiting = new Set<() => void>();

  /** @param onEven called when nobody lends and nothing is owed: this object has ended then */
  constructor(pipe: TokenPipe, clock: Clock, onEven: () => void) {
    this.#pipe = pipe;
    this.#clock = clock;
    this.#onEven = onEven;
  }

  get lent(): number {
    return this.#lent;
  }

  get debt(): number {
    return Math.max(0, this.#lent - this.#lenders);
  }

  lend(): void {
    this.#lenders++;
    this.#settle();
  }

  /**
   * Resolves when the token is back, or when it may be owed.
   *
   * @param gone aborted when the launcher is dead, who needs no token any more
   */
  async takeBack(gone: AbortSignal): Promise<void> {
    this.#lenders--;
    this.#settle();
    if (this.debt > 0 && this.#lenders === 0 && !gone.aborted) await this.#patience(gone);
  }

  #patience(gone: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        this.#waiting.delete(end);
        timer.cancel();
        gone.removeEventListener('abort', end);
        resolve();
      };
      const timer = this.#clock.after(DONATION.patience, end);
      gone.addEventListener('abort', end, { once: true });
      this.#waiting.add(end);
    });
  }

  /** As many in the pipe as there are lenders, as far as that can be had now. */
  #settle(): void {
    while (this.#lent < this.#lenders && this.#pipe.put()) this.#lent++;
    while (this.debt > 0 && this.#take());
    if (this.debt === 0 || this.#lenders > 0) for (const end of [...this.#waiting]) end();
    this.#nextLook?.cancel();
    if (this.debt > 0) {
      const pause = this.#lenders === 0 ? DONATION.look : DONATION.lookWhileLent;
      this.#nextLook = this.#clock.after(pause, () => this.#settle());
    } else if (this.#lenders === 0) {
      this.#pipe.close();
      this.#onEven();
    }
  }

  /** False: none is there. */
  #take(): boolean {
    const answer = this.#pipe.take();
    if (answer === 'taken') this.#lent--;
    // All that was lent went with it.
    if (answer === 'gone') this.#lent = 0;
    return answer === 'taken';
  }
}
