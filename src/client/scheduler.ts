/** Which host gets the next compile. Pure but for `random`; one or two walks over the hosts. */
import { mix32 } from '../core/text-hash.js';
import type { Choice } from '../report/events.js';

export interface HostChoice {
  /** Compiles that it runs at once; 0 takes none. */
  readonly slots: number;
  /** Places that this daemon may hold there. */
  readonly room: number;
  /** Places that it holds there. */
  readonly mine: number;
  /** What it has to do besides, in compiles. */
  readonly others: number;
  /** What else keeps it busy, in compiles: slows it down, and takes no slot. */
  readonly strain: number;
  /** Whether others may choose it at the same moment, each knowing only what was told before. */
  readonly isShared: boolean;
  /** The user's preference, 1 by default. */
  readonly weight: number;
  /** How fast compiles are there, 1 for an average host. */
  readonly speed: number;
  /** Of its name (`hashText`). */
  readonly nameHash: number;
}

export interface Chosen<T> {
  readonly host: T;
  readonly why: Exclude<Choice, 'race'>;
}

/**
 * A host with an idle slot, and of these the one that would be least loaded with one more job: per
 * slot, weighted by preference and speed. Of equals the one that the unit draws by rendezvous (the
 * highest hash of both), so that a source goes where it went last time and finds its headers there;
 * without `unit` the first. Where other clients are at work and a choice is left, the better of two
 * drawn at random: all clients are told the same, and must not all take the same host. Without an
 * idle slot anywhere, the host least loaded among those that have room for a job that waits.
 * Undefined: all are full.
 *
 * @param unit hash of what is compiled
 * @param random as Math.random
 */
export function chooseHost<T extends HostChoice>(
  hosts: readonly T[],
  unit: number | undefined,
  random: () => number,
): Chosen<T> | undefined {
  let best: T | undefined;
  let isBestIdle = false;
  let free = 0;
  let idle = 0;
  let equals = 0;
  let isContested = false;
  for (const host of hosts) {
    if (host.mine >= host.room) continue;
    free++;
    if (host.isShared && host.others > 0) isContested = true;
    const isIdle = hasIdleSlot(host);
    if (isIdle) idle++;
    if (best === undefined || (isIdle && !isBestIdle)) {
      [best, isBestIdle, equals] = [host, isIdle, 1];
    } else if (isIdle === isBestIdle) {
      const difference = loadOf(host) - loadOf(best);
      if (difference === 0) equals++;
      else if (difference < 0) equals = 1;
      if (difference < 0 || (difference === 0 && isDrawn(unit, host, best))) best = host;
    }
  }
  if (best === undefined) return undefined;
  if (free === 1) return { host: best, why: 'only-one-free' };
  if (!isBestIdle) return { host: best, why: 'next-in-line' };
  if (isContested && idle > 2) {
    return { host: betterOfTwo(hosts, idle, random) ?? best, why: 'least-loaded' };
  }
  return {
    host: best,
    why: equals > 1 && unit !== undefined ? 'same-as-last-time' : 'least-loaded',
  };
}

function hasIdleSlot({ mine, others, slots, room }: HostChoice): boolean {
  return mine < room && mine + others < slots;
}

function loadOf({ mine, others, strain, slots, weight, speed }: HostChoice): number {
  return (mine + others + strain + 1) / (slots * weight * speed);
}

function isDrawn(unit: number | undefined, host: HostChoice, other: HostChoice): boolean {
  if (unit === undefined) return false;
  return mix32(unit ^ host.nameHash) > mix32(unit ^ other.nameHash);
}

/** Of the `idle` hosts with an idle slot. */
function betterOfTwo<T extends HostChoice>(
  hosts: readonly T[],
  idle: number,
  random: () => number,
): T | undefined {
  const first = Math.floor(random() * idle);
  const second = (first + 1 + Math.floor(random() * (idle - 1))) % idle;
  let best: T | undefined;
  let at = 0;
  for (const host of hosts) {
    if (!hasIdleSlot(host)) continue;
    if (at === first || at === second) {
      if (best === undefined || loadOf(host) < loadOf(best)) best = host;
    }
    at++;
  }
  return best;
}
