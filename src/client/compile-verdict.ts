/** How a remote compile's attempt ended, and the short way out of its nested steps. */
import type { Digest } from '../core/digest.js';
import { isHostDemotion, type FallbackReason } from '../core/reasons.js';
import type {
  Choice,
  LocalReason,
  Phases,
  ServerFailure,
  StragglerRace,
} from '../report/events.js';
import type { NoPlace } from './farm.js';
import type { Mismatch } from './kept-mismatches.js';
import type { Slot } from './local-slots.js';
import type { RemoteResult } from './remote-job.js';
import type { Verified } from './verification.js';

/** Which server did a compile, and how that came about. */
export interface Served {
  readonly host: string;
  readonly choice: Choice;
  readonly tier: number;
  /** Compiles that it runs at once for this client. */
  readonly slots: number;
  /** Servers that failed it before, or meanwhile. */
  readonly retries: number;
  readonly failures?: readonly ServerFailure[];
  readonly race?: StragglerRace;
}

/** What a finished compile tells the journal. */
export interface CompileRecord extends Served {
  readonly sourceBytes: number;
  /** Of what was sent as the source. */
  readonly sourceDigest: Digest;
  readonly preprocessCpu: number;
  readonly phases: Phases;
  readonly result: RemoteResult;
  /** Of a compile that was done here too: its local files are the ones in place. */
  readonly verified?: Verified;
}

/** What a server's compiler was given and failed on. */
export type FailedElsewhere = Pick<Mismatch, 'host' | 'inputs' | 'remote'>;

export interface LocalVerdict {
  readonly kind: 'local';
  readonly reason: LocalReason;
  readonly detail?: string;
  /** What the server's compiler printed: for TSCC_FALLBACK=0, where nothing else will. */
  readonly diagnostics?: Uint8Array;
  /** Where it is this host's turn: the place that it has here. */
  readonly slot?: Slot;
  /** Of a pump compile: to be kept where the compiler here succeeds. */
  readonly failed?: FailedElsewhere;
}

export type CompileVerdict =
  { readonly kind: 'finished'; readonly record: CompileRecord } | LocalVerdict;

/** Thrown by a step that cannot go on; never leaves the compile. */
export class RunLocally extends Error {
  readonly verdict: LocalVerdict;

  constructor(
    reason: LocalReason,
    detail?: string,
    diagnostics?: Uint8Array,
    failed?: FailedElsewhere,
    slot?: Slot,
  ) {
    super('compile locally');
    this.verdict = {
      kind: 'local',
      reason,
      ...(detail === undefined ? {} : { detail }),
      ...(diagnostics === undefined ? {} : { diagnostics }),
      ...(failed === undefined ? {} : { failed }),
      ...(slot === undefined ? {} : { slot }),
    };
  }
}

export const fallback = (
  reason: FallbackReason,
  detail?: string,
  diagnostics?: Uint8Array,
  failed?: FailedElsewhere,
) => new RunLocally({ fallback: reason }, detail, diagnostics, failed);

/** It is this host's turn. */
export const scheduledHere = (slot: Slot) =>
  new RunLocally({ decline: 'scheduled-local' }, undefined, undefined, undefined, slot);

/** No server will take the compile, sealed off or not. */
export function noPlace({ reason, detail }: NoPlace): RunLocally {
  return fallback(isHostDemotion(reason) ? 'no-server' : reason, detail);
}
