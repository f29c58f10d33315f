/**
 * The report of the newest build so far, for the live page. `tscc report` makes it in a process of its
 * own: what it computes would hold up all compiles here. One at a time, and for those who ask soon after
 * the same.
 */
import { LIVE } from '../core/live-limits.js';
import type { Clock } from '../platform/clock.js';

interface Kept {
  readonly page: Promise<string>;
  /** Monotonic time of its making; Infinity until then, -Infinity for one that nobody wants. */
  made: number;
}

export class SessionReport {
  readonly #make: () => Promise<string>;
  readonly #clock: Pick<Clock, 'monotonic'>;
  #kept: Kept | undefined;

  /** @param make resolves with the page; rejects with an Error that says why there is none */
  constructor(make: () => Promise<string>, clock: Pick<Clock, 'monotonic'>) {
    this.#make = make;
    this.#clock = clock;
  }

  /** Rejects as `make` does; the next one who asks causes another try. */
  page(): Promise<string> {
    const kept = this.#kept;
    if (kept !== undefined && this.#clock.monotonic() - kept.made < LIVE.reportAge) {
      return kept.page;
    }
    const next: Kept = { page: this.#makeAfter(kept?.page), made: Infinity };
    this.#kept = next;
    void this.#follow(next);
    return next.page;
  }

  /** A build has ended: what was made until now, or is being made, does not tell all of it. */
  outdate(): void {
    if (this.#kept !== undefined) this.#kept.made = -Infinity;
  }

  async #follow(next: Kept): Promise<void> {
    try {
      await next.page;
      if (next.made === Infinity) next.made = this.#clock.monotonic();
    } catch {
      // Whoever asked for it is told why.
      if (this.#kept === next) this.#kept = undefined;
    }
  }

  async #makeAfter(before: Promise<string> | undefined): Promise<string> {
    await before?.catch(() => undefined);
    return this.#make();
  }
}
