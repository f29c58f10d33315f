/**
 * A build played again on another farm by list scheduling: commands start in make's order, as soon
 * as what let them begin has happened and make has a job free; compiles take the first free slot.
 *
 *   waiting ──cause happened──▶ ready ──job free──▶ started ──client's part──▶ queued
 *                                                                                │ slot free
 *   ended ◀──client's part── compiled ◀──────────── its time ───────────── in a slot
 *
 * The times of each command are those of the journal: what a busier client or another kind of host
 * would change is not known, which is why the replay of the same farm is compared with the real wall.
 */
import type { BuildCommand } from './build-model.js';

/** What a command waited for in the real build. */
export type Cause =
  | { readonly kind: 'nothing'; readonly delay: number }
  /** Another command's start: make starts one after the other. */
  | { readonly kind: 'start' | 'end'; readonly of: number; readonly delay: number };

/** A command as the replay needs it. Times in milliseconds. */
export interface ReplayStep {
  readonly cause: Cause;
  /** From its start until it wants a slot. */
  readonly before: number;
  /** In a slot. */
  readonly service: number;
  /** From there to its end. */
  readonly after: number;
  /** Which slots it takes: the farm's, this host's, or none. */
  readonly pool: 'farm' | 'here' | 'none';
}

export interface ReplaySettings {
  /** Slots of all servers. */
  readonly farm: number;
  /** Compiles here at once. */
  readonly here: number;
  /** Commands that make has open at once. */
  readonly jobs: number;
}

/** A share of make's jobs that counts as all of them: make starts commands that tscc does not see. */
const NEARLY_ALL = 0.9;

/**
 * @param commands by start
 * @param jobs most commands at once
 */
export function replaySteps(commands: readonly BuildCommand[], jobs: number): ReplayStep[] {
  const byEnd = commands.map((_, at) => at).toSorted((a, b) => endOf(a) - endOf(b) || a - b);
  function endOf(at: number): number {
    return commands[at]?.end ?? 0;
  }
  let ended = 0;
  return commands.map((command, at) => {
    // Ends are met in order, since starts are. A command without length ends when it starts.
    for (let next = byEnd[ended] ?? at; next < at; next = byEnd[ended] ?? at) {
      if (endOf(next) > command.start) break;
      ended++;
    }
    return { cause: causeOf(command, at), ...partsOf(command) };
  });

  function causeOf({ start }: BuildCommand, at: number): Cause {
    const before = commands[at - 1];
    if (before === undefined) return { kind: 'nothing', delay: start };
    const last = byEnd[ended - 1];
    if (last === undefined || endOf(last) < before.start) {
      return { kind: 'start', of: at - 1, delay: start - before.start };
    }
    const delay = start - endOf(last);
    // With all jobs in use it waited for a free one only, and any would have done.
    const open = at - (ended - 1);
    if (open >= Math.ceil(NEARLY_ALL * jobs)) return { kind: 'start', of: at - 1, delay };
    return { kind: 'end', of: last, delay };
  }
}

function partsOf(command: BuildCommand): Omit<ReplayStep, 'cause'> {
  const { start, end, busy, remote, outcome } = command;
  if (remote === null) {
    const pool = outcome === 'local' ? 'here' : 'none';
    const before = pool === 'here' ? 0 : busy.from - start;
    return { before, service: busy.to - busy.from, after: end - busy.to, pool };
  }
  const { span, queued, phases } = remote;
  // Contents travel while the slot is another's (SCHEDULING.preload).
  const service = busy.to - busy.from;
  const transfer = span.to - span.from - queued - service;
  const before = span.from - phases.remoteQueue - start;
  return { before: before + transfer, service, after: end - span.to, pool: 'farm' };
}

interface Happening {
  readonly time: number;
  readonly kind: 'ready' | 'wants' | 'served' | 'ended';
  readonly step: number;
}

/** Wall time of the build on such a farm. Without slots for a pool its commands wait for ever: Infinity. */
export function replay(steps: readonly ReplayStep[], settings: ReplaySettings): number {
  const free = { farm: settings.farm, here: settings.here, none: Infinity };
  const queues = { farm: new Queue(), here: new Queue(), none: new Queue() };
  const ready = new Heap<number>((a, b) => a - b);
  const agenda = new Heap<Happening>((a, b) => a.time - b.time || a.step - b.step);
  const dependents = dependentsOf(steps);
  let jobs = settings.jobs;
  let left = steps.length;
  let wall = 0;

  for (const [step, { cause }] of steps.entries()) {
    if (cause.kind === 'nothing') agenda.push({ time: cause.delay, kind: 'ready', step });
  }
  for (let next = agenda.pop(); next !== undefined; next = agenda.pop()) {
    const { time, step } = next;
    const { pool = 'none', after = 0 } = steps[step] ?? {};
    switch (next.kind) {
      case 'ready':
        ready.push(step);
        break;
      case 'wants':
        queues[pool].push(step);
        serve(pool, time);
        continue;
      case 'served':
        free[pool]++;
        agenda.push({ time: time + after, kind: 'ended', step });
        serve(pool, time);
        continue;
      case 'ended':
        wall = Math.max(wall, time);
        jobs++;
        left--;
        tell('end', step, time);
    }
    start(time);
  }
  return left === 0 ? wall : Infinity;

  function start(time: number): void {
    while (jobs > 0) {
      const step = ready.pop();
      if (step === undefined) return;
      jobs--;
      agenda.push({ time: time + (steps[step]?.before ?? 0), kind: 'wants', step });
      tell('start', step, time);
    }
  }

  function serve(pool: ReplayStep['pool'], time: number): void {
    while (free[pool] > 0) {
      const step = queues[pool].shift();
      if (step === undefined) return;
      free[pool]--;
      agenda.push({ time: time + (steps[step]?.service ?? 0), kind: 'served', step });
    }
  }

  function tell(kind: 'start' | 'end', of: number, time: number): void {
    for (const step of dependents[kind][of] ?? []) {
      agenda.push({ time: time + (steps[step]?.cause.delay ?? 0), kind: 'ready', step });
    }
  }
}

function dependentsOf(steps: readonly ReplayStep[]): Record<'start' | 'end', number[][]> {
  const dependents: Record<'start' | 'end', number[][]> = { start: [], end: [] };
  for (const [step, { cause }] of steps.entries()) {
    if (cause.kind !== 'nothing') (dependents[cause.kind][cause.of] ??= []).push(step);
  }
  return dependents;
}

/** First in, first out, without moving the rest. */
class Queue {
  readonly #items: number[] = [];
  #first = 0;

  push(item: number): void {
    this.#items.push(item);
  }

  shift(): number | undefined {
    return this.#first < this.#items.length ? this.#items[this.#first++] : undefined;
  }
}

/** Gives the least first. */
class Heap<T> {
  readonly #items: T[] = [];
  readonly #compare: (a: T, b: T) => number;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  push(item: T): void {
    let at = this.#items.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#swapIfLess(at, parent)) return;
      at = parent;
    }
  }

  pop(): T | undefined {
    const [least] = this.#items;
    const last = this.#items.pop();
    if (last === undefined || this.#items.length === 0) return last;
    this.#items[0] = last;
    let at = 0;
    for (;;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      const child = right < this.#items.length && this.#isLess(right, left) ? right : left;
      if (child >= this.#items.length || !this.#swapIfLess(child, at)) return least;
      at = child;
    }
  }

  #isLess(a: number, b: number): boolean {
    return this.#compare(this.#items[a] as T, this.#items[b] as T) < 0;
  }

  #swapIfLess(a: number, b: number): boolean {
    if (!this.#isLess(a, b)) return false;
    [this.#items[a], this.#items[b]] = [this.#items[b] as T, this.#items[a] as T];
    return true;
  }
}
