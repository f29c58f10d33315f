/** Whether a process exists, telling it from a later one with the same number. */
import { readFileSync } from 'node:fs';

/** Start time in clock ticks since boot; undefined when there is no such process (any more). */
export function processStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name in parentheses may hold anything; the fields begin after the last one. A zombie
    // has ended, whoever still has to be told.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    // Gone while we looked, or never there: both mean the same.
    return undefined;
  }
}
