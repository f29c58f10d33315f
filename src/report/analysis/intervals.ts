/** Intervals of time: which of them can share a row, and how many there are at each moment. */

export interface Interval {
  readonly from: number;
  readonly to: number;
}

/**
 * A row for each interval, from 0, so that none overlap in a row: each takes the lowest that is free,
 * which uses as few rows as there are intervals at once.
 */
export function packIntervals(intervals: readonly Interval[]): number[] {
  const rows: number[] = [];
  const lanes: number[] = [];
  const order = intervals.map((_, at) => at).toSorted((a, b) => fromOf(a) - fromOf(b));
  function fromOf(at: number): number {
    return intervals[at]?.from ?? 0;
  }
  for (const at of order) {
    const free = rows.findIndex((end) => end <= fromOf(at));
    const lane = free < 0 ? rows.length : free;
    rows[lane] = intervals[at]?.to ?? 0;
    lanes[at] = lane;
  }
  return lanes;
}

/** Between two moments, how many intervals of each kind there are. */
export interface Level<K extends string> {
  readonly from: number;
  readonly to: number;
  readonly counts: Readonly<Record<K, number>>;
}

/**
 * All moments at which some count changes, in order. Intervals without length count nowhere.
 *
 * @param kinds every kind there is
 */
export function levelsOf<K extends string>(
  intervals: readonly (Interval & { readonly kind: K })[],
  kinds: readonly K[],
): Level<K>[] {
  const changes = intervals
    .filter(({ from, to }) => to > from)
    .flatMap(({ from, to, kind }) => [
      { at: from, kind, by: 1 },
      { at: to, kind, by: -1 },
    ])
    .toSorted((a, b) => a.at - b.at);
  const counts = Object.fromEntries(kinds.map((kind) => [kind, 0])) as Record<K, number>;
  const levels: Level<K>[] = [];
  for (const [place, { at, kind, by }] of changes.entries()) {
    counts[kind] += by;
    const next = changes[place + 1]?.at;
    if (next !== undefined && next > at) levels.push({ from: at, to: next, counts: { ...counts } });
  }
  return levels;
}
