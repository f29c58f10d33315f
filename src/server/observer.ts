/** What a server has to tell who measures it: events as they happen, figures when asked for. */
import type { RefusalCode } from '../protocol/plain-messages.js';
import type { JobTimes } from './compile-job.js';
import type { Refusal } from './log.js';

export type JobMode = 'pump' | 'plain';

/** How a job ended: its compiler's answer was sent, its client did not want it, or why it was refused. */
export type JobEnding =
  | { readonly outcome: 'done'; readonly times: JobTimes }
  | { readonly outcome: 'cancelled' | RefusalCode };

export interface ServerObserver {
  /** A job is over, or was not taken at all. */
  jobOver(mode: JobMode, ending: JobEnding): void;
  /** A connection was not let in, or was cut. */
  refused(why: Refusal): void;
}

/** For a server that nobody measures. */
export const NO_OBSERVER: ServerObserver = {
  jobOver: () => undefined,
  refused: () => undefined,
};

/** What there is at this moment. */
export interface ServerFigures {
  readonly slots: number;
  /** Jobs whose compiler runs. */
  readonly running: number;
  /** Jobs that wait for a slot, or for their source. */
  readonly waiting: number;
  readonly connections: number;
  /** Over all connections so far, as they were on the wire. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
}
