/** What the same build would have taken on other farms: rows of replays, with the replay's error. */
import type { BuildCommand, BuildModel } from './build-model.js';
import { replay, replaySteps, type ReplayStep } from './replay.js';
import { concurrencyOf } from './utilisation.js';

export interface WhatIfRow {
  readonly hosts: number;
  /** Of all hosts together. */
  readonly slots: number;
  /** Of make. */
  readonly jobs: number;
  /** Milliseconds, with the order that make kept. */
  readonly wall: number;
  /** The same if every command could begin at once, the longest first: the difference is what the order costs. */
  readonly unordered: number;
}

export interface WhatIf {
  /** Replay of the farm as it was; null where nothing went out. */
  readonly same: WhatIfRow | null;
  /** Of that replay against the real wall: (replay - real) / real. */
  readonly error: number | null;
  /** Other numbers of hosts like those that there were, with as many more of make's jobs. */
  readonly rows: readonly WhatIfRow[];
  /** The farm as it was, with enough of make's jobs for it; null where make had as many. */
  readonly moreJobs: WhatIfRow | null;
  /** The farm as it was, if each compiler there had had a processor of its own. */
  readonly uncrowded: WhatIfRow | null;
}

export function whatIf(model: BuildModel, hostCounts: readonly number[]): WhatIf {
  const hosts = model.hosts.filter(({ slots }) => slots > 0);
  const slots = hosts.reduce((sum, host) => sum + host.slots, 0);
  if (slots === 0 || model.wall <= 0) {
    return { same: null, error: null, rows: [], moreJobs: null, uncrowded: null };
  }
  const jobs = concurrencyOf(model.commands);
  const steps = replaySteps(model.commands, jobs);
  const here = Math.max(
    1,
    concurrencyOf(model.commands.filter(({ outcome }) => outcome === 'local')),
  );
  const row = (hostCount: number, of: readonly ReplayStep[], least = jobs): WhatIfRow => {
    const farm = Math.max(1, Math.round((slots * hostCount) / hosts.length));
    const more = Math.max(least, Math.ceil((jobs * farm) / slots));
    return {
      hosts: hostCount,
      slots: farm,
      jobs: more,
      wall: replay(of, { farm, here, jobs: more }),
      unordered: replay(withoutOrder(of), { farm, here, jobs: Infinity }),
    };
  };
  const same = row(hosts.length, steps);
  const enough = enoughJobs(slots);
  return {
    same,
    error: (same.wall - model.wall) / model.wall,
    rows: hostCounts.map((count) => row(count, steps)),
    moreJobs: jobs >= slots ? null : row(hosts.length, steps, enough),
    uncrowded: row(hosts.length, uncrowded(steps, model.commands)),
  };
}

/** Some more than slots: while one is sent or put in place, another one compiles. */
export function enoughJobs(slots: number): number {
  return Math.ceil(slots * 1.25);
}

function uncrowded(
  steps: readonly ReplayStep[],
  commands: readonly BuildCommand[],
): readonly ReplayStep[] {
  return steps.map((step, at) => {
    const cpu = commands[at]?.remote?.cpu;
    return cpu === undefined ? step : { ...step, service: Math.min(step.service, cpu) };
  });
}

function withoutOrder(steps: readonly ReplayStep[]): readonly ReplayStep[] {
  return steps
    .map((step): ReplayStep => ({ ...step, cause: { kind: 'nothing', delay: 0 } }))
    .toSorted((a, b) => b.service - a.service);
}
