/** The host's load, for those who ask at every turn. */
import { loadavg } from 'node:os';
import type { Clock } from './clock.js';

/** Milliseconds; the kernel itself counts anew every five seconds. */
const PERIOD = 1_000;

/** Gives a function that tells the load of the last minute, looked up once a second at most. */
export function loadAverage(clock: Pick<Clock, 'monotonic'>, look = loadavg): () => number {
  let known = 0;
  let nextLook = Number.NEGATIVE_INFINITY;
  return () => {
    const now = clock.monotonic();
    if (now >= nextLook) {
      known = look()[0] ?? 0;
      nextLook = now + PERIOD;
    }
    return known;
  };
}
