/** A compile as it goes to a server, and what comes back: the client's side of jobs and results. */
import type { ByteString } from '../core/byte-string.js';
import type { Digest } from '../core/digest.js';
import type { FallbackReason } from '../core/reasons.js';
import type { WireOption } from '../protocol/plain-messages.js';
import type { TreeEntry } from '../protocol/tree-entry.js';
import type { CompileCommand, Language } from '../toolchain/compile-command.js';
import type { PumpFields } from '../toolchain/pump-command.js';

/** Everything a server needs; typed, and without a path of the server. */
export type RemoteJob = PlainJob | PumpedJob;

/** A preprocessed source. */
export interface PlainJob {
  readonly mode: 'plain';
  readonly toolchain: Digest;
  readonly language: Language;
  readonly stage: CompileCommand['stage'];
  readonly options: readonly WireOption[];
  readonly sourceDateEpoch: number | null;
  readonly source: { readonly bytes: Uint8Array; readonly digest: Digest };
}

/** A source as it is, with all that it may include. */
export interface PumpedJob {
  readonly mode: 'pump';
  /** Stays here: its files travel as part of the closure. */
  readonly toolchain: Digest;
  /** The command, but for what the other fields say. */
  readonly command: PumpFields;
  /** Absolute path of the compiler. */
  readonly program: ByteString;
  readonly argv0: ByteString;
  /** Real path. */
  readonly cwd: ByteString;
  readonly environment: readonly WireOption[];
  /** Whether the compiler shall print as it does on a terminal. */
  readonly terminal: boolean;
  readonly source: SourceFile;
  /** What the compile may see besides its source. */
  readonly closure: readonly TreeEntry[];
  /** Precompiled headers that it may find. */
  readonly precompiled: readonly HeaderRecipe[];
  /** Real paths of the files that it may leave, the object first. */
  readonly outputs: readonly ByteString[];
  /** Which of `outputs` is the command's own dependency file. */
  readonly dependencyFile: number | undefined;
}

/** How a precompiled header was made, for a server to make its own. */
export interface HeaderRecipe {
  /** Real path of what it makes. */
  readonly path: ByteString;
  readonly command: PumpFields;
  readonly program: ByteString;
  readonly argv0: ByteString;
  readonly cwd: ByteString;
  readonly environment: readonly WireOption[];
  /** With its source. */
  readonly closure: readonly TreeEntry[];
}

export interface SourceFile {
  /** Real path. */
  readonly path: ByteString;
  readonly bytes: Uint8Array;
  readonly digest: Digest;
  /** Seconds since the epoch. */
  readonly mtime: number;
  /** Permission bits. */
  readonly mode: number;
}

/** A compile that ran to its end on a server, whatever its exit status. */
export interface RemoteResult {
  /** Exit status, 128+n for a signal. */
  readonly status: number;
  /** Signal that ended the compiler, 0 for none. */
  readonly signal: number;
  /**
   * The files it left, decoded and checked against their digests, by their place in the job's
   * `outputs`; of a plain job the object or assembly file is the only one.
   */
  readonly outputs: ReadonlyMap<number, Uint8Array>;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  /** What the compiler read, as far as it tells: pump mode only. */
  readonly read: FilesRead | undefined;
  /** Milliseconds. */
  readonly cpu: number;
  readonly running: number;
  readonly queued: number;
  /** Bytes on the wire. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

export interface FilesRead {
  readonly entries: readonly TreeEntry[];
  /** Paths that nothing in the closure stands for. */
  readonly uncovered: readonly ByteString[];
}

/**
 * How a job failed to run to its end.
 *
 *   lost      the connection is gone              garbage  what came back is not what was announced
 *   timeout   no answer as long as we wait        failed   the server could not run a compiler
 *   killed    a signal or limit ended it there    refused  it may be done elsewhere, now or later
 *   stale     a file that it needs is gone here
 *   outdated  lost, and so long unheard that the host may be there all the same
 */
export type FailureKind =
  'lost' | 'outdated' | 'timeout' | 'killed' | 'garbage' | 'failed' | 'refused' | 'stale';

const REASONS: Readonly<Record<FailureKind, FallbackReason>> = {
  lost: 'server-lost',
  outdated: 'server-lost',
  timeout: 'server-lost',
  killed: 'remote-killed',
  garbage: 'result-invalid',
  failed: 'server-failed',
  refused: 'server-refused',
  stale: 'closure-stale',
};

/** The job did not run to its end there; another server may be tried. */
export class RemoteFailure extends Error {
  override readonly name = 'RemoteFailure';
  readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }

  get reason(): FallbackReason {
    return REASONS[this.kind];
  }

  /** The compile may be what kills servers, or keeps them busy for good. */
  get isDeadly(): boolean {
    return this.kind === 'killed' || this.kind === 'timeout';
  }
}
