/** What replays of a recording on a farm are and tell. */
import type { SessionStatus } from '../src/report/statistics.js';
import type { Cost } from './measure.js';

export const ROW_NAMES = [
  'serial',
  'distcc plain',
  'distcc pump',
  'tscc plain',
  'tscc pump',
] as const;
export type RowName = (typeof ROW_NAMES)[number];

export interface FarmShape {
  readonly hosts: number;
  /** Of each host. */
  readonly slots: number;
  /** Of make's -j. */
  readonly jobs: number;
}

/** One replay; times in seconds, those of processors for all compiles together. */
export interface Run {
  readonly wall: number;
  /** make, the launchers and what these start, and the session daemon or distcc's include server. */
  readonly client: number;
  /** Compile servers and all that they start. */
  readonly servers: number;
  /** Bytes on the wire to the servers and back; undefined where nobody counts. */
  readonly sent: number | undefined;
  readonly received: number | undefined;
  readonly tscc: TsccRun | undefined;
  /** Compiles that distcc's pump mode preprocessed here after all; undefined where nobody counts. */
  readonly demoted: number | undefined;
}

export interface TsccRun {
  readonly outcomes: SessionStatus['outcomes'];
  /** Declines, fallbacks and demotions. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Median milliseconds of each phase that a compile goes through, and of its compiler. */
  readonly phases: Readonly<Record<string, number>>;
  /** Seconds from the first request to the last end, and what a replay says of half the hosts. */
  readonly built: number;
  readonly halved: number;
}

export interface Row {
  readonly name: RowName;
  /** Empty: not measured. */
  readonly runs: readonly Run[];
}

export interface FarmResult extends FarmShape {
  readonly cores: number;
  readonly compiles: number;
  /** Seconds of all compiles, and of the longest. */
  readonly work: number;
  readonly longest: number;
  /** Seconds of processor time of make and the stand-ins, without anything that distributes. */
  readonly replaying: number;
  /** Of these, of make alone. */
  readonly make: number;
  /** Seconds that a farm could do it in at best. */
  readonly ideal: number;
  /** The same if compiles begin in the order that make has them in. */
  readonly queue: number;
  readonly rows: readonly Row[];
}

/** What a way of building needs from one replay to the next. */
export interface Way {
  readonly name: RowName;
  /** Uncounted and counted replays: of number 0, and from 1 on. */
  replay(number: number): Run;
}

/**
 * Replays once. Throws when make fails, or an object is another than the recorded.
 *
 * @param around makes make's line the one that is run
 */
export type Make = (
  launcher: string,
  env: NodeJS.ProcessEnv,
  around?: (line: string) => string,
) => Cost;

/** Of a run in which nobody counts bytes, and tscc has no part. */
export const NO_FARM = {
  servers: 0,
  sent: undefined,
  received: undefined,
  tscc: undefined,
  demoted: undefined,
} as const;
