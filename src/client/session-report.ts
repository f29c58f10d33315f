/**
 * The report of the newest build so far, for the live page. `tscc report` makes it in a process of its
 * own: what it computes would hold up all compiles here. One at a time, and for those who ask soon after
 * the same.
 */
import { LIVE } from '../core/live-limits.js';
import type { Clock } from '../platform/clock.js';

export class SessionReport {
  readonly #make: () => Promise<string>;
  readonly #clock: Pick<Clock, 'monotonic'>;
  #page: Promise<string> | undefined;
  /** Monotonic time of its making. */
  #made = 0;

  /** @param make resolves with the page; rejects with an Error that says why there is none */
  constructor(make: () => Promise<string>, clock: Pick<Clock, 'monotonic'>) {
    this.#make = make;
    this.#clock = clock;
  }

  /** Rejects as `make` does; the next one who asks causes another try. */
  page(): Promise<string> {
    const isFresh = this.#clock.monotonic() - this.#made < LIVE.reportAge;
    if (this.#page === undefined || !isFresh) this.#page = this.#begin();
    return this.#page;
  }

  async #begin(): Promise<string> {
    // Until it is there nobody begins another.
    this.#made = Infinity;
    try {
      const page = await this.#make();
      this.#made = this.#clock.monotonic();
      return page;
    } catch (error) {
      this.#page = undefined;
      throw error;
    }
  }
}
