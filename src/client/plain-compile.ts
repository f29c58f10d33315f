/**
 * One compile in plain mode: preprocessed here by the launcher, compiled on a server, written
 * beside its target, put in place by the launcher.
 *
 *   prospect ─▶ preprocess ─▶ encode ─▶ remote ─▶ write ─▶ commit ─▶ finished
 *      │            │           │          │        │         │
 *      └────────────┴───────────┴──────────┴────────┴─────────┴──▶ local (decline or fallback)
 *
 * Every step may throw LauncherGone; the caller knows what that means.
 */
import { fromText, joinPath, toText, type ByteString } from '../core/byte-string.js';
import { digestOf } from '../core/digest.js';
import { errnoCode } from '../core/errors.js';
import { DAEMON, SCHEDULING, WIRE } from '../core/limits.js';
import type { FallbackReason } from '../core/reasons.js';
import type { Clock } from '../platform/clock.js';
import type { Files } from '../platform/files.js';
import { fieldBytes } from '../protocol/field-codec.js';
import type { RunRequest } from '../protocol/launcher-wire.js';
import type { LocalReason, Phases } from '../report/events.js';
import { preprocessArguments } from '../toolchain/plain-mode.js';
import { remoteOptions } from '../toolchain/remote-options.js';
import { isPreprocessed } from '../toolchain/source-language.js';
import type { Decision } from './decision.js';
import type { Farm } from './farm.js';
import type { LauncherConnection } from './launcher-connection.js';
import { preprocessHere } from './local-preprocessor.js';
import type { LocalSlots } from './local-slots.js';
import { temporaryBeside } from './output-target.js';
import { RemoteFailure, type RemoteJob, type RemoteResult } from './remote-job.js';
import type { Settings } from './settings.js';
import type { SourceIntake } from './source-intake.js';
import { asksForColumns, mayReadFiles, withName } from './source-text.js';

export interface PlainCompileContext {
  readonly farm: Farm;
  readonly slots: LocalSlots;
  readonly intake: SourceIntake;
  readonly files: Files;
  readonly clock: Clock;
  /** Compresses a source; a large one off the event loop. */
  readonly compress: (bytes: Uint8Array) => Promise<Uint8Array>;
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
  readonly #temporaries = new Map<'output' | 'dependencies', ByteString>();
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
    this.#onResult = onResult;
    this.#times = {
      decide: 0,
      preprocessQueue: 0,
      preprocess: 0,
      compress: 0,
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
      const job = await this.#encode(source);
      const { result, host, retries } = await this.#compileRemotely(job);
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
      if (!isCommitted) this.#removeTemporaries();
    }
  }

  async #preprocess(): Promise<Buffer> {
    const { command, targets } = this.#decision;
    if (isPreprocessed(command.language)) {
      const path = joinPath(this.#request.cwd, command.source);
      const bytes = await this.#context.files.readBytes(path);
      return checked(withName(bytes, command.source));
    }
    if (targets.dependencies !== undefined) {
      const temporary = temporaryBeside(targets.dependencies, this.#context.unique());
      this.#temporaries.set('dependencies', temporary);
    }
    const argv = preprocessArguments(command, this.#temporaries.get('dependencies'));
    if (fieldBytes(argv) > DAEMON.commandBytes) {
      throw new RunLocally({ decline: 'command-too-long' });
    }
    this.phase = 'preprocess-queue';
    const slot = await this.#context.slots.acquire('preprocess', this.#launcher.gone);
    this.#lap('preprocessQueue');
    this.phase = 'preprocess';
    try {
      const { unique, intake, clock } = this.#context;
      const temporary = this.#temporaries.get('dependencies');
      const { outcome, cpu } = await preprocessHere(
        argv,
        unique(),
        temporary,
        this.#launcher,
        intake,
        clock,
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

  async #encode(source: Buffer): Promise<RemoteJob> {
    this.phase = 'compress';
    const { command, toolchain } = this.#decision;
    const compressed = await this.#context.compress(source);
    this.#launcher.gone.throwIfAborted();
    this.#lap('compress');
    // A server takes what grows beyond all measure for a bomb; it may come as it is.
    const isBomb =
      source.length > WIRE.expansionFree && source.length > compressed.length * WIRE.expansion;
    return {
      toolchain: toolchain.digest,
      language: command.language,
      stage: command.stage,
      options: remoteOptions(command),
      sourceDateEpoch: sourceDateEpoch(this.#request),
      source: {
        encoding: isBomb ? 'none' : 'brotli',
        bytes: isBomb ? source : compressed,
        size: source.length,
        digest: digestOf(source),
      },
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
    const temporary = temporaryBeside(this.#decision.targets.output, this.#context.unique());
    this.#temporaries.set('output', temporary);
    this.#launcher.send({ kind: 'temporary', path: temporary });
    try {
      await this.#context.files.writeNew(temporary, result.output, 0o666 & ~this.#request.umask);
    } catch (error) {
      if (errnoCode(error) === undefined) throw error;
      throw fallback('output-failed', `${errnoCode(error)} writing ${toText(temporary)}`);
    }
    this.#launcher.gone.throwIfAborted();
  }

  /** The launcher renames, because only it knows whether the build still wants the result. */
  async #commit(): Promise<void> {
    this.phase = 'commit';
    const { output, dependencies } = this.#decision.targets;
    const pairs = [
      { temporary: this.#temporaries.get('dependencies'), target: dependencies },
      { temporary: this.#temporaries.get('output'), target: output },
    ];
    const renames = pairs.flatMap(({ temporary, target }) =>
      temporary === undefined || target === undefined ? [] : [{ temporary, target }],
    );
    this.#launcher.send({ kind: 'done', status: 0, renames });
    const answer = await this.#launcher.next();
    if (answer.kind !== 'committed') {
      throw new Error(`Internal error: DONE was answered by ${answer.kind}`);
    }
    this.#lap('write');
    if (answer.errno !== 0) {
      throw fallback('commit-failed', `errno ${answer.errno} at ${toText(answer.target)}`);
    }
  }

  #removeTemporaries(): void {
    for (const path of this.#temporaries.values()) this.#context.files.remove(path);
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
