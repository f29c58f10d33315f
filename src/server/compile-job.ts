/**
 * One compile job from its JOB message to its last byte.
 *
 *   receiving ──source complete──▶ queued ──slot──▶ running ──compiler ended──▶ sending
 *       │                            │                 │                           │
 *       └──────────── cancel, refusal or failure ──────┴─────────────┐          all sent
 *                                                                    ▼             ▼
 *                                                      over (cancelled | refused | done)
 *
 * Whatever happens, its compiler is dead, its directory removed and its slot free at the end.
 */
import { fromText, type ByteString } from '../core/byte-string.js';
import { describeError, unreachable, type Result } from '../core/errors.js';
import { SERVER, WIRE } from '../core/limits.js';
import type { Clock } from '../platform/clock.js';
import type { Encoding, Job, JobResult, Refused } from '../protocol/messages.js';
import type { Language } from '../toolchain/compile-command.js';
import type { JobDirectory } from './job-directory.js';
import {
  encodeOutput,
  NO_OUTPUT,
  openContent,
  type Content,
  type EncodedOutput,
} from './job-output.js';
import { JobRefused } from './job-refused.js';
import type { CompileEnd, CompileSpec, RunningCompile } from './runner.js';
import type { Place } from './slots.js';
import { SourceReceiver } from './source-receiver.js';
import type { CompilerCatalogue } from './toolchains.js';

/** Turns a job's typed options into arguments; the error says which option it cannot express. */
export type RenderArguments = (
  options: Job['options'],
  context: {
    readonly language: Language;
    readonly stage: 'object' | 'assembly';
    readonly source: ByteString;
    readonly output: ByteString;
  },
) => Result<ByteString[], string>;

/** What every job of a server needs. */
export interface JobSurroundings {
  readonly compilers: CompilerCatalogue;
  readonly runner: { start(spec: CompileSpec): RunningCompile };
  readonly directories: { create(): Promise<JobDirectory> };
  readonly renderArguments: RenderArguments;
  readonly clock: Clock;
  /** PATH of every compiler: where it finds as, objcopy and its kin. */
  readonly path: string;
  /** Niceness added to every compiler. */
  readonly nice: number;
}

/** The client, as far as a job sees it. */
export interface JobClient {
  send(message: JobResult | Refused): void;
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

/** What a compiler made and printed. */
interface Yield {
  readonly output: EncodedOutput;
  readonly stdout: Content;
  readonly stderr: Content;
}

const SUFFIX: { readonly [L in Language]: string } = {
  c: 'i',
  'c++': 'ii',
  'objective-c': 'mi',
  'objective-c++': 'mii',
  'cpp-output': 'i',
  'c++-cpp-output': 'ii',
  'objective-c-cpp-output': 'mi',
  'objective-c++-cpp-output': 'mii',
  assembler: 's',
  'assembler-with-cpp': 's',
};

const NOTHING: Content = { bytes: 0, pieces: [], close: async () => undefined };

export class CompileJob {
  readonly #job: Job;
  readonly #place: Place;
  readonly #client: JobClient;
  readonly #around: JobSurroundings;
  readonly #receiver: SourceReceiver;
  readonly #cancelled = new AbortController();
  #state: JobState = { name: 'receiving' };

  /** Throws JobRefused when the announced source cannot be honest. */
  constructor(job: Job, place: Place, client: JobClient, around: JobSurroundings) {
    this.#job = job;
    this.#place = place;
    this.#client = client;
    this.#around = around;
    this.#receiver = new SourceReceiver(job);
  }

  get state(): JobState {
    return this.#state;
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

  /** Does the job; resolves when it is over and nothing of it is left. */
  async run(): Promise<void> {
    try {
      await this.#inDirectory();
      this.#finish('done');
    } catch (error) {
      if (this.#cancelled.signal.aborted) this.#finish('cancelled');
      else this.#refuse(asRefusal(error));
    } finally {
      this.#receiver.abandon();
      this.#place.release();
    }
  }

  #refuse({ code, message }: JobRefused): void {
    this.#client.log(`${code}: ${message}`);
    if (this.#state.name === 'sending' && this.#state.announced) {
      this.#client.close(`job ${this.#job.job}: ${message}`);
    } else {
      const text = message.slice(0, WIRE.textLength);
      this.#client.send({ kind: 'refused', job: this.#job.job, code, message: text });
    }
    this.#finish('refused');
  }

  #finish(outcome: JobOutcome): void {
    this.#state = { name: 'over', outcome };
  }

  async #inDirectory(): Promise<void> {
    const directory = await this.#around.directories.create();
    try {
      await this.#compileIn(directory.path);
    } finally {
      await directory.remove().catch((error: unknown) => {
        this.#client.log(`cannot remove its directory: ${describeError(error)}`);
      });
    }
  }

  async #compileIn(directory: string): Promise<void> {
    const { signal } = this.#cancelled;
    const { clock } = this.#around;
    const source = `${directory}/source.${SUFFIX[this.#job.language]}`;
    const output = `${directory}/output.${this.#job.stage === 'object' ? 'o' : 's'}`;
    const words = this.#renderArguments(source, output);
    await this.#receiveSource(source);

    const received = clock.monotonic();
    this.#state = { name: 'queued' };
    await this.#slot();
    const compiler = await this.#around.compilers.current(this.#job.toolchain);
    signal.throwIfAborted();
    if (compiler === undefined) {
      throw new JobRefused('toolchain', 'this server does not have that compiler');
    }

    const started = clock.monotonic();
    const compile = this.#around.runner.start({
      program: compiler,
      words: [compiler, ...words],
      environment: this.#environment(directory),
      cwd: fromText(directory),
      stdout: fromText(`${directory}/stdout`),
      stderr: fromText(`${directory}/stderr`),
      nice: this.#around.nice,
    });
    this.#state = { name: 'running', compile };
    const end = await this.#endOf(compile);
    const ended = clock.monotonic();
    // The next job may start while this one's output is on its way.
    this.#place.release();

    signal.throwIfAborted();
    this.#state = { name: 'sending', announced: false };
    const made = await collectYield(directory, output, end, this.#job.sourceEncoding);
    try {
      await this.#send(made, end, { queue: started - received, wall: ended - started });
    } finally {
      await Promise.all([made.output.content.close(), made.stdout.close(), made.stderr.close()]);
    }
  }

  async #receiveSource(path: string): Promise<void> {
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

  #renderArguments(source: string, output: string): ByteString[] {
    const { options, language, stage } = this.#job;
    const rendered = this.#around.renderArguments(options, {
      language,
      stage,
      source: fromText(source),
      output: fromText(output),
    });
    if (!rendered.ok) throw new JobRefused('option', rendered.error);
    return rendered.value;
  }

  /** Nothing of the server's own environment gets into a job. */
  #environment(directory: string): ReadonlyMap<string, ByteString> {
    const environment = new Map([
      ['PATH', fromText(this.#around.path)],
      ['TMPDIR', fromText(`${directory}/tmp`)],
      ['LC_ALL', 'C'],
    ]);
    const { sourceDateEpoch } = this.#job;
    if (sourceDateEpoch !== null) environment.set('SOURCE_DATE_EPOCH', String(sourceDateEpoch));
    return environment;
  }

  /** Resolves when it is this job's turn. */
  #slot(): Promise<void> {
    const { signal } = this.#cancelled;
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('cancelled')), { once: true });
      if (!signal.aborted) this.#place.request(resolve);
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

  async #send(
    { output, stdout, stderr }: Yield,
    end: CompileEnd,
    times: { readonly queue: number; readonly wall: number },
  ): Promise<void> {
    const { signal } = this.#cancelled;
    const { job, sourceDigest } = this.#job;
    signal.throwIfAborted();
    this.#client.send({
      kind: 'result',
      job,
      status: end.status,
      signal: end.signal,
      sourceDigest,
      outputBytes: output.bytes,
      outputDigest: output.digest,
      outputEncoding: output.encoding,
      encodedBytes: output.content.bytes,
      stdoutBytes: stdout.bytes,
      stderrBytes: stderr.bytes,
      cpuMicroseconds: end.cpuMicroseconds,
      wallMilliseconds: Math.round(times.wall),
      queueMilliseconds: Math.round(times.queue),
      maxRssKiB: end.maxRssKiB,
    });
    this.#state = { name: 'sending', announced: true };
    for (const { pieces } of [output.content, stdout, stderr]) {
      await this.#client.sendContent(job, pieces, signal);
    }
  }
}

/** @param encoding as the source came, so shall the output go: the client knows its wire */
async function collectYield(
  directory: string,
  output: string,
  end: CompileEnd,
  encoding: Encoding,
): Promise<Yield> {
  const opened: Content[] = [];
  const take = async (path: string, limit: number, what: string) => {
    const content = (await openContent(path, limit, what)) ?? NOTHING;
    opened.push(content);
    return content;
  };
  try {
    const stdout = await take(`${directory}/stdout`, WIRE.diagnosticsBytes, 'standard output');
    const stderr = await take(`${directory}/stderr`, WIRE.diagnosticsBytes, 'standard error');
    // What a failed compiler may have left is not a result.
    const made =
      end.status === 0 ? await openContent(output, WIRE.outputBytes, 'output') : undefined;
    if (made === undefined && end.status === 0) {
      throw new JobRefused('failed', 'the compiler succeeded without making its output');
    }
    const encoded =
      made === undefined ? NO_OUTPUT : await encodeOutput(made, encoding, `${directory}/output.br`);
    return { output: encoded, stdout, stderr };
  } catch (error) {
    await Promise.all(opened.map((content) => content.close()));
    throw error;
  }
}

function asRefusal(error: unknown): JobRefused {
  if (error instanceof JobRefused) return error;
  return new JobRefused('failed', describeError(error), { cause: error });
}
