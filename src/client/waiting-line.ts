/**
 * Compiles that wait for a place. Fair between builds: next is one of the build that holds the
 * fewest places. Of its own compiles the longest goes first, as far as history knows, so that no
 * long one is left for the end; none is overtaken for longer than QUEUE.patience. Pure.
 */
import { QUEUE } from '../core/scheduling-limits.js';

export interface Waiting {
  /** The build that it belongs to. */
  readonly session: string;
  /** Milliseconds that it will take; undefined where nobody knows. */
  readonly expected: number | undefined;
  /** Monotonic time at which it came. */
  readonly since: number;
  /** What may suit one of a kind suits all of it: where one finds no place none does. */
  readonly kind: string;
}

export class WaitingLine<T extends Waiting> {
  /** In the order in which they came. */
  readonly #entries = new Set<T>();

  get size(): number {
    return this.#entries.size;
  }

  add(entry: T): void {
    this.#entries.add(entry);
  }

  remove(entry: T): void {
    this.#entries.delete(entry);
  }

  /**
   * Serves as many as it can, the next one at each time. An entry that is served is removed.
   *
   * @param held places of each build
   * @param serve false where there is no place for it, and so for none of its kind
   */
  serve(held: ReadonlyMap<string, number>, now: number, serve: (entry: T) => boolean): void {
    const inVain = new Set<string>();
    for (;;) {
      const next = this.#next(held, now, inVain);
      if (next === undefined) return;
      // It may have gone meanwhile, and another may have come.
      if (serve(next)) this.#entries.delete(next);
      else inVain.add(next.kind);
    }
  }

  #next(
    held: ReadonlyMap<string, number>,
    now: number,
    inVain: ReadonlySet<string>,
  ): T | undefined {
    let best: T | undefined;
    let bestHeld = 0;
    for (const entry of this.#entries) {
      if (inVain.has(entry.kind)) continue;
      const places = held.get(entry.session) ?? 0;
      if (
        best === undefined ||
        places < bestHeld ||
        (places === bestHeld && goesBefore(entry, best, now))
      ) {
        best = entry;
        bestHeld = places;
      }
    }
    return best;
  }
}

/** Whether the one that came later goes first. */
function goesBefore(later: Waiting, earlier: Waiting, now: number): boolean {
  if (now - earlier.since >= QUEUE.patience) return false;
  if (now - later.since >= QUEUE.patience) return true;
  return (later.expected ?? QUEUE.unknown) > (earlier.expected ?? QUEUE.unknown);
}
