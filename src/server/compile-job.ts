/**
 * One compile job from its JOB or PUMP-JOB message to its last byte; what the two differ in is their
 * recipe.
 *
 *   receiving ──source complete──▶ queued ──slot──▶ running ──compiler ended──▶ sending
 *       │                            │                 │                           │
 *       └──────────── cancel, refusal or failure ──────┴─────────────┐          all sent
 *                                                                    ▼             ▼
 *                                                      over (cancelled | refused | done)
 *
 * Whatever happens, its compiler is dead, its directory removed and its slot free at the end.
 */
import { describeError, unreachable } from '../core/errors.js';
import { SERVER, WIRE } from '../core/limits.js';
import type { Clock } from '../platform/clock.js';
import type { JobResult, Refused } from '../protocol/plain-messages.js';
import type { PumpResult } from '../protocol/pump-messages.js';
import type { JobDirectory } from './job-directory.js';
import type { Content } from './job-output.js';
import { JobRefused } from './job-refused.js';
import type { CompileEnd, CompileSpec, RunningCompile } from './runner.js';
import type { MemoryKeys, MemoryUse } from './memory-use.js';
import type { JobEnding } from './observer.js';
import type { Place } from './slots.js';
import { SourceReceiver, type AnnouncedSource } from './source-receiver.js';

/** What the jobs of one kind do in their own way. */
export interface JobRecipe {
  /** What tells how much memory it will take. */
  readonly memoryKeys: MemoryKeys;
  /**
   * All that can be done before it is this job's turn: the source received, its surroundings made.
   *
   * @param directory the job's own, empty but for `tmp`
   * @param receiveSource writes the source to a new file; rejects with JobRefused
   */
  prepare(
    directory: JobDirectory,
    receiveSource: (path: string | Buffer) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void>;
  /** What to start; asked when a slot is free. */
  command(): Promise<CompileSpec>;
  /** What the compiler left, asked when it has ended. */
  collect(end: CompileEnd): Promise<Delivery>;
  /** Called once, after everything else: lets go of what the job holds. */
  close(): void;
}

/** What a compile made and printed, ready to be sent. */
export interface Delivery {
  readonly announce: (times: JobTimes) => JobResult | PumpResult;
  /** In the order of the announcement. */
  readonly contents: readonly Content[];
}

/** Milliseconds. */
export interface JobTimes {
  readonly queue: number;
  readonly wall: number;
}

/** What every job of a server needs. */
export interface JobSurroundings {
  readonly runner: { start(spec: CompileSpec): RunningCompile };
  readonly directories: { create(): Promise<JobDirectory> };
  readonly clock: Clock;
  readonly memory: Pick<MemoryUse, 'predict' | 'learn'>;
}

/** The client, as far as a job sees it. */
export interface JobClient {
  send(message: JobResult | PumpResult | Refused): void;
  /** Resolves to false when the client is gone or `signal` aborted. */
  sendContent(job: number, pieces: Content['pieces'], signal: AbortSignal): Promise<boolean>;
  /** Ends the connection: what a RESULT announced cannot be delivered. */
  close(message: string): void;
  /** A line about this job for the person who runs the server. */
  log(what: string): void;
}

export type JobState =
  | { readonly name: 'receiving' }
  | { readonly name: 'queued' }
  | { readonly name: 'running'; readonly compile: RunningCompile }
  /** `announced`: RESULT is out, so that content must follow. */
  | { readonly name: 'sending'; readonly announced: boolean }
  | { readonly name: 'over'; readonly outcome: JobOutcome };

export type JobOutcome = 'done' | 'cancelled' | 'refused';

export class CompileJob {
  readonly #id: number;
  readonly #recipe: JobRecipe;
  readonly #place: Place;
  readonly #client: JobClient;
  readonly #around: JobSurroundings;
  readonly #receiver: SourceReceiver;
  readonly #cancelled = new AbortController();
  #state: JobState = { name: 'receiving' };

  /** Throws JobRefused when the announced source cannot be honest. */
  constructor(
    job: AnnouncedSource & { readonly job: number },
    recipe: JobRecipe,
    place: Place,
    client: JobClient,
    around: JobSurroundings,
  ) {
    this.#id = job.job;
    this.#recipe = recipe;
    this.#place = place;
    this.#client = client;
    this.#around = around;
    this.#receiver = new SourceReceiver(job);
  }

  get state(): JobState {
    return this.#state;
  }

  /** All that its client has to send has come: what happens next is up to this host. */
  get isComplete(): boolean {
    return this.#state.name !== 'receiving';
  }

  /** A piece of the source; see SourceReceiver.add. Ignored once the job is over. */
  receive(bytes: Uint8Array): Promise<void> | undefined {
    return this.#receiver.add(bytes);
  }

  /** The client does not want it any more, or is gone. */
  cancel(): void {
    const state = this.#state;
    switch (state.name) {
      case 'running':
        state.compile.kill();
        break;
      case 'receiving':
      case 'queued':
      case 'sending':
      case 'over':
        break;
      default:
        unreachable(state);
    }
    this.#cancelled.abort();
  }

  /** Does the job; resolves when it is over and nothing of it is left, to how it ended. */
  async run(): Promise<JobEnding> {
    try {
      const times = await this.#inDirectory();
      this.#finish('done');
      return { outcome: 'done', times };
    } catch (error) {
      if (this.#cancelled.signal.aborted) {
        this.#finish('cancelled');
        return { outcome: 'cancelled' };
      }
      const refusal = asRefusal(error);
      this.#refuse(refusal);
      return { outcome: refusal.code };
    } finally {
      this.#receiver.abandon();
      this.#recipe.close();
      this.#place.release();
    }
  }

  #refuse({ code, message }: JobRefused): void {
    this.#client.log(`${code}: ${message}`);
    if (this.#state.name === 'sending' && this.#state.announced) {
      this.#client.close(`job ${this.#id}: ${message}`);
    } else {
      const text = message.slice(0, WIRE.textLength);
      this.#client.send({ kind: 'refused', job: this.#id, code, message: text });
    }
    this.#finish('refused');
  }

  #finish(outcome: JobOutcome): void {
    this.#state = { name: 'over', outcome };
  }

  async #inDirectory(): Promise<JobTimes> {
    const directory = await this.#around.directories.create();
    try {
      return await this.#compileIn(directory);
    } finally {
      await directory.remove().catch((error: unknown) => {
        this.#client.log(`cannot remove its directory: ${describeError(error)}`);
      });
    }
  }

  async #compileIn(directory: JobDirectory): Promise<JobTimes> {
    const { signal } = this.#cancelled;
    const { clock } = this.#around;
    await this.#recipe.prepare(directory, (path) => this.#receiveSource(path), signal);

    const received = clock.monotonic();
    this.#state = { name: 'queued' };
    await this.#slot();
    const command = await this.#recipe.command();
    signal.throwIfAborted();

    const started = clock.monotonic();
    const compile = this.#around.runner.start(command);
    this.#state = { name: 'running', compile };
    const end = await this.#endOf(compile);
    const ended = clock.monotonic();
    if (end.signal === 0) this.#around.memory.learn(this.#recipe.memoryKeys, end.maxRssKiB * 1024);
    // The next job may start while this one's output is on its way.
    this.#place.release();

    signal.throwIfAborted();
    this.#state = { name: 'sending', announced: false };
    const delivery = await this.#recipe.collect(end);
    const times = { queue: started - received, wall: ended - started };
    try {
      await this.#send(delivery, times);
      return times;
    } finally {
      await Promise.all(delivery.contents.map((content) => content.close()));
    }
  }

  async #receiveSource(path: string | Buffer): Promise<void> {
    const late = new AbortController();
    const timer = this.#around.clock.after(SERVER.jobUpload, () => late.abort());
    try {
      const either = AbortSignal.any([this.#cancelled.signal, late.signal]);
      await this.#receiver.writeTo(path, either);
    } catch (error) {
      if (!late.signal.aborted) throw error;
      const seconds = SERVER.jobUpload / 1000;
      throw new JobRefused('limit', `the source did not arrive within ${seconds} s`);
    } finally {
      timer.cancel();
    }
  }

  /** Resolves when it is this job's turn. */
  #slot(): Promise<void> {
    const { signal } = this.#cancelled;
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('cancelled')), { once: true });
      const bytes = this.#around.memory.predict(this.#recipe.memoryKeys);
      if (!signal.aborted) this.#place.request(resolve, bytes);
      else reject(new Error('cancelled'));
    });
  }

  /** The end of a compiler, which is killed when it takes too long. */
  async #endOf(compile: RunningCompile): Promise<CompileEnd> {
    let isLate = false;
    const timer = this.#around.clock.after(SERVER.jobWall, () => {
      isLate = true;
      compile.kill();
    });
    try {
      const end = await compile.ended;
      if (isLate) {
        throw new JobRefused('limit', `the compiler ran longer than ${SERVER.jobWall / 1000} s`);
      }
      return end;
    } finally {
      timer.cancel();
    }
  }

  async #send({ announce, contents }: Delivery, times: JobTimes): Promise<void> {
    const { signal } = this.#cancelled;
    signal.throwIfAborted();
    this.#client.send(announce(times));
    this.#state = { name: 'sending', announced: true };
    for (const { pieces } of contents) {
      await this.#client.sendContent(this.#id, pieces, signal);
    }
  }
}

function asRefusal(error: unknown): JobRefused {
  if (error instanceof JobRefused) return error;
  return new JobRefused('failed', describeError(error), { cause: error });
}
