/**
 * Where the farm's time went: for each moment how many slots worked, and why the others did not.
 *
 *   full      working, and compiles wait for a slot: more slots would help
 *   working   working, and nothing waits
 *   client    idle, while a compile is in the hands of this host or on the wire
 *   nothing   idle, and nothing is there to be compiled: make gave no more commands
 */
import type { BuildCommand, BuildModel } from './build-model.js';
import { levelsOf, type Interval, type Level } from './intervals.js';

export const SHARES = ['full', 'working', 'client', 'nothing'] as const;

export type Share = (typeof SHARES)[number];

export interface Utilisation {
  /** Of all hosts together. */
  readonly slots: number;
  /** Of all slots and the whole wall time, 1 in all; all 0 where there are no slots. */
  readonly shares: Readonly<Record<Share, number>>;
  /** Slots by what they did, mean of each of equal parts of the wall time. */
  readonly series: readonly Readonly<Record<Share, number>>[];
  /** Most commands at once that this session had open: what make's -j came to. */
  readonly concurrency: number;
}

type State = 'client' | 'queue' | 'remote' | 'here';
const STATES: readonly State[] = ['client', 'queue', 'remote', 'here'];

/** @param parts of the series */
export function utilisationOf(model: BuildModel, parts: number): Utilisation {
  const slots = model.hosts.reduce((sum, host) => sum + host.slots, 0);
  const none = { full: 0, working: 0, client: 0, nothing: 0 };
  const sums = { ...none };
  const series = Array.from({ length: parts }, () => ({ ...none }));
  const width = model.wall / parts;
  const levels = levelsOf(model.commands.flatMap(statesOf), STATES);
  for (const level of withGaps(levels, model.wall)) {
    const used = slotsAt(level, slots);
    for (const share of SHARES) sums[share] += used[share] * (level.to - level.from);
    if (width <= 0) continue;
    for (let part = Math.floor(level.from / width); part < parts; part++) {
      const overlap = Math.min(level.to, (part + 1) * width) - Math.max(level.from, part * width);
      if (overlap <= 0) break;
      const bucket = series[part];
      if (bucket === undefined) break;
      for (const share of SHARES) bucket[share] += (used[share] * overlap) / width;
    }
  }
  const whole = slots * model.wall;
  const shares = whole > 0 ? mapShares((share) => sums[share] / whole) : none;
  return { slots, shares, series, concurrency: concurrencyOf(model.commands) };
}

export function concurrencyOf(commands: readonly BuildCommand[]): number {
  const open = commands.map(({ start, end }) => ({ from: start, to: end, kind: 'open' as const }));
  return levelsOf(open, ['open']).reduce((most, { counts }) => Math.max(most, counts.open), 0);
}

function slotsAt({ counts }: Level<State>, slots: number): Record<Share, number> {
  const busy = Math.min(counts.remote, slots);
  const isFull = counts.queue + counts.remote - busy > 0 && busy === slots;
  const client = Math.min(slots - busy, counts.client + counts.queue);
  return {
    full: isFull ? busy : 0,
    working: isFull ? 0 : busy,
    client,
    nothing: slots - busy - client,
  };
}

/** What a command does at which time, as far as slots of servers care. */
function statesOf(command: BuildCommand): (Interval & { readonly kind: State })[] {
  const { start, end, busy, remote } = command;
  if (remote === null) return [{ from: busy.from, to: busy.to, kind: 'here' }];
  const asked = remote.span.from - remote.phases.remoteQueue;
  return [
    { from: start, to: asked, kind: 'client' },
    { from: asked, to: remote.span.from, kind: 'queue' },
    { from: remote.span.from, to: busy.from - remote.queued, kind: 'client' },
    { from: busy.from - remote.queued, to: busy.from, kind: 'queue' },
    { from: busy.from, to: busy.to, kind: 'remote' },
    { from: busy.to, to: end, kind: 'client' },
  ];
}

/** Times in which there was no command at all are levels too. */
function withGaps(levels: readonly Level<State>[], wall: number): Level<State>[] {
  const counts = { client: 0, queue: 0, remote: 0, here: 0 };
  const all: Level<State>[] = [];
  let at = 0;
  for (const level of levels) {
    if (level.from > at) all.push({ from: at, to: level.from, counts });
    all.push(level);
    at = level.to;
  }
  if (wall > at) all.push({ from: at, to: wall, counts });
  return all;
}

function mapShares(of: (share: Share) => number): Record<Share, number> {
  return {
    full: of('full'),
    working: of('working'),
    client: of('client'),
    nothing: of('nothing'),
  };
}
