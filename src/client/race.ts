/**
 * One job on a server, and on a second one where the first takes too long. The first result that is
 * whole wins; the other run is cancelled, and with it its compiler. Who waits sees one result, so
 * that there is one writer of outputs.
 *
 *   running on one ──straggles──▶ running on two ──one is lost──▶ running on one, until it ends
 *         │                             │
 *         └───────── a result ──────────┴──▶ done, all others cancelled
 */
import type { RemotePlace } from './farm.js';
import { RemoteFailure, type RemoteJob, type RemoteResult } from './remote-job.js';

/** A server that did not bring the job to its end. */
export interface FailedRun {
  readonly host: string;
  readonly failure: RemoteFailure;
}

export interface RaceWon {
  readonly kind: 'won';
  readonly result: RemoteResult;
  readonly place: RemotePlace;
  /** The server that was overtaken or not fast enough; undefined where none was raced. */
  readonly loser: RemotePlace | undefined;
  /** Whether the one that began later won. */
  readonly isLater: boolean;
}

/** `lost`: all servers failed. */
export type RaceEnd = RaceWon | { readonly kind: 'lost' };

interface Run {
  readonly place: RemotePlace;
  readonly cancel: AbortController;
}

export class Race {
  /** Rejects with RemoteFailure `stale`, or with the reason why nobody wants a result. */
  readonly ended: Promise<RaceEnd>;
  /** In the order in which they failed. */
  readonly failed: FailedRun[] = [];
  readonly #job: RemoteJob;
  readonly #timeout: number;
  readonly #gone: AbortSignal;
  readonly #runs: Run[] = [];
  readonly #leave = () => this.#end(() => this.#reject(this.#gone.reason as Error));
  #open = 0;
  #isOver = false;
  #resolve!: (end: RaceEnd) => void;
  #reject!: (error: Error) => void;

  /**
   * @param timeout milliseconds for each server to answer
   * @param gone aborted when nobody wants the result
   */
  constructor(job: RemoteJob, timeout: number, gone: AbortSignal) {
    this.#job = job;
    this.#timeout = timeout;
    this.#gone = gone;
    this.ended = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    gone.addEventListener('abort', this.#leave, { once: true });
  }

  /** Takes the place over: it is released when the run there has ended. */
  enter(place: RemotePlace): void {
    if (this.#isOver) return place.release();
    const run = { place, cancel: new AbortController() };
    this.#runs.push(run);
    this.#open++;
    void this.#run(run);
  }

  async #run({ place, cancel }: Run): Promise<void> {
    try {
      const result = await place.run(this.#job, this.#timeout, cancel.signal);
      place.release();
      this.#end(() => this.#resolve(this.#resultOf(place, result)));
    } catch (error) {
      place.release();
      this.#open--;
      if (!(error instanceof RemoteFailure)) return this.#end(() => this.#reject(error as Error));
      this.failed.push({ host: place.host, failure: error });
      // The next one would ask for the same file that is gone.
      if (error.kind === 'stale') this.#end(() => this.#reject(error));
      else if (this.#open === 0) this.#end(() => this.#resolve({ kind: 'lost' }));
    }
  }

  #resultOf(place: RemotePlace, result: RemoteResult): RaceWon {
    const loser = this.#runs.find((run) => run.place !== place)?.place;
    return { kind: 'won', result, place, loser, isLater: this.#runs[0]?.place !== place };
  }

  #end(settle: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#gone.removeEventListener('abort', this.#leave);
    settle();
    for (const { cancel } of this.#runs) cancel.abort(new Error('another server was faster'));
  }
}
