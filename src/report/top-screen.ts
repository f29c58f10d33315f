/**
 * What `tscc top` shows, as lines of text. Pure: the same view and size give the same lines.
 *
 *   title               running and queued commands, time of day
 *   builds              how long, compiles by outcome, a line each
 *   this host           its slots
 *   servers             at most a third of the screen
 *   commands            the oldest first, as many as there is room for
 */
import { describeBuild, printable } from './live-line.js';
import type { LiveHost, LivePool, LiveView } from './live.js';

/** Undefined: as many columns or lines as there is to say. */
export interface ScreenSize {
  readonly columns: number | undefined;
  readonly rows: number | undefined;
}

/** Builds at once that have a line. */
const BUILDS = 3;

export function topLines(view: LiveView, size: ScreenSize): string[] {
  const { columns } = size;
  const rows = size.rows ?? Infinity;
  const builds = view.sessions.slice(-BUILDS).map((session) => describeBuild(session, view.time));
  const head = [title(view, columns), ...builds, ...(view.daemon === null ? [] : [here(view)])];
  const hosts = after(head, hostLines(view, Math.max(2, Math.floor(rows / 3)), columns));
  const room = rows - hosts.length - 1;
  return after(hosts, commandLines(view, room, columns))
    .slice(0, rows)
    .map((line) => cut(line, columns));
}

/** With an empty line between. */
function after(first: readonly string[], second: readonly string[]): readonly string[] {
  return second.length === 0 ? first : [...first, '', ...second];
}

function title({ daemon, running, queued, time }: LiveView, columns: number | undefined): string {
  const state =
    daemon === null
      ? 'no session daemon runs; the next compile starts one'
      : `${running} running, ${queued} queued`;
  const left = `tscc top: ${state}`;
  const right = new Date(time).toISOString().slice(11, 19);
  const gap = (columns ?? 0) - left.length - right.length;
  return columns === undefined
    ? `${left}, ${right} UTC`
    : left + ' '.repeat(Math.max(1, gap)) + right;
}

function here({ local, tokens }: LiveView): string {
  const pool = (name: string, { used, limit, waiting }: LivePool) =>
    `${name} ${used}/${limit}${waiting === 0 ? '' : ` (${waiting} wait)`}`;
  return `here: ${[
    pool('compile', local.compile),
    pool('preprocess', local.preprocess),
    pool('other', local.other),
    ...(tokens.lent === 0 ? [] : [`${tokens.lent} tokens lent (${tokens.owed} owed)`]),
  ].join(', ')}`;
}

/** @param room lines that there are for them, 2 at least */
function hostLines({ hosts }: LiveView, room: number, columns: number | undefined): string[] {
  if (hosts.length === 0) return [];
  const shown = hosts.length < room ? hosts : busiest(hosts, room - 2);
  const rows = shown.map((host) => [
    printable(host.name),
    stateOf(host),
    `${host.mine}/${host.slots ?? '?'}`,
    `${host.others ?? '?'}`,
    host.load === null ? '?' : host.load.toFixed(2),
  ]);
  const lines = align([['HOST', 'STATE', 'OURS/SLOTS', 'OTHERS', 'LOAD'], ...rows], columns);
  return shown.length === hosts.length ? lines : [...lines, more(hosts.length - shown.length)];
}

function stateOf({ state, breaker, reason }: LiveHost): string {
  const shown = state === 'up' && breaker !== 'closed' ? PAUSED[breaker] : state;
  return reason === null ? shown : `${shown}: ${printable(reason)}`;
}

/** Of a host that is there and fails jobs. */
const PAUSED = { open: 'paused', 'half-open': 'on trial' } as const;

/** Those that are in use first; in the list's order otherwise. */
function busiest(hosts: readonly LiveHost[], atMost: number): readonly LiveHost[] {
  return hosts.toSorted((a, b) => b.mine - a.mine).slice(0, atMost);
}

/** @param room lines that there are for them */
function commandLines(view: LiveView, room: number, columns: number | undefined): string[] {
  if (view.running === 0) return [];
  const { commands, running } = view;
  const shown = running < room ? commands : commands.slice(0, Math.max(0, room - 2));
  const rows = shown.map(({ name, host, phase, elapsed }) => [
    printable(name),
    host === null ? (HERE.has(phase) ? 'here' : '-') : printable(host),
    printable(phase),
    (elapsed / 1000).toFixed(1),
  ]);
  const lines = align([['SOURCE', 'HOST', 'PHASE', 'SECONDS'], ...rows], columns);
  return shown.length === running ? lines : [...lines, more(running - shown.length)];
}

/** Phases in which this host works; in others it waits, or thinks. */
const HERE: ReadonlySet<string> = new Set(['local', 'preprocess', 'verify']);

function more(n: number): string {
  return `… ${n} more`;
}

/**
 * Columns one beside the other. Where there are too few, the first two give way, to a half each at
 * most: of a path or a host's name the end is kept, of the second column the beginning.
 */
function align(rows: readonly (readonly string[])[], columns: number | undefined): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => lengthOf(row[column] ?? ''))),
  );
  const [first = 0, second = 0, ...others] = widths;
  if (columns !== undefined) {
    const room = columns - GAP.length * (widths.length - 1) - others.reduce((sum, n) => sum + n, 0);
    widths[0] = Math.max(1, room - second, Math.min(first, Math.floor(room / 2)));
    widths[1] = Math.max(1, Math.min(second, room - widths[0]));
  }
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return pad(column === 0 ? keepEnd(cell, width) : cut(cell, width), width);
      })
      .join(GAP)
      .trimEnd(),
  );
}

const GAP = '  ';

function lengthOf(text: string): number {
  return Array.from(text).length;
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - lengthOf(text)));
}

function cut(text: string, width: number | undefined): string {
  if (width === undefined || lengthOf(text) <= width) return text;
  return `${Array.from(text)
    .slice(0, Math.max(0, width - 1))
    .join('')}…`;
}

function keepEnd(text: string, width: number): string {
  return lengthOf(text) <= width
    ? text
    : `…${Array.from(text)
        .slice(1 - width)
        .join('')}`;
}
