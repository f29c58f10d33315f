/**
 * One compile in plain mode: preprocessed here by the launcher, compiled on a server, written
 * beside its target, put in place by the launcher.
 *
 *   prospect ─▶ preprocess ─▶ remote ─▶ write ─▶ commit ─▶ finished
 *      │            │           │        │         │
 *      └────────────┴───────────┴────────┴─────────┴──▶ local (decline or fallback)
 *
 * Every step may throw LauncherGone; the caller knows what that means.
 */
import { fromText, joinPath, toText, type ByteString } from '../core/byte-string.js';
import { digestOf } from '../core/digest.js';
import { errnoCode } from '../core/errors.js';
import { DAEMON, SCHEDULING } from '../core/limits.js';
import type { FallbackReason } from '../core/reasons.js';
import type { Clock } from '../platform/clock.js';
import type { Files } from '../platform/files.js';
import { fieldBytes } from '../protocol/field-codec.js';
import type { RunRequest } from '../protocol/launcher-wire.js';
import type { LocalReason, Phases } from '../report/events.js';
import { preprocessArguments } from '../toolchain/plain-mode.js';
import { remoteOptions } from '../toolchain/remote-options.js';
import { isPreprocessed } from '../toolchain/source-language.js';
import { CompileOutputs } from './compile-outputs.js';
import type { Decision } from './decision.js';
import type { Farm } from './farm.js';
import type { LauncherConnection } from './launcher-connection.js';
import { preprocessHere } from './local-preprocessor.js';
import type { LocalSlots } from './local-slots.js';
import { RemoteFailure, type RemoteJob, type RemoteResult } from './remote-job.js';
import type { Settings } from './settings.js';
import type { SourceBuffers } from './source-buffers.js';
import { asksForColumns, mayReadFiles, withName } from './source-text.js';

export interface PlainCompileContext {
  readonly farm: Farm;
  readonly slots: LocalSlots;
  readonly files: Files;
  readonly buffers: SourceBuffers;
  readonly clock: Clock;
  /** Stem of the files in which preprocessed sources arrive: a path that `unique` completes. */
  readonly sourceStem: ByteString;
  /** A string that no other compile uses, safe in a file name. */
  readonly unique: () => string;
}

/** What a finished compile tells the journal. */
export interface PlainRecord {
  readonly host: string;
  readonly retries: number;
  readonly sourceBytes: number;
  readonly preprocessCpu: number;
  readonly phases: Phases;
  readonly result: RemoteResult;
}

export type PlainVerdict =
  | { readonly kind: 'finished'; readonly record: PlainRecord }
  | {
      readonly kind: 'local';
      readonly reason: LocalReason;
      readonly detail?: string;
      /** What the server's compiler printed: for TSCC_FALLBACK=0, where nothing else will. */
      readonly diagnostics?: Uint8Array;
    };

type PlainDecision = Extract<Decision, { kind: 'plain' }>;

/** Shortens the way out of nested steps; never leaves this file. */
class RunLocally extends Error {
  readonly verdict: PlainVerdict;

  constructor(reason: LocalReason, detail?: string, diagnostics?: Uint8Array) {
    super('compile locally');
    this.verdict = {
      kind: 'local',
      reason,
      ...(detail === undefined ? {} : { detail }),
      ...(diagnostics === undefined ? {} : { diagnostics }),
    };
  }
}

const fallback = (reason: FallbackReason, detail?: string, diagnostics?: Uint8Array) =>
  new RunLocally({ fallback: reason }, detail, diagnostics);

export class PlainCompile {
  /** Name of the current step, for the journal of an interrupted compile. */
  phase = 'prospect';
  readonly #request: RunRequest;
  readonly #settings: Settings;
  readonly #decision: PlainDecision;
  readonly #launcher: LauncherConnection;
  readonly #context: PlainCompileContext;
  readonly #outputs: CompileOutputs;
  readonly #times: { -readonly [phase in keyof Phases]: number };
  readonly #onResult: (host: string) => void;
  #mark: number;
  #preprocessCpu = 0;

  /**
   * @param began monotonic time of the request
   * @param onResult called before the outputs are put in place
   */
  constructor(
    request: RunRequest,
    settings: Settings,
    decision: PlainDecision,
    launcher: LauncherConnection,
    context: PlainCompileContext,
    began: number,
    onResult: (host: string) => void,
  ) {
    this.#request = request;
    this.#settings = settings;
    this.#decision = decision;
    this.#launcher = launcher;
    this.#context = context;
    this.#mark = began;
    const { output, dependencies } = decision.targets;
    // Where no preprocessor runs, none writes a dependency file.
    const isSourceReady = isPreprocessed(decision.command.language);
    const targets = { output, dependencies: isSourceReady ? undefined : dependencies };
    this.#outputs = new CompileOutputs(targets, request.umask, context.unique, context.files);
    this.#onResult = onResult;
    this.#times = {
      decide: 0,
      preprocessQueue: 0,
      preprocess: 0,
      digest: 0,
      remoteQueue: 0,
      remote: 0,
      write: 0,
    };
  }

  /** Rejects only with LauncherGone or a fault of the program; nothing is left behind then. */
  async run(): Promise<PlainVerdict> {
    let isCommitted = false;
    try {
      const { hosts, toolchain } = this.#decision;
      const outlook = await this.#context.farm.prospect(
        hosts,
        toolchain,
        this.#settings,
        this.#launcher.gone,
      );
      if (outlook.kind === 'none') throw fallback(outlook.reason, outlook.detail);
      this.#lap('decide');
      const source = await this.#preprocess();
      const job = this.#jobOf(source);
      const { result, host, retries } = await this.#compileRemotely(job);
      // All of it has arrived there, so no connection holds on to it.
      this.#context.buffers.give(source);
      await this.#write(result);
      this.#onResult(host);
      await this.#commit();
      isCommitted = true;
      return {
        kind: 'finished',
        record: {
          host,
          retries,
          sourceBytes: source.length,
          preprocessCpu: this.#preprocessCpu,
          phases: { ...this.#times },
          result,
        },
      };
    } catch (error) {
      if (error instanceof RunLocally) return error.verdict;
      throw error;
    } finally {
      if (!isCommitted) this.#outputs.remove();
    }
  }

  async #preprocess(): Promise<Buffer> {
    const { command } = this.#decision;
    if (isPreprocessed(command.language)) {
      this.#launcher.send({ kind: 'temporary', path: this.#outputs.output });
      const path = joinPath(this.#request.cwd, command.source);
      const bytes = await this.#context.files.readBytes(path);
      return checked(withName(bytes, command.source));
    }
    const argv = preprocessArguments(command, this.#outputs.dependencies);
    if (fieldBytes(argv) > DAEMON.commandBytes) {
      throw new RunLocally({ decline: 'command-too-long' });
    }
    await this.#written(this.#outputs.keepDependencyMode());
    this.phase = 'preprocess-queue';
    const slot = await this.#context.slots.acquire('preprocess', this.#launcher.gone);
    this.#lap('preprocessQueue');
    this.phase = 'preprocess';
    try {
      const { unique, sourceStem, files } = this.#context;
      const into = `${sourceStem}${unique()}`;
      const { outcome, cpu } = await preprocessHere(
        argv,
        into,
        this.#outputs.temporaries,
        this.#launcher,
        files,
        this.#context.buffers,
      );
      this.#preprocessCpu = cpu;
      switch (outcome.kind) {
        case 'source':
          return checked(outcome.bytes);
        case 'unclean':
          throw new RunLocally({ decline: 'preprocess-diagnostics' });
        case 'too-large':
          throw new RunLocally({ decline: 'source-too-large' });
      }
    } finally {
      slot.release();
      this.#lap('preprocess');
    }
  }

  #jobOf(source: Buffer): RemoteJob {
    const { command, toolchain } = this.#decision;
    const digest = digestOf(source);
    this.#lap('digest');
    return {
      toolchain: toolchain.digest,
      language: command.language,
      stage: command.stage,
      options: remoteOptions(command),
      sourceDateEpoch: sourceDateEpoch(this.#request),
      source: { bytes: source, digest },
    };
  }

  /** One server after another; the last one's failure decides the reason. */
  async #compileRemotely(job: RemoteJob) {
    const { farm } = this.#context;
    const { hosts, toolchain } = this.#decision;
    const tried = new Set<string>();
    let failed: RemoteFailure | undefined;
    while (tried.size < SCHEDULING.remoteTries) {
      this.phase = 'remote-queue';
      const place = await farm.acquire(
        { hosts, toolchain, settings: this.#settings, exclude: tried },
        this.#launcher.gone,
      );
      this.#lap('remoteQueue');
      if (place.kind === 'localhost') throw new RunLocally({ decline: 'scheduled-local' });
      if (place.kind === 'none') {
        failed ??= new RemoteFailure(place.reason, place.detail);
        break;
      }
      this.phase = `remote:${place.host}`;
      try {
        const result = await place.run(job, this.#settings.ioTimeout, this.#launcher.gone);
        this.#lap('remote');
        if (result.signal === 0) {
          this.#requireClean(result);
          return { result, host: place.host, retries: tried.size };
        }
        failed = new RemoteFailure('remote-killed', `signal ${result.signal} on ${place.host}`);
      } catch (error) {
        if (!(error instanceof RemoteFailure)) throw error;
        failed = error;
      } finally {
        place.release();
      }
      tried.add(place.host);
    }
    throw fallback(failed?.reason ?? 'no-server', failed?.message);
  }

  #requireClean(result: RemoteResult): void {
    if (result.status === 0 && result.stderr.length === 0 && result.stdout.length === 0) return;
    throw fallback(
      'plain-diagnostics',
      `exit status ${result.status}, ${result.stderr.length} bytes of messages`,
      result.stderr,
    );
  }

  async #write(result: RemoteResult): Promise<void> {
    this.phase = 'write';
    await this.#written(this.#outputs.writeOutput(result.output));
    this.#launcher.gone.throwIfAborted();
  }

  async #written(writing: Promise<void>): Promise<void> {
    try {
      await writing;
    } catch (error) {
      const code = errnoCode(error);
      if (code === undefined) throw error;
      throw fallback(
        'output-failed',
        `${code} writing beside ${toText(this.#decision.command.output)}`,
      );
    }
  }

  /** The launcher renames, because only it knows whether the build still wants the result. */
  async #commit(): Promise<void> {
    this.phase = 'commit';
    this.#launcher.send({ kind: 'done', status: 0, renames: this.#outputs.renames });
    const answer = await this.#launcher.next();
    if (answer.kind !== 'committed') {
      throw new Error(`Internal error: DONE was answered by ${answer.kind}`);
    }
    this.#lap('write');
    if (answer.errno !== 0) {
      throw fallback('commit-failed', `errno ${answer.errno} at ${toText(answer.target)}`);
    }
  }

  /** The time since the last call belongs to this phase. */
  #lap(phase: keyof Phases): void {
    const now = this.#context.clock.monotonic();
    this.#times[phase] += now - this.#mark;
    this.#mark = now;
  }
}

/** The source, unless plain mode would make another object of it. */
function checked(source: Buffer): Buffer {
  if (mayReadFiles(source)) throw new RunLocally({ decline: 'assembler-reads-file' });
  if (asksForColumns(source)) throw new RunLocally({ decline: 'source-columns' });
  return source;
}

/** Seconds; null when unset. gcc itself refuses what is no number, before anything goes out. */
function sourceDateEpoch(request: RunRequest): number | null {
  const value = request.environment.get('SOURCE_DATE_EPOCH');
  return value !== undefined && /^[0-9]{1,12}$/.test(value) ? Number(value) : null;
}

/** Message of a compile that may not fall back, in one line. */
export function refusalMessage(reason: FallbackReason, detail: string | undefined): ByteString {
  const more = detail === undefined ? '' : `: ${detail}`;
  return fromText(`${reason}${more}; TSCC_FALLBACK=0 forbids compiling it locally`);
}
