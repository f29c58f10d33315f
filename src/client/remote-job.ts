/** A compile as it goes to a server, and what comes back: the client's side of JOB and RESULT. */
import type { ByteString } from '../core/byte-string.js';
import type { Digest } from '../core/digest.js';
import type { FallbackReason } from '../core/reasons.js';
import type { CompileCommand, Language } from '../toolchain/compile-command.js';

/** Everything a server needs; flat, typed, and without a path of the server. */
export interface RemoteJob {
  readonly toolchain: Digest;
  readonly language: Language;
  readonly stage: CompileCommand['stage'];
  readonly options: readonly (readonly [string, ByteString | null])[];
  readonly sourceDateEpoch: number | null;
  readonly source: { readonly bytes: Uint8Array; readonly digest: Digest };
}

/** A compile that ran to its end on a server, whatever its exit status. */
export interface RemoteResult {
  /** Exit status, 128+n for a signal. */
  readonly status: number;
  /** Signal that ended the compiler, 0 for none. */
  readonly signal: number;
  /** The object or assembly file, decoded and checked against its digest. */
  readonly output: Uint8Array;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  /** Milliseconds. */
  readonly cpu: number;
  readonly running: number;
  readonly queued: number;
  /** Bytes on the wire. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/** The job did not run to its end there; another server may be tried. */
export class RemoteFailure extends Error {
  override readonly name = 'RemoteFailure';
  readonly reason: FallbackReason;

  constructor(reason: FallbackReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
