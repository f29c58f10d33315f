/** What the kernel tells of processes: whether one exists, who started it, whether a terminal speaks to us. */
import { closeSync, openSync, readSync } from 'node:fs';

/** Start time in clock ticks since boot; undefined when there is no such process (any more). */
export function processStart(pid: number): string | undefined {
  const [state, ...others] = statFields(pid) ?? [];
  // A zombie has ended, whoever still has to be told.
  return state === 'Z' || state === 'X' ? undefined : others[18];
}

/** Whether our process group is the one that a terminal sends its signals to (^C, ^\). */
export function isInForeground(): boolean {
  const [, , group, , , foreground] = statFields('self') ?? [];
  return group !== undefined && group === foreground;
}

export interface ProcessIdentity {
  /** Name of the program's file, cut after 15 bytes. */
  readonly name: string;
  /** Process id of the parent. */
  readonly parent: number;
}

/** Undefined when there is no such process (any more). */
export function processIdentity(pid: number): ProcessIdentity | undefined {
  const stat = readStat(pid);
  const parent = fieldsOf(stat)?.[1];
  if (stat === undefined || parent === undefined) return undefined;
  return {
    name: stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')),
    parent: Number(parent),
  };
}

/** The fields of proc(5)'s stat from the third (state) on; undefined when there is no process. */
function statFields(pid: number | 'self'): string[] | undefined {
  return fieldsOf(readStat(pid));
}

function fieldsOf(stat: string | undefined): string[] | undefined {
  // The name in parentheses may hold anything; the fields begin after the last one.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Room for any of them: some fifty numbers, and a name of 15 bytes. */
const STAT = Buffer.alloc(2048);

/** With half the system calls of readFileSync, which asks for the size first and for the end last. */
function readStat(pid: number | 'self'): string | undefined {
  try {
    const file = openSync(`/proc/${pid}/stat`, 'r');
    try {
      return STAT.toString('latin1', 0, readSync(file, STAT, 0, STAT.length, null));
    } finally {
      closeSync(file);
    }
  } catch {
    // Gone while we looked, or never there: both mean the same.
    return undefined;
  }
}
