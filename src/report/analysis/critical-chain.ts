/**
 * The chain of commands that the build's end hung on, in make's order: from the command that ended
 * last back to the one whose end let it begin, and so on. make may have waited for another one at
 * the same moment; the journal does not tell it from this one.
 */
import type { BuildCommand } from './build-model.js';

export interface ChainLink {
  readonly command: BuildCommand;
  /** Time from the end of the link before (or the build's start) to this one's start. */
  readonly gap: number;
}

/** From the first to the last; empty without commands. Their times and gaps are the wall time. */
export function criticalChain(commands: readonly BuildCommand[]): ChainLink[] {
  const byEnd = commands.toSorted((a, b) => a.end - b.end);
  const links: ChainLink[] = [];
  let at = byEnd.length - 1;
  while (at >= 0) {
    const command = byEnd[at];
    if (command === undefined) break;
    const before = lastEndedBy(byEnd, command.start, at - 1);
    const since = byEnd[before]?.end ?? 0;
    links.push({ command, gap: command.start - since });
    at = before;
  }
  return links.toReversed();
}

/** Place of the last of `byEnd[0…last]` that ended by then; -1: none. */
function lastEndedBy(byEnd: readonly BuildCommand[], time: number, last: number): number {
  let low = 0;
  let high = last + 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((byEnd[middle]?.end ?? Infinity) <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
