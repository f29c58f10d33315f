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
import { DAEMON } from '../core/limits.js';
import type { FallbackReason } from '../core/reasons.js';
import type { Files } from '../platform/files.js';
import { fieldBytes } from '../protocol/field-codec.js';
import type { RunRequest } from '../protocol/launcher-wire.js';
import { preprocessArguments } from '../toolchain/plain-mode.js';
import { remoteOptions } from '../toolchain/remote-options.js';
import { isPreprocessed } from '../toolchain/source-language.js';
import { CompileOutputs, type PendingOutput } from './compile-outputs.js';
import type { CompileSteps } from './compile-steps.js';
import { fallback, noPlace, RunLocally, type CompileVerdict } from './compile-verdict.js';
import type { RemoteDecision } from './decision.js';
import type { LauncherConnection } from './launcher-connection.js';
import { preprocessHere } from './local-preprocessor.js';
import type { LocalSlots } from './local-slots.js';
import type { PlainJob, RemoteResult } from './remote-job.js';
import type { SourceBuffers } from './source-buffers.js';
import { asksForColumns, mayReadFiles, withName } from './source-text.js';
import type { Verification, Verified } from './verification.js';

export interface PlainCompileContext {
  readonly slots: LocalSlots;
  readonly files: Files;
  readonly buffers: SourceBuffers;
  /** Stem of the files in which preprocessed sources arrive: a path that `unique` completes. */
  readonly sourceStem: ByteString;
  /** A string that no other compile uses, safe in a file name. */
  readonly unique: () => string;
}

export class PlainCompile {
  readonly #request: RunRequest;
  readonly #decision: RemoteDecision;
  readonly #launcher: LauncherConnection;
  readonly #steps: CompileSteps;
  readonly #context: PlainCompileContext;
  readonly #outputs: CompileOutputs;
  readonly #object: PendingOutput;
  /** Written by the preprocessor, which is given the temporary's name. */
  readonly #dependencies: PendingOutput | undefined;
  readonly #onResult: (host: string) => void;
  readonly #verification: Verification | undefined;
  #preprocessCpu = 0;

  /**
   * @param onResult called before the outputs are put in place
   * @param verification of a compile that is to be done here too
   */
  constructor(
    request: RunRequest,
    decision: RemoteDecision,
    launcher: LauncherConnection,
    steps: CompileSteps,
    context: PlainCompileContext,
    onResult: (host: string) => void,
    verification?: Verification,
  ) {
    this.#request = request;
    this.#decision = decision;
    this.#launcher = launcher;
    this.#steps = steps;
    this.#context = context;
    const { output, dependencies } = decision.targets;
    // Where no preprocessor runs, none writes a dependency file.
    const isWritten = dependencies !== undefined && !isPreprocessed(decision.command.language);
    const targets = isWritten ? [dependencies, output] : [output];
    this.#outputs = new CompileOutputs(targets, request.umask, context.unique, context.files);
    this.#object = this.#outputs.all.at(-1) as PendingOutput;
    this.#dependencies = isWritten ? this.#outputs.all[0] : undefined;
    this.#onResult = onResult;
    this.#verification = verification;
  }

  /** Rejects only with LauncherGone or a fault of the program; nothing is left behind then. */
  async run(): Promise<CompileVerdict> {
    let isCommitted = false;
    try {
      const obstacle = await this.#steps.obstacle('plain');
      if (obstacle !== undefined) throw noPlace(obstacle);
      this.#steps.lap('decide');
      const source = await this.#preprocess();
      const job = this.#jobOf(source);
      const { result, ...served } = await this.#steps.run(job);
      this.#requireClean(result);
      // All of it has arrived there, so no connection holds on to it; of others that may be so.
      const isElsewhere = served.retries > 0 || served.race !== undefined;
      if (!isElsewhere) this.#context.buffers.give(source);
      const { host } = served;
      const verified = await this.#verify(host, result, job);
      if (verified?.isLocal !== true) {
        await this.#write(result);
        this.#onResult(host);
        await this.#steps.commit(this.#outputs, this.#outputs.all);
        isCommitted = true;
      }
      return {
        kind: 'finished',
        record: {
          ...served,
          sourceBytes: source.length,
          sourceDigest: job.source.digest,
          preprocessCpu: this.#preprocessCpu,
          phases: this.#steps.times,
          result,
          ...(verified === undefined ? {} : { verified }),
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
      this.#launcher.send({ kind: 'temporary', path: this.#object.temporary });
      const path = joinPath(this.#request.cwd, command.source);
      const bytes = await this.#context.files.readBytes(path);
      return checked(withName(bytes, command.source));
    }
    const argv = preprocessArguments(command, this.#dependencies?.temporary);
    if (fieldBytes(argv) > DAEMON.commandBytes) {
      throw new RunLocally({ decline: 'command-too-long' });
    }
    if (this.#dependencies !== undefined) {
      await this.#steps.written(this.#outputs.keepMode(this.#dependencies));
    }
    this.#steps.phase = 'preprocess-queue';
    const slot = await this.#context.slots.acquire('preprocess', this.#launcher.gone);
    this.#steps.lap('preprocessQueue');
    this.#steps.phase = 'preprocess';
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
      this.#steps.lap('preprocess');
    }
  }

  #jobOf(source: Buffer): PlainJob {
    const { command, toolchain } = this.#decision;
    const digest = digestOf(source);
    this.#steps.lap('digest');
    return {
      mode: 'plain',
      toolchain: toolchain.digest,
      language: command.language,
      stage: command.stage,
      options: remoteOptions(command),
      sourceDateEpoch: sourceDateEpoch(this.#request),
      source: { bytes: source, digest },
    };
  }

  #requireClean(result: RemoteResult): void {
    if (result.status === 0 && result.stderr.length === 0 && result.stdout.length === 0) return;
    throw fallback(
      'plain-diagnostics',
      `exit status ${result.status}, ${result.stderr.length} bytes of messages`,
      result.stderr,
    );
  }

  /** Done here too and in place, where that is wanted. */
  async #verify(host: string, result: RemoteResult, job: PlainJob): Promise<Verified | undefined> {
    if (this.#verification === undefined) return undefined;
    this.#steps.phase = 'verify';
    const { command } = this.#decision;
    const outputs = [
      { name: command.output, path: this.#object.target.path, bytes: result.outputs.get(0) },
    ];
    if (this.#dependencies !== undefined && command.dependencies !== undefined) {
      const { target, temporary } = this.#dependencies;
      const { files } = this.#context;
      const isThere = files.stat(temporary) !== undefined;
      const bytes = isThere ? await files.readBytes(temporary) : undefined;
      outputs.push({ name: command.dependencies.path, path: target.path, bytes });
    }
    const { stdout, stderr } = result;
    const verified = await this.#verification.run(
      {
        host,
        outputs,
        stdout,
        stderr,
        // Columns of lines that macros made are those of the preprocessed source.
        mayDiffer: (file, section) =>
          section === undefined
            ? file === toText(command.output) && job.stage === 'assembly'
            : /^\.(?:rela?\.)?debug_/.test(section),
        inputsChanged: async () => {
          this.#outputs.remove();
          const again = await this.#preprocess();
          const isOther = digestOf(again) !== job.source.digest;
          this.#context.buffers.give(again);
          return isOther;
        },
      },
      () => this.#onResult(host),
    );
    this.#steps.lap('verify');
    return verified;
  }

  async #write({ outputs }: RemoteResult): Promise<void> {
    this.#steps.phase = 'write';
    const bytes = outputs.get(0);
    if (bytes === undefined) throw fallback('result-invalid', 'a success without an output');
    await this.#steps.written(this.#outputs.write(this.#object, bytes));
    this.#launcher.gone.throwIfAborted();
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
