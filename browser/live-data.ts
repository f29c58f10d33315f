// What the session daemon tells a live page in its events (src/client/live-feed.ts), and how that
// becomes the bars of a timeline.

interface LiveSpan {
  readonly session: string;
  readonly id: number;
  readonly source: string;
  readonly host: string | null;
  readonly outcome: string;
  readonly reason: string | null;
  /** Milliseconds since the epoch. */
  readonly start: number;
  readonly end: number;
}

type Counts = Readonly<Record<string, number>>;

interface LiveBuild {
  readonly session: string;
  readonly started: number | null;
  readonly ended: number | null;
  readonly outcomes: Counts;
  readonly declines: Counts;
  readonly fallbacks: Counts;
  readonly demotions: Counts;
  readonly failed: number;
  readonly cancelled: number;
}

interface LiveHostState {
  readonly name: string;
  readonly state: string;
  readonly reason: string | null;
  readonly slots: number | null;
  readonly mine: number;
  readonly others: number | null;
  readonly load: number | null;
}

interface LiveCommandState {
  readonly session: string;
  readonly id: number;
  readonly kind: string | null;
  readonly name: string;
  readonly phase: string;
  readonly host: string | null;
  readonly elapsed: number;
  readonly inPhase: number;
}

interface LiveState {
  readonly time: number;
  readonly sessions: readonly LiveBuild[];
  readonly queued: number;
  readonly hosts: readonly LiveHostState[];
  readonly running: number;
  readonly commands: readonly LiveCommandState[];
}

interface LiveMessage {
  readonly view: LiveState;
  readonly reset: boolean;
  readonly spans: readonly LiveSpan[];
}

const LIVE_OUTCOMES = ['pump', 'plain', 'cache', 'local', 'running'];

/** Bars of compiles that run now: they end where the timeline does. */
function runningSpans({ commands, time }: LiveState): LiveSpan[] {
  return commands
    .filter(({ kind, phase }) => kind === 'compile' && (phase === 'remote' || phase === 'local'))
    .map((command) => ({
      session: command.session,
      id: command.id,
      source: command.name,
      host: command.host,
      outcome: 'running',
      reason: null,
      start: time - command.inPhase,
      end: time,
    }));
}

/**
 * Bars by host and slot, in milliseconds since `view.time`: the newest are at 0.
 *
 * @param window milliseconds before now that are shown; 0: all that is known
 */
function liveTimeline(view: LiveState, ended: readonly LiveSpan[], window: number): TimelineData {
  const known = [...ended, ...runningSpans(view)].toSorted((a, b) => a.start - b.start);
  const first = Math.min(known[0]?.start ?? Infinity, view.time - 1_000);
  const begin = window === 0 ? first : Math.max(first, view.time - window);
  const spans = known.filter(({ end }) => end > begin);
  const names = [...new Set(spans.map(({ host }) => host))].toSorted(compareHosts);
  return {
    hosts: names,
    outcomes: LIVE_OUTCOMES,
    begin: begin - view.time,
    until: 0,
    id: spans.map(({ session, id }) => `${session} ${id}`),
    host: spans.map(({ host }) => names.indexOf(host)),
    outcome: spans.map(({ outcome }) => LIVE_OUTCOMES.indexOf(outcome)),
    lane: lanesOf(spans),
    from: spans.map(({ start }) => start - view.time),
    to: spans.map(({ end }) => end - view.time),
    describe: (at) => describeSpan(spans[at]),
  };
}

/** This host first, as in a report. */
function compareHosts(a: string | null, b: string | null): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  return a.localeCompare(b, 'en', { numeric: true });
}

/** For each bar the first row of its host that is free when it begins. */
function lanesOf(spans: readonly LiveSpan[]): number[] {
  const ends = new Map<string | null, number[]>();
  return spans.map(({ host, start, end }) => {
    const rows = ends.get(host) ?? [];
    ends.set(host, rows);
    const free = rows.findIndex((row) => row <= start);
    const lane = free < 0 ? rows.length : free;
    rows[lane] = end;
    return lane;
  });
}

function describeSpan(span: LiveSpan | undefined): string {
  if (span === undefined) return '';
  const { source, outcome, reason, host, start, end } = span;
  const why = reason === null ? '' : ` (${reason})`;
  return `${source}: ${outcome}${why}, ${host ?? 'this host'}, ${seconds(end - start)}`;
}
