/** How busy and how full the host is, for those who ask at every turn. */
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import type { Clock } from './clock.js';

/** Milliseconds; the kernel itself counts anew every five seconds. */
const PERIOD = 1_000;

/** Gives a function that tells the load of the last minute, looked up once a second at most. */
export function loadAverage(clock: Pick<Clock, 'monotonic'>, look = loadavg): () => number {
  return lookedUp(clock, () => look()[0] ?? 0);
}

/** The same for bytes of memory that programs can have without others being paged out. */
export function availableMemory(
  clock: Pick<Clock, 'monotonic'>,
  look = () => readFileSync('/proc/meminfo', 'latin1'),
): () => number {
  return lookedUp(clock, () => Number(/^MemAvailable: +([0-9]+) kB$/m.exec(look())?.[1]) * 1024);
}

function lookedUp(clock: Pick<Clock, 'monotonic'>, look: () => number): () => number {
  let known = 0;
  let nextLook = Number.NEGATIVE_INFINITY;
  return () => {
    const now = clock.monotonic();
    if (now >= nextLook) {
      known = look();
      nextLook = now + PERIOD;
    }
    return known;
  };
}
