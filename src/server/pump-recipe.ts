/**
 * A pump job: the client's source, compiled by the client's compiler in a sealed root that shows
 * the client's own files at their own paths, and nothing else.
 */
import { joinPath, type ByteString } from '../core/byte-string.js';
import { WIRE } from '../core/limits.js';
import { packNumbers } from '../protocol/number-runs.js';
import type { WireOption } from '../protocol/plain-messages.js';
import type { PumpJob, PumpOutput } from '../protocol/pump-messages.js';
import { parseDependencyFile } from '../toolchain/dependency-file.js';
import { renderPumpArguments } from '../toolchain/pump-arguments.js';
import { renderPumpEnvironment } from '../toolchain/pump-environment.js';
import type { TreeSnapshot } from './client-tree.js';
import type { Delivery, JobRecipe, JobTimes } from './compile-job.js';
import { collectContents, encodeOutput, type Content } from './job-output.js';
import { JobRefused } from './job-refused.js';
import { JobRoot, type RootMaker } from './job-root.js';
import type { CompileEnd, CompileSpec } from './runner.js';

export interface PumpSurroundings {
  readonly roots: RootMaker;
  /** Niceness added to every compiler. */
  readonly nice: number;
}

/** What the connection makes of a job's numbers. */
export interface PumpInputs {
  readonly options: readonly WireOption[];
  /** Rejects with JobRefused. */
  readonly snapshot: Promise<TreeSnapshot>;
}
