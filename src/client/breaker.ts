/**
 * Whether a host deserves the next compile. One for each link; time and chance are arguments.
 *
 *              lost, or BREAKER.faults in a row
 *   closed ─────────────────────────────────────▶ open ◀──────────┐
 *      ▲                                            │              │ the probe fails
 *      │ the probe succeeds          pause is over  ▼              │
 *      └──────────────────────────────────────── half-open ────────┘
 *
 * The probe of a host that was lost is the next connection, that of a host that is there and does
 * its jobs badly is one job. Each opening without a job done between is followed by a pause twice as
 * long as the one before.
 */
import { BREAKER } from '../core/scheduling-limits.js';

type BreakerState =
  /** `faults` in a row. */
  | { readonly name: 'closed'; readonly faults: number }
  | { readonly name: 'open'; readonly why: string; readonly until: number }
  | { readonly name: 'half-open'; readonly why: string };

export class Breaker {
  readonly #random: () => number;
  #state: BreakerState = { name: 'closed', faults: 0 };
  /** Openings since a job was last done. */
  #openings = 0;

  /** @param random as Math.random */
  constructor(random: () => number) {
    this.#random = random;
  }

  get state(): BreakerState['name'] {
    return this.#state.name;
  }

  /** Why it is not closed; undefined while it is. */
  get why(): string | undefined {
    return this.#state.name === 'closed' ? undefined : this.#state.why;
  }

  /** Monotonic time until which nothing is tried; undefined unless it is open. */
  get until(): number | undefined {
    return this.#state.name === 'open' ? this.#state.until : undefined;
  }

  /** Whether something may be tried, which half opens it where its pause is over. */
  mayTry(now: number): boolean {
    switch (this.#state.name) {
      case 'open':
        if (now < this.#state.until) return false;
        this.#state = { name: 'half-open', why: this.#state.why };
        return true;
      case 'closed':
      case 'half-open':
        return true;
    }
  }

  /** A job failed, and it may be the host's fault. True when that has opened the breaker. */
  fault(why: string, now: number): boolean {
    switch (this.#state.name) {
      case 'closed': {
        const faults = this.#state.faults + 1;
        if (faults >= BREAKER.faults) return this.#open(`${faults} faults in a row: ${why}`, now);
        this.#state = { name: 'closed', faults };
        return false;
      }
      case 'half-open':
        return this.#open(`on trial: ${why}`, now);
      case 'open':
        // Of a job that was there before.
        return false;
    }
  }

  /** Nobody is there (any more). */
  lost(why: string, now: number): void {
    if (this.#state.name !== 'open') this.#open(why, now);
  }

  /** Connected and greeted. Whether it does jobs as well will be seen: the pause is not forgotten. */
  greeted(): void {
    this.#state = { name: 'closed', faults: 0 };
  }

  /** A job was done. True when that has closed the breaker. */
  success(): boolean {
    switch (this.#state.name) {
      case 'open':
        // Of a job that was there before; the probe will tell.
        return false;
      case 'half-open':
      case 'closed': {
        const wasOpen = this.#state.name === 'half-open';
        this.#openings = 0;
        this.#state = { name: 'closed', faults: 0 };
        return wasOpen;
      }
    }
  }

  #open(why: string, now: number): true {
    const pause = Math.min(BREAKER.pauseFirst * 2 ** this.#openings, BREAKER.pauseLast);
    const jitter = 1 + BREAKER.jitter * (2 * this.#random() - 1);
    this.#openings++;
    this.#state = { name: 'open', why, until: now + pause * jitter };
    return true;
  }
}
