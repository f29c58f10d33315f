/**
 * How fast compiles are on one host: the mean, on a scale of logarithms, of how much longer they took
 * there than expected. Recent ones count more; one alone changes little. Pure.
 */
import { SPEED } from '../core/scheduling-limits.js';

export class HostSpeed {
  /** 1 is twice as long as expected, -1 half as long. */
  #lag = 0;
  #factor = 1;

  /** 1 for an average host, 2 for one where compiles take half the time; in steps. */
  get factor(): number {
    return this.#factor;
  }

  /**
   * @param took milliseconds
   * @param expected milliseconds
   * @param isKnown whether this very unit is known to take so long, or compiles on average
   */
  observe(took: number, expected: number, isKnown: boolean): void {
    const { weight, most } = isKnown ? SPEED.known : SPEED.average;
    const lag = Math.log2(Math.max(took, SPEED.least) / Math.max(expected, SPEED.least));
    this.#lag += weight * (Math.min(most, Math.max(-most, lag)) - this.#lag);
    const steps = Math.round(-this.#lag * SPEED.steps) / SPEED.steps;
    this.#factor = 2 ** Math.min(SPEED.most, Math.max(-SPEED.most, steps));
  }
}
