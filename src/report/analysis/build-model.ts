/**
 * A session's journal as a model of its build: each command with when, where and why. Every view of
 * `tscc report` is computed from this. Times are milliseconds since the first command's request.
 */
import { explainDecline, explainDemotion, FALLBACK_REASONS } from '../../core/reasons.js';
import type { JournalLine, LocalReason, Outcome, Phases, ReadFile } from '../events.js';
import { InputFold, NO_INPUTS, type CompileInputs } from '../compile-inputs.js';
import { outputOf } from '../output-name.js';
import { groupBy } from './group.js';
import { packIntervals, type Interval } from './intervals.js';

export type CommandOutcome = Outcome | 'other' | 'failed' | 'cancelled';

export type ReasonKind = 'decline' | 'fallback' | 'demotion';

export interface CommandReason {
  readonly kind: ReasonKind;
  readonly name: string;
  /** Text for people: what it means, and where there is something, what helps. */
  readonly meaning: string;
  readonly detail: string | null;
}

/** What a remote compile tells beyond when it was. */
export interface RemotePart {
  /** From the job's first byte to the result's last. */
  readonly span: Interval;
  readonly queued: number;
  /** The compiler's wall and processor time there. */
  readonly running: number;
  readonly cpu: number;
  readonly phases: Phases;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

export interface BuildCommand {
  /** Number in its session; a session that was joined again counts anew. */
  readonly id: number;
  readonly outcome: CommandOutcome;
  /** Output as the command names it, else source, else the command. */
  readonly name: string;
  /** Empty where it compiles no source file. */
  readonly source: string;
  readonly output: string;
  readonly cwd: string;
  readonly argv: readonly string[];
  /** Request and end. */
  readonly start: number;
  readonly end: number;
  /** When its compiler ran, as far as known: what was done besides on a server counts as before. */
  readonly busy: Interval;
  /** Null: this host. */
  readonly host: string | null;
  /** Slot of that host, from 0. */
  readonly lane: number;
  readonly reason: CommandReason | null;
  readonly remote: RemotePart | null;
  /** Time of a compiler or another command that ran here. */
  readonly ran: number;
  readonly retries: number;
  readonly stale: number;
  readonly healed: number;
  /** MAKELEVEL; null: not from make. */
  readonly level: number | null;
  /** What it rests on; files by their places in the model's `files`. */
  readonly inputs: CompileInputs;
}

export interface BuildHost {
  readonly name: string;
  /** Compiles that it takes at once; seen in the lanes where the journal does not say. */
  readonly slots: number;
  /** Times that it was lost, with the last reason. */
  readonly losses: number;
  readonly lastLoss: string | null;
}

export interface BuildModel {
  readonly session: string;
  readonly tscc: string;
  /** Of the first request, since the epoch. */
  readonly started: number;
  /** From the first request to the last end. */
  readonly wall: number;
  /** The session goes on. */
  readonly isOpen: boolean;
  /** By start. */
  readonly commands: readonly BuildCommand[];
  readonly hosts: readonly BuildHost[];
  readonly files: readonly ReadFile[];
  /** Headers that came or changed during the build. */
  readonly headerChanges: readonly {
    readonly time: number;
    readonly path: string;
    readonly change: 'created' | 'changed';
  }[];
}

/** Everything of a compile by what became of it; compiles only. */
export function compilesOf(model: BuildModel): BuildCommand[] {
  return model.commands.filter(({ outcome }) => outcome !== 'other' && outcome !== 'cancelled');
}

/** Compiler time: the processor's on a server, the clock's here, where no other is known. */
export function workOf({ remote, ran }: BuildCommand): number {
  return remote === null ? ran : remote.cpu;
}

/** A command whose place among others is not known yet. Times since the epoch. */
type Draft = Omit<BuildCommand, 'lane'>;
type Line<E extends JournalLine['event']> = Extract<JournalLine, { readonly event: E }>;

/** Folds the events of one session. An empty journal gives a build without commands. */
export function buildModel(session: string, lines: Iterable<JournalLine>): BuildModel {
  const fold = new JournalFold();
  for (const line of lines) fold.add(line);
  return fold.finish(session);
}

class JournalFold {
  readonly #drafts: Draft[] = [];
  /** Places in `drafts` of what runs here. */
  readonly #running = new Map<number, number>();
  readonly #slots = new Map<string, number>();
  readonly #losses = new Map<string, { count: number; last: string }>();
  readonly #inputs = new InputFold();
  readonly #headers: { time: number; path: string; change: 'created' | 'changed' }[] = [];
  #tscc = '';
  #isOpen = true;
  #last = 0;

  add(line: JournalLine): void {
    this.#last = line.time;
    switch (line.event) {
      case 'session-start':
        this.#tscc = line.tscc;
        this.#isOpen = true;
        this.#inputs.add(line);
        return;
      case 'session-end':
        this.#isOpen = false;
        return;
      case 'files':
      case 'environment':
        this.#inputs.add(line);
        return;
      case 'compile':
        this.#drafts.push(remoteDraft(line, this.#inputs.inputsOf(line)));
        if (line.slots !== undefined) {
          this.#slots.set(line.host, Math.max(line.slots, this.#slots.get(line.host) ?? 0));
        }
        return;
      case 'local':
      case 'other':
        this.#running.set(line.id, this.#drafts.length);
        this.#drafts.push(line.event === 'local' ? localDraft(line) : otherDraft(line));
        return;
      case 'local-end': {
        const at = this.#running.get(line.id);
        const draft = at === undefined ? undefined : this.#drafts[at];
        if (at !== undefined && draft !== undefined) this.#drafts[at] = ended(draft, line);
        this.#running.delete(line.id);
        return;
      }
      case 'failed':
        this.#drafts.push({
          ...momentDraft(line, 'failed'),
          source: line.source,
          name: line.source,
          reason: reasonOf(line, line.detail),
        });
        return;
      case 'cancelled':
        this.#drafts.push(momentDraft(line, 'cancelled'));
        return;
      case 'host':
        if (line.state === 'down') {
          const count = (this.#losses.get(line.host)?.count ?? 0) + 1;
          this.#losses.set(line.host, { count, last: line.detail });
        }
        return;
      case 'header':
        this.#headers.push({ time: line.time, path: line.path, change: line.change });
        return;
      case 'upload':
      case 'verify':
        return;
      default:
        // An event of a newer version in a journal that this version reads.
        return;
    }
  }

  finish(session: string): BuildModel {
    if (this.#isOpen) this.#closeRunning();
    const drafts = this.#drafts.toSorted((a, b) => a.start - b.start);
    const started = drafts[0]?.start ?? this.#last;
    const wall = drafts.reduce((last, { end }) => Math.max(last, end), started) - started;
    const lanes = assignLanes(drafts);
    const commands = drafts.map((draft, at) => ({
      ...shifted(draft, started),
      lane: lanes[at] ?? 0,
    }));
    const headerChanges = this.#headers.map((change) => ({
      ...change,
      time: round(change.time - started),
    }));
    return {
      session,
      tscc: this.#tscc,
      started,
      wall: round(wall),
      isOpen: this.#isOpen,
      commands,
      hosts: this.#hostsOf(commands),
      files: this.#inputs.files,
      headerChanges,
    };
  }

  /** What still runs has run until now. */
  #closeRunning(): void {
    for (const at of this.#running.values()) {
      const draft = this.#drafts[at];
      if (draft === undefined) continue;
      const end = Math.max(draft.end, this.#last);
      this.#drafts[at] = { ...draft, end, busy: { ...draft.busy, to: end } };
    }
  }

  #hostsOf(commands: readonly BuildCommand[]): BuildHost[] {
    const lanes = new Map<string, number>();
    for (const { host, lane } of commands) {
      if (host !== null) lanes.set(host, Math.max(lanes.get(host) ?? 0, lane + 1));
    }
    const names = new Set([...lanes.keys(), ...this.#losses.keys()]);
    return [...names]
      .map((name) => ({
        name,
        slots: this.#slots.get(name) ?? lanes.get(name) ?? 0,
        losses: this.#losses.get(name)?.count ?? 0,
        lastLoss: this.#losses.get(name)?.last ?? null,
      }))
      .toSorted((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  }
}

/** The journal has a remote compile when it is in place; its phases lead back to the request. */
function remoteDraft(line: Line<'compile'>, inputs: CompileInputs): Draft {
  const { phases } = line;
  const after = phases.check + phases.verify + phases.write;
  const to = line.time - after;
  const from = to - phases.remote;
  const queued = Math.min(line.remoteQueued ?? 0, phases.remote);
  // Until the request was read another command may still have been on its way out: it counts nowhere.
  const { start: _before, ...since } = phases;
  const whole = Object.values(since).reduce((sum, time) => sum + time, 0);
  return {
    ...momentDraft(line, line.outcome),
    source: line.source,
    output: line.output,
    name: line.output,
    start: line.time - whole,
    busy: { from: to - Math.min(line.remoteRunning, phases.remote - queued), to },
    host: line.host,
    reason:
      line.demotion === undefined
        ? null
        : {
            kind: 'demotion',
            name: line.demotion,
            meaning: explainDemotion(line.demotion),
            detail: null,
          },
    remote: {
      span: { from, to },
      queued,
      running: line.remoteRunning,
      cpu: line.remoteCpu,
      phases,
      sentBytes: line.sentBytes,
      receivedBytes: line.receivedBytes,
    },
    retries: line.retries,
    stale: line.stale ?? 0,
    healed: line.healed?.length ?? 0,
    inputs,
  };
}

function localDraft(line: Line<'local'>): Draft {
  return {
    ...momentDraft(line, 'local'),
    source: line.source,
    output: outputOf(line.argv, line.source) ?? '',
    name: line.source,
    start: line.time - line.waited,
    reason: reasonOf(line, line.detail),
  };
}

function otherDraft(line: Line<'other'>): Draft {
  return { ...momentDraft(line, 'other'), name: `${line.kind}: ${lastWords(line.argv)}` };
}

/** Its output, where a command names one. */
function lastWords(argv: readonly string[]): string {
  const at = argv.indexOf('-o');
  return (at >= 0 ? argv[at + 1] : undefined) ?? argv.join(' ').slice(0, 80);
}

/** A compile that failed on a server first has both of its events at its end. */
function ended(draft: Draft, { time, ran }: Line<'local-end'>): Draft {
  const from = time - ran;
  const waited = draft.busy.from - draft.start;
  const start = draft.outcome === 'local' ? Math.min(draft.start, from - waited) : draft.start;
  return { ...draft, start, end: time, ran, busy: { from, to: time } };
}

function momentDraft(
  line: Line<'compile' | 'local' | 'other' | 'failed' | 'cancelled'>,
  outcome: CommandOutcome,
): Draft {
  const { id, cwd, argv, time } = line;
  return {
    id,
    outcome,
    name: lastWords(argv),
    source: '',
    output: '',
    cwd,
    argv,
    start: time,
    end: time,
    busy: { from: time, to: time },
    host: null,
    reason: null,
    remote: null,
    ran: 0,
    retries: 0,
    stale: 0,
    healed: 0,
    level: line.level ?? null,
    inputs: NO_INPUTS,
  };
}

function reasonOf(reason: LocalReason, detail: string | undefined): CommandReason {
  return 'decline' in reason
    ? {
        kind: 'decline',
        name: reason.decline,
        meaning: explainDecline(reason.decline),
        detail: detail ?? null,
      }
    : {
        kind: 'fallback',
        name: reason.fallback,
        meaning: FALLBACK_REASONS[reason.fallback],
        detail: detail ?? null,
      };
}

function assignLanes(drafts: readonly Draft[]): number[] {
  const lanes: number[] = [];
  for (const [, group] of groupBy(drafts.entries(), ([, { host }]) => host)) {
    const packed = packIntervals(group.map(([, { busy }]) => busy));
    for (const [at, [place]] of group.entries()) lanes[place] = packed[at] ?? 0;
  }
  return lanes;
}

function shifted(draft: Draft, by: number): Draft {
  const { remote } = draft;
  const move = ({ from, to }: Interval) => ({ from: round(from - by), to: round(to - by) });
  return {
    ...draft,
    start: round(draft.start - by),
    end: round(draft.end - by),
    busy: move(draft.busy),
    remote: remote && { ...remote, span: move(remote.span) },
  };
}

/** To a tenth of a microsecond: clocks know no more, and files are smaller. */
function round(milliseconds: number): number {
  return Math.round(milliseconds * 1e4) / 1e4;
}
