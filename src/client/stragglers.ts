/**
 * Compiles that take far longer than expected, while slots are idle and nobody waits: each is to be
 * run once more elsewhere. Looks around every STRAGGLER.interval while compiles run.
 */
import { STRAGGLER } from '../core/scheduling-limits.js';
import type { Clock, Timer } from '../platform/clock.js';

/** A compile on a server. */
export interface RunningCompile {
  /** Monotonic time at which it began. */
  readonly since: number;
  /** Milliseconds that it should take; undefined where nobody knows. */
  readonly expected: number | undefined;
  /** Starts it elsewhere too; false where no host is idle, and it is asked again. */
  race(): boolean;
}

export class Stragglers {
  readonly #clock: Pick<Clock, 'after' | 'monotonic'>;
  readonly #isIdle: () => boolean;
  readonly #running = new Set<RunningCompile>();
  /** The last ones, in no order: a ring. */
  readonly #times: number[] = [];
  #nextTime = 0;
  #timer: Timer | undefined;

  /** @param isIdle whether nobody waits for a slot */
  constructor(clock: Pick<Clock, 'after' | 'monotonic'>, isIdle: () => boolean) {
    this.#clock = clock;
    this.#isIdle = isIdle;
  }

  /** It runs from now on, until `remove`. */
  add(compile: RunningCompile): void {
    this.#running.add(compile);
    this.#timer ??= this.#clock.after(STRAGGLER.interval, () => this.#look());
  }

  remove(compile: RunningCompile): void {
    this.#running.delete(compile);
    if (this.#running.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** A compile took so long in all, in milliseconds. */
  took(milliseconds: number): void {
    this.#times[this.#nextTime] = milliseconds;
    this.#nextTime = (this.#nextTime + 1) % STRAGGLER.samples;
  }

  #look(): void {
    this.#timer = this.#clock.after(STRAGGLER.interval, () => this.#look());
    if (!this.#isIdle()) return;
    const now = this.#clock.monotonic();
    const median = this.#median();
    for (const compile of this.#running) {
      const due = dueAfter(compile.expected, median);
      if (now - compile.since < due) continue;
      if (!compile.race()) return;
      this.#running.delete(compile);
    }
    if (this.#running.size === 0) {
      this.#timer.cancel();
      this.#timer = undefined;
    }
  }

  /** Undefined before there are enough to tell. */
  #median(): number | undefined {
    if (this.#times.length < STRAGGLER.leastSamples) return undefined;
    return this.#times.toSorted((a, b) => a - b)[this.#times.length >> 1];
  }
}

/**
 * Milliseconds after which a compile is a straggler: Infinity where nothing tells.
 *
 * @param expected of this very compile
 * @param median of compiles on this farm
 */
export function dueAfter(expected: number | undefined, median: number | undefined): number {
  if (expected !== undefined) return Math.max(STRAGGLER.least, STRAGGLER.ofExpected * expected);
  if (median !== undefined) return Math.max(STRAGGLER.least, STRAGGLER.ofMedian * median);
  return Infinity;
}
