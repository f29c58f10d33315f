/** Which server gets the next compile. Pure. */
import { SCHEDULING } from '../core/limits.js';

export interface HostChoice<T> {
  readonly item: T;
  /** Compiles that it runs at once; 0 takes none. */
  readonly slots: number;
  /** The user's preference, 1 by default. */
  readonly weight: number;
  /** Places that this daemon holds there. */
  readonly mine: number;
  /** Jobs that other clients have there. */
  readonly others: number;
}

/**
 * The host that would be least loaded with one more job, counted per weighted slot; the first of
 * equals. A host takes this daemon's jobs up to its slots and one more (SCHEDULING.preload), so
 * that its next job is there when one ends. Undefined: all are full.
 */
export function chooseHost<T>(hosts: readonly HostChoice<T>[]): T | undefined {
  let best: { readonly item: T; readonly load: number } | undefined;
  for (const { item, slots, weight, mine, others } of hosts) {
    if (slots <= 0 || mine >= slots + SCHEDULING.preload) continue;
    const load = (mine + others + 1) / (slots * weight);
    if (best === undefined || load < best.load) best = { item, load };
  }
  return best?.item;
}
