/** What a farm could do at best. Pure; all times in seconds. */

/**
 * When all is done, if slots cost nothing to reach and none is idle while something waits: compiles
 * begin in their order, each in the slot that is free first.
 */
export function queueTime(times: readonly number[], slots: number): number {
  const free = Array.from({ length: slots }, () => 0);
  for (const time of times) {
    const first = free.indexOf(Math.min(...free));
    free[first] = (free[first] ?? 0) + time;
  }
  return Math.max(...free);
}
