/** Everything that `tscc report` tells of a session, in every form. Pure. */
import type { Outcome } from '../events.js';
import { compilesOf, workOf, type BuildCommand, type BuildModel } from './build-model.js';
import { criticalChain } from './critical-chain.js';
import { directoryCosts, type DirectoryCost } from './directories.js';
import { headerCosts, type HeaderCost } from './header-costs.js';
import { hostFigures, type HostFigures } from './host-figures.js';
import { reasonCosts, type ReasonCost } from './reason-costs.js';
import { rebuilds, type Rebuilds } from './rebuilds.js';
import { recommend, type Recommendation } from './recommendations.js';
import { differenceFrom, type SessionDifference } from './session-difference.js';
import { utilisationOf, type Utilisation } from './utilisation.js';
import { whatIf, type WhatIf } from './what-if.js';

/** `tscc report --json` (docs/report.md); fields may be added. Times are milliseconds. */
export interface BuildReport {
  readonly schema: 1;
  readonly session: string;
  readonly tscc: string;
  /** Since the epoch. */
  readonly started: number;
  readonly wall: number;
  readonly isOpen: boolean;
  readonly summary: BuildSummary;
  /** What would help most first. */
  readonly recommendations: readonly Recommendation[];
  readonly reasons: readonly ReasonCost[];
  readonly hosts: readonly HostFigures[];
  readonly utilisation: Utilisation;
  readonly chain: readonly ChainStep[];
  readonly headers: readonly HeaderCost[];
  readonly headerChanges: { readonly created: number; readonly changed: number };
  readonly rebuilds: Rebuilds;
  readonly directories: readonly DirectoryCost[];
  readonly whatIf: WhatIf;
  readonly slowest: readonly CommandRow[];
  readonly difference: SessionDifference | null;
  readonly commands: readonly CommandRow[];
}

export interface BuildSummary {
  readonly compiles: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly other: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Compiler time of all compiles: of the processor on servers, of the clock here. */
  readonly work: number;
  /** `work` per wall time: how many compilers it was worth. */
  readonly speedUp: number;
  /** No order of these compiles on this farm takes less. */
  readonly bound: {
    readonly wall: number;
    readonly by: 'longest' | 'slots';
    /** Of the longest compile. */
    readonly name: string;
  };
}

/** A command as the report lists it. */
export interface CommandRow {
  readonly id: number;
  readonly name: string;
  readonly outcome: BuildCommand['outcome'];
  readonly host: string | null;
  readonly lane: number;
  readonly start: number;
  readonly end: number;
  /** When a compiler's slot was held. */
  readonly from: number;
  readonly to: number;
  readonly work: number;
  readonly reason: string | null;
  readonly source: string;
  readonly cwd: string;
}

export interface ChainStep {
  readonly name: string;
  readonly outcome: BuildCommand['outcome'];
  readonly host: string | null;
  readonly start: number;
  readonly end: number;
  readonly gap: number;
}

const HOST_COUNTS = [1, 2, 4, 8, 16, 32];
const SLOWEST = 10;
const HEADERS = 25;
/** Of the utilisation over time: one per few pixels. */
const PARTS = 240;

/** @param before models of earlier sessions, the newest first; no more than needed are asked for */
export function buildReport(model: BuildModel, before: Iterable<BuildModel>): BuildReport {
  const compiles = compilesOf(model);
  const earlier = new Remembered(before);
  const facts = {
    summary: summaryOf(model, compiles),
    reasons: reasonCosts(model),
    hosts: hostFigures(model),
    utilisation: utilisationOf(model, PARTS),
    chain: criticalChain(model.commands).map(({ command, gap }) => ({
      name: command.name,
      outcome: command.outcome,
      host: command.host,
      start: command.start,
      end: command.end,
      gap,
    })),
    headers: headerCosts(model, HEADERS),
    rebuilds: rebuilds(model, earlier),
    directories: directoryCosts(model),
    whatIf: whatIf(model, HOST_COUNTS),
  };
  const changes = model.headerChanges;
  return {
    schema: 1,
    session: model.session,
    tscc: model.tscc,
    started: model.started,
    wall: model.wall,
    isOpen: model.isOpen,
    ...facts,
    recommendations: recommend({ wall: model.wall, ...facts }),
    headerChanges: {
      created: changes.filter(({ change }) => change === 'created').length,
      changed: changes.filter(({ change }) => change === 'changed').length,
    },
    slowest: compiles
      .toSorted((a, b) => b.end - b.start - (a.end - a.start))
      .slice(0, SLOWEST)
      .map(rowOf),
    difference: firstDifference(earlier, model),
    commands: model.commands.map(rowOf),
  };
}

/** What an iterable gives, once for all who ask. */
class Remembered<T> implements Iterable<T> {
  readonly #source: Iterator<T>;
  readonly #known: T[] = [];

  constructor(source: Iterable<T>) {
    this.#source = source[Symbol.iterator]();
  }

  *[Symbol.iterator](): Generator<T> {
    for (let at = 0; ; at++) {
      if (at === this.#known.length) {
        const next = this.#source.next();
        if (next.done === true) return;
        this.#known.push(next.value);
      }
      yield this.#known[at] as T;
    }
  }
}

function firstDifference(
  before: Iterable<BuildModel>,
  model: BuildModel,
): SessionDifference | null {
  for (const earlier of before) {
    const difference = differenceFrom(earlier, model);
    if (difference !== undefined) return difference;
  }
  return null;
}

function summaryOf(model: BuildModel, compiles: readonly BuildCommand[]): BuildSummary {
  const outcomes = { pump: 0, plain: 0, cache: 0, local: 0 };
  let failed = 0;
  let work = 0;
  let longest = { work: 0, name: '' };
  for (const command of compiles) {
    if (command.outcome === 'failed') failed++;
    else if (command.outcome !== 'other' && command.outcome !== 'cancelled') {
      outcomes[command.outcome]++;
    }
    const own = workOf(command);
    work += own;
    if (own > longest.work) longest = { work: own, name: command.name };
  }
  const slots = Math.max(
    1,
    model.hosts.reduce((sum, host) => sum + host.slots, 0),
  );
  const byLongest = longest.work >= work / slots;
  return {
    compiles: compiles.length - failed,
    outcomes,
    other: model.commands.filter(({ outcome }) => outcome === 'other').length,
    failed,
    cancelled: model.commands.filter(({ outcome }) => outcome === 'cancelled').length,
    work,
    speedUp: model.wall > 0 ? work / model.wall : 0,
    bound: {
      wall: Math.max(longest.work, work / slots),
      by: byLongest ? 'longest' : 'slots',
      name: longest.name,
    },
  };
}

function rowOf(command: BuildCommand): CommandRow {
  const { id, name, outcome, host, lane, start, end, busy, reason, source, cwd } = command;
  return {
    id,
    name,
    outcome,
    host,
    lane,
    start,
    end,
    from: busy.from,
    to: busy.to,
    work: workOf(command),
    reason: reason?.name ?? null,
    source,
    cwd,
  };
}
