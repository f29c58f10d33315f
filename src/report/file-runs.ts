/**
 * Lists of numbers, most of them runs of neighbours, as text of a journal: `0-41 47 50-53`. Most
 * headers come in the company in which they came first.
 */

/** In ascending order, each once. */
export function joinRuns(numbers: readonly number[]): string {
  // As numbers, which need no function that compares them.
  const sorted = Uint32Array.from(numbers).toSorted();
  const runs: string[] = [];
  for (let i = 0; i < sorted.length;) {
    const first = sorted[i] ?? 0;
    let last = first;
    for (i++; i < sorted.length && (sorted[i] ?? 0) <= last + 1; i++) last = sorted[i] ?? 0;
    runs.push(first === last ? `${first}` : `${first}-${last}`);
  }
  return runs.join(' ');
}

/**
 * What is no run of numbers below `limit` is left out, so that a damaged journal costs no memory.
 *
 * @param limit of the numbers; those that have no name mean nothing
 */
export function splitRuns(text: string, limit: number): number[] {
  const numbers: number[] = [];
  for (const run of text.split(' ')) {
    const [, from, to = from] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(run) ?? [];
    if (from === undefined) continue;
    for (let number = Number(from); number <= Number(to) && number < limit; number++) {
      numbers.push(number);
    }
  }
  return numbers;
}
