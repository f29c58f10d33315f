/** What is other than in an earlier session of the same build: by output, and by what was read. */
import { compilesOf, workOf, type BuildCommand, type BuildModel } from './build-model.js';

export interface SessionDifference {
  readonly session: string;
  /** Milliseconds; of the earlier one. */
  readonly wall: number;
  readonly compiles: number;
  /** Outputs that both have. */
  readonly common: number;
  /** Compiles that went out then and ran here now, or the other way round. */
  readonly moved: readonly Moved[];
  /** Compiles that took half as long again, and noticeably more. */
  readonly slower: readonly Slower[];
  /** Outputs whose command is another one. */
  readonly commands: readonly string[];
  /** Files that were read both times with another content, and how many compiles read them now. */
  readonly inputs: readonly { readonly path: string; readonly compiles: number }[];
}

export interface Moved {
  readonly name: string;
  readonly before: string;
  readonly now: string;
  readonly reason: string | null;
}

export interface Slower {
  readonly name: string;
  /** Compiler time, milliseconds. */
  readonly before: number;
  readonly now: number;
  readonly host: string | null;
}

const SLOWER_BY = 1.5;
const SLOWER_MILLISECONDS = 100;

/** Undefined where the two have no output in common: another project. */
export function differenceFrom(before: BuildModel, now: BuildModel): SessionDifference | undefined {
  const earlier = new Map(compilesOf(before).map((command) => [keyOf(command), command]));
  const pairs = compilesOf(now).flatMap((command) => {
    const other = earlier.get(keyOf(command));
    return other === undefined ? [] : [{ before: other, now: command }];
  });
  if (pairs.length === 0) return undefined;
  return {
    session: before.session,
    wall: before.wall,
    compiles: compilesOf(before).length,
    common: pairs.length,
    moved: pairs
      .filter(({ before, now }) => isAway(before) !== isAway(now))
      .map(({ before, now }) => ({
        name: now.name,
        before: before.outcome,
        now: now.outcome,
        reason: now.reason?.name ?? before.reason?.name ?? null,
      })),
    slower: pairs
      .map(({ before, now }) => ({
        name: now.name,
        before: workOf(before),
        now: workOf(now),
        host: now.host,
        // A clock here and a processor there are no match.
        isComparable: isAway(before) === isAway(now),
      }))
      .filter(
        ({ before, now, isComparable }) =>
          isComparable && now > before * SLOWER_BY && now > before + SLOWER_MILLISECONDS,
      )
      .map(({ name, before, now, host }) => ({ name, before, now, host }))
      .toSorted((a, b) => b.now - b.before - (a.now - a.before)),
    commands: pairs
      .filter(({ before, now }) => before.argv.join('\0') !== now.argv.join('\0'))
      .map(({ now }) => now.name),
    inputs: changedInputs(before, now),
  };
}

/** A compile that ran here is known by its source only. */
function keyOf({ cwd, source }: BuildCommand): string {
  return `${cwd}\0${source}`;
}

function isAway({ outcome }: BuildCommand): boolean {
  return outcome === 'pump' || outcome === 'plain' || outcome === 'cache';
}

function changedInputs(
  before: BuildModel,
  now: BuildModel,
): { readonly path: string; readonly compiles: number }[] {
  const earlier = new Map<string, Set<string>>();
  for (const [path, , digest] of before.files) {
    const digests = earlier.get(path) ?? new Set();
    earlier.set(path, digests.add(digest));
  }
  const changed = new Map<number, string>();
  for (const [at, [path, , digest]] of now.files.entries()) {
    if (earlier.get(path)?.has(digest) === false) changed.set(at, path);
  }
  const counts = new Map<string, number>();
  for (const {
    inputs: { reads },
  } of changed.size === 0 ? [] : compilesOf(now)) {
    for (const at of reads) {
      const path = changed.get(at);
      if (path !== undefined) counts.set(path, (counts.get(path) ?? 0) + 1);
    }
  }
  return [...counts]
    .map(([path, compiles]) => ({ path, compiles }))
    .toSorted((a, b) => b.compiles - a.compiles);
}
