/**
 * A build as Chrome's trace events, for Perfetto and chrome://tracing: a process per host, a thread
 * per slot, the phases of remote compiles on threads of this host, and counters. Pure.
 */
import { levelsOf, packIntervals } from './analysis/intervals.js';
import type { BuildCommand, BuildModel } from './analysis/build-model.js';
import { NO_PHASES } from './events.js';

/** Times in microseconds. */
export interface TraceEvent {
  readonly ph: 'M' | 'X' | 'C';
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly cat?: string;
  readonly args?: Readonly<Record<string, unknown>>;
}

export interface Trace {
  readonly displayTimeUnit: 'ms';
  readonly otherData: Readonly<Record<string, string>>;
  readonly traceEvents: readonly TraceEvent[];
}

/** Processes: this host's commands, this host's part of remote compiles, then each server. */
const HERE = 1;
const CLIENT = 2;
const FIRST_SERVER = 3;

export function traceOf(model: BuildModel): Trace {
  const pids = new Map(model.hosts.map(({ name }, at) => [name, FIRST_SERVER + at]));
  const events: TraceEvent[] = [
    named('process_name', HERE, 'this host'),
    named('process_name', CLIENT, 'this host: remote compiles by phase'),
    ...model.hosts.map(({ name }, at) => named('process_name', FIRST_SERVER + at, name)),
    ...[HERE, CLIENT, ...pids.values()].map((pid, at) => ({
      ...named('process_sort_index', pid, ''),
      args: { sort_index: at },
    })),
  ];
  for (const command of model.commands) {
    const pid = command.host === null ? HERE : (pids.get(command.host) ?? HERE);
    events.push(compiled(command, pid));
  }
  return {
    displayTimeUnit: 'ms',
    otherData: { session: model.session, tscc: model.tscc, started: isoTime(model.started) },
    traceEvents: [...events, ...clientPhases(model), ...counters(model)],
  };
}

function compiled(command: BuildCommand, pid: number): TraceEvent {
  const { id, name, outcome, busy, lane, source, output, cwd, argv, reason, remote } = command;
  return {
    ph: 'X',
    name,
    cat: outcome,
    pid,
    tid: lane + 1,
    ts: microseconds(busy.from),
    dur: microseconds(busy.to - busy.from),
    args: {
      id,
      outcome,
      ...(source === '' ? {} : { source }),
      ...(output === '' ? {} : { output }),
      cwd,
      command: argv.join(' '),
      ...(reason === null ? {} : { [reason.kind]: reason.name }),
      ...(remote === null ? {} : { cpu: remote.cpu, running: remote.running }),
    },
  };
}

/** Phases in their order, one after the other; a row for each compile that is open at once. */
function clientPhases(model: BuildModel): TraceEvent[] {
  const remote = model.commands.filter((command) => command.remote !== null);
  const rows = packIntervals(remote.map(({ start, end }) => ({ from: start, to: end })));
  return remote.flatMap((command, at) => {
    let from = command.start;
    // The bars begin with the request, as the commands do.
    const { start: _before, ...phases } = command.remote?.phases ?? NO_PHASES;
    return Object.entries(phases).flatMap(([phase, time]): TraceEvent[] => {
      const ts = microseconds(from);
      from += time;
      if (time <= 0) return [];
      const args = { id: command.id, name: command.name };
      const tid = (rows[at] ?? 0) + 1;
      return [
        { ph: 'X', name: phase, cat: 'phase', pid: CLIENT, tid, ts, dur: microseconds(time), args },
      ];
    });
  });
}

function counters(model: BuildModel): TraceEvent[] {
  const intervals = model.commands.flatMap(({ start, end, busy, remote }) => [
    { from: start, to: end, kind: 'open' as const },
    { from: busy.from, to: busy.to, kind: 'compiling' as const },
    ...(remote === null
      ? []
      : [
          {
            from: remote.span.from - remote.phases.remoteQueue,
            to: remote.span.from,
            kind: 'queued' as const,
          },
          { from: busy.from - remote.queued, to: busy.from, kind: 'queued' as const },
        ]),
  ]);
  const levels = levelsOf(intervals, ['open', 'compiling', 'queued']);
  const none = { open: 0, compiling: 0, queued: 0 };
  return [
    ...levels.map(({ from, counts }) => ({ from, counts })),
    { from: model.wall, counts: none },
  ].map(({ from, counts }): TraceEvent => ({
    ph: 'C',
    name: 'commands',
    pid: HERE,
    tid: 0,
    ts: microseconds(from),
    args: counts,
  }));
}

function named(name: string, pid: number, value: string): TraceEvent {
  return { ph: 'M', name, pid, tid: 0, args: { name: value } };
}

function microseconds(milliseconds: number): number {
  return Math.round(milliseconds * 1_000);
}

function isoTime(time: number): string {
  return new Date(time).toISOString();
}
