/**
 * What a session daemon does at this moment: what `tscc top`, the live page and the progress line
 * of tscc-pump show. `LiveView` is the stable schema of `tscc top --json`. Nothing here is kept up
 * while compiles run: the daemon puts a view together when somebody asks. Times are milliseconds.
 */
import type { SessionStatus } from './statistics.js';

/** One of the pools of slots for this host. */
export interface LivePool {
  readonly used: number;
  readonly limit: number;
  readonly waiting: number;
}

export interface LiveHost {
  readonly name: string;
  readonly state: 'idle' | 'connecting' | 'up' | 'draining' | 'down';
  /** Why it is down. */
  readonly reason: string | null;
  /** Compiles that it runs at once for this daemon; null while that is not known. */
  readonly slots: number | null;
  /** Places there that this daemon's compiles hold: its slots, and one that waits for the next. */
  readonly mine: number;
  /** Compiles of other clients, running or queued; null while that is not known. */
  readonly others: number | null;
  /** Load average of its last minute. */
  readonly load: number | null;
  /** How fast compiles are there, 1 for an average host. */
  readonly speed: number;
  /** `open`: it gets no compiles for `pause` milliseconds; `half-open`: it is on trial. */
  readonly breaker: 'closed' | 'open' | 'half-open';
  readonly pause: number | null;
}

/** A command that has not ended. */
export interface LiveCommand {
  readonly session: string;
  /** Number of the command in its session, as in the journal. */
  readonly id: number;
  /** Null until it is known whether it compiles a source file. */
  readonly kind: 'compile' | 'other' | null;
  /** The source, or the words of a command that has none. */
  readonly name: string;
  /** `deciding`, `closure`, `remote-queue`, `remote`, `check`, `write`, `local-queue`, `local`, … */
  readonly phase: string;
  /** The server that has it now. */
  readonly host: string | null;
  /** Since its request, and since this phase began. */
  readonly elapsed: number;
  readonly inPhase: number;
}

/** A build that is not over, or the newest of those that are. */
export interface LiveSession extends Pick<
  SessionStatus,
  | 'session'
  | 'started'
  | 'ended'
  | 'outcomes'
  | 'declines'
  | 'fallbacks'
  | 'demotions'
  | 'failed'
  | 'cancelled'
> {
  /** Commands of it that have not ended. */
  readonly running: number;
}

export interface LiveView {
  readonly schema: 1;
  /** Since the epoch. */
  readonly time: number;
  /** Process id of the daemon; null: none runs, and what follows is from disk or empty. */
  readonly daemon: number | null;
  /** The newest last. */
  readonly sessions: readonly LiveSession[];
  /** Compiles that wait for a server's slot. */
  readonly queued: number;
  readonly hosts: readonly LiveHost[];
  readonly local: Readonly<Record<'compile' | 'preprocess' | 'other', LivePool>>;
  /** Of make's jobservers: tokens lent to them now, and those of them whose launchers have ended. */
  readonly tokens: { readonly lent: number; readonly owed: number };
  /** All commands that have not ended; `commands` has the oldest of them (LIVE.commands). */
  readonly running: number;
  readonly commands: readonly LiveCommand[];
}

/** What is there to see without a daemon. */
export function viewWithoutDaemon(time: number, last: SessionStatus | undefined): LiveView {
  const pool = { used: 0, limit: 0, waiting: 0 };
  return {
    schema: 1,
    time,
    daemon: null,
    sessions: last === undefined ? [] : [liveSession(last, 0)],
    queued: 0,
    hosts: [],
    local: { compile: pool, preprocess: pool, other: pool },
    tokens: { lent: 0, owed: 0 },
    running: 0,
    commands: [],
  };
}

export function liveSession(status: SessionStatus, running: number): LiveSession {
  const { session, started, ended, outcomes } = status;
  const { declines, fallbacks, demotions, failed, cancelled } = status;
  return {
    session,
    started,
    ended,
    outcomes,
    declines,
    fallbacks,
    demotions,
    failed,
    cancelled,
    running,
  };
}

/** Compiles of a session that have their outcome. */
export function compilesDone({ outcomes, failed }: LiveSession): number {
  return outcomes.pump + outcomes.plain + outcomes.cache + outcomes.local + failed;
}
