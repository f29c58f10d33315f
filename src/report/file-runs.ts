/**
 * Lists of numbers, most of them runs of neighbours, as text of a journal: `0-41 47 50-53`. Most
 * headers come in the company in which they came first.
 */

/** In ascending order, each once. */
export function joinRuns(numbers: readonly number[]): string {
  const sorted = [...new Set(numbers)].toSorted((a, b) => a - b);
  const runs: string[] = [];
  for (let i = 0; i < sorted.length;) {
    const first = sorted[i] ?? 0;
    let length = 1;
    while (sorted[i + length] === first + length) length++;
    runs.push(length === 1 ? `${first}` : `${first}-${first + length - 1}`);
    i += length;
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
