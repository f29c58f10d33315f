/**
 * What happens in a session, as values. One event is one line of the session's journal; counters,
 * summary and every later view are folds over these and nothing else. Times are milliseconds,
 * sizes bytes. The schema is versioned: readers skip events and versions that they do not know.
 */
import type { DeclineReason, DemotionReason, FallbackReason, OtherKind } from '../core/reasons.js';

export const JOURNAL_VERSION = 1;

/** How a compile ended. `pump` and `cache` are made by later versions and counted already. */
export type Outcome = 'pump' | 'plain' | 'cache' | 'local';

/** Why a compile ran on this host. */
export type LocalReason =
  { readonly decline: DeclineReason } | { readonly fallback: FallbackReason };

/** Why a compile that was done here too could not be compared, or need not be the same. */
export const VERIFY_EXCUSES = {
  'not-reproducible': 'two compiles here differ in the same places',
  'inputs-changed': 'a file that it reads changed before it was done here',
  'too-large': 'its words, or what it prints, are too many to be compared',
} as const;

export type VerifyExcuse = keyof typeof VERIFY_EXCUSES;

export type VerifyVerdict = 'same' | 'mismatch' | VerifyExcuse;

/** Which command an event is about. */
export interface CommandIdentity {
  /** Number of the command in its session, from 1. */
  readonly id: number;
  readonly cwd: string;
  readonly argv: readonly string[];
  /** MAKELEVEL: 1 in what the first make runs, 2 in what a make of its runs; without make none. */
  readonly level?: number;
  /** The session daemon that had it before this one ended without a verdict. */
  readonly askedAgain?: true;
}

/** Wall time of a remote compile by phase; together they are the launcher's life. */
export interface Phases {
  /** From when the launcher could have begun until the daemon has read its request, a daemon’s start included. */
  readonly start: number;
  /** From the request to the verdict that it goes out: parsing, identifying the compiler. */
  readonly decide: number;
  /** Finding out what the compile may read: pump mode only, as `check` is. */
  readonly closure: number;
  /** Waiting for a local preprocessor slot. */
  readonly preprocessQueue: number;
  readonly preprocess: number;
  readonly digest: number;
  /** Waiting for a server's slot. */
  readonly remoteQueue: number;
  /** From the job's first byte to the result's last, and to make's token where it was lent. */
  readonly remote: number;
  /** Whether what was read is still what it was. */
  readonly check: number;
  /** Compiling here too, where that is asked for. */
  readonly verify: number;
  /** Writing the temporaries and the launcher's renames. */
  readonly write: number;
}

/** Before anything has taken time. */
export const NO_PHASES: Phases = {
  start: 0,
  decide: 0,
  closure: 0,
  preprocessQueue: 0,
  preprocess: 0,
  digest: 0,
  remoteQueue: 0,
  remote: 0,
  check: 0,
  verify: 0,
  write: 0,
};

/** A server that did not bring a compile to its end, which another one then did. */
export interface ServerFailure {
  readonly host: string;
  readonly reason: FallbackReason;
  /** The server's message, or ours. */
  readonly detail: string;
}

/** A compile that took so long on one server that it was started on a second one. */
export interface StragglerRace {
  /** The server whose run was cancelled. */
  readonly loser: string;
  /** Whether the one that began later was faster. */
  readonly isLater: boolean;
}

/** Why a server was given a compile. */
export const CHOICES = {
  'only-one-free': 'no other host had room',
  'least-loaded': 'it was the least loaded for its speed and weight',
  'same-as-last-time': 'of equally loaded hosts it is the one that always gets this source',
  'next-in-line': 'no host had an idle slot; its next one was thought to be free first',
  race: 'it took too long on another host',
} as const;

export type Choice = keyof typeof CHOICES;

/** Path, bytes, and the first digits of the content's digest: a list, since there are many. */
export type ReadFile = readonly [path: string, size: number, digest: string];

export type Event =
  | { readonly event: 'session-start'; readonly session: string; readonly tscc: string }
  | { readonly event: 'session-end'; readonly session: string }
  | (CommandIdentity & {
      readonly event: 'compile';
      readonly outcome: Exclude<Outcome, 'local'>;
      readonly source: string;
      readonly output: string;
      /** Number of an `environment` event before this one. */
      readonly environment?: number;
      /** First digits of digests: of the compiler, and of the source, which plain mode preprocesses. */
      readonly toolchain?: string;
      readonly sourceDigest?: string;
      /** One word for all that the object rests on (compile-key.ts). */
      readonly key?: string;
      readonly host: string;
      /** How well that server seals jobs of this mode off, 0 to 3 (docs/security.md). */
      readonly tier?: number;
      /** Compiles that the server ran at once for this client. */
      readonly slots?: number;
      /** Servers asked before the one that answered. */
      readonly retries: number;
      /** Those; left out where there are none. */
      readonly failures?: readonly ServerFailure[];
      readonly race?: StragglerRace;
      /** Why this host. */
      readonly choice?: Choice;
      readonly sourceBytes: number;
      readonly sentBytes: number;
      readonly receivedBytes: number;
      readonly outputBytes: number;
      readonly preprocessCpu: number;
      readonly remoteCpu: number;
      readonly remoteRunning: number;
      /** Waiting for a slot on the server: a part of `phases.remote`, as `remoteRunning` is. */
      readonly remoteQueued?: number;
      /** Pump: what the compiler read, as runs of numbers of `files` events before this one. */
      readonly reads?: string;
      readonly phases: Phases;
      /** Make's token was lent to its jobserver meanwhile (docs/widen.md). */
      readonly lentToken?: true;
      /** Plain: why it is not pump mode, where that was possible. */
      readonly demotion?: DemotionReason;
      /** Pump: files, directories and links that the server was told of. */
      readonly closureSize?: number;
      /** Pump: files that the closure lacked until the server missed them; none is as it should be. */
      readonly healed?: readonly string[];
      /** Pump: results dropped because a file had changed while the compile ran. */
      readonly stale?: number;
    })
  | (CommandIdentity & {
      readonly event: 'local';
      readonly source: string;
      /** More about the reason where there is more: the server's message, the path. */
      readonly detail?: string;
      /** Time from the request to the verdict. */
      readonly waited: number;
    } & LocalReason)
  | (CommandIdentity & {
      /** TSCC_FALLBACK=0: the compile would have fallen back, and failed instead. */
      readonly event: 'failed';
      readonly source: string;
      readonly detail?: string;
    } & LocalReason)
  | {
      /** A compile that was done here too, and what comparing came to: TSCC_VERIFY. */
      readonly event: 'verify';
      /** Number of the command, which has an event of its own as well. */
      readonly id: number;
      readonly host: string;
      readonly source: string;
      readonly output: string;
      readonly verdict: VerifyVerdict;
      /** The first ones, for people; of a mismatch there is at least one. */
      readonly differences: readonly string[];
      /** Directory with the files of both sides. */
      readonly kept?: string;
    }
  | {
      /** What the compiles are run with that name this number, until the number comes again. */
      readonly event: 'environment';
      readonly environment: number;
      readonly variables: Readonly<Record<string, string>>;
    }
  | {
      /** Files that some compile read; the first has this number, the others the next ones. */
      readonly event: 'files';
      readonly first: number;
      readonly files: readonly ReadFile[];
    }
  | { readonly event: 'local-end'; readonly id: number; readonly ran: number }
  | (CommandIdentity & { readonly event: 'other'; readonly kind: OtherKind })
  | (CommandIdentity & {
      readonly event: 'cancelled';
      readonly phase: string;
      readonly why: string;
    })
  | {
      /** Contents of files that a server lacked, in whichever session it was. */
      readonly event: 'upload';
      readonly host: string;
      readonly count: number;
      readonly bytes: number;
      readonly encodedBytes: number;
    }
  | {
      /** A header came, or changed, while the build ran. */
      readonly event: 'header';
      readonly change: 'created' | 'changed';
      readonly path: string;
    }
  | {
      readonly event: 'host';
      readonly host: string;
      readonly state: 'up' | 'down';
      readonly detail: string;
    };

/** An event as it stands in the journal. */
export type JournalLine = Event & {
  readonly v: typeof JOURNAL_VERSION;
  /** Milliseconds since the epoch. */
  readonly time: number;
};

/** Takes events of one session; the journal file and the counters are two of them. */
export interface EventSink {
  record(event: Event): void;
}
