/**
 * One compile in pump mode: the source and what it may include go to a server, which compiles in a
 * sealed copy of this file system; nothing is preprocessed here.
 *
 *   closure ─▶ remote ─▶ check ─▶ write ─▶ commit ─▶ finished
 *    ▲  │        │         │        │        │
 *    │  │        │         └────────┴────────┴──▶ local (fallback)
 *    │  └────────┴──▶ demoted (plain mode may carry it), or local
 *    └── a file changed meanwhile, or the server missed one that is here
 *
 * Every step may throw LauncherGone; the caller knows what that means.
 */
import { toText, type ByteString } from '../core/byte-string.js';
import { PUMP } from '../core/limits.js';
import type { DemotionReason } from '../core/reasons.js';
import { isHostDemotion } from '../core/reasons.js';
import type { HeaderClosure } from '../include-server/header-closure.js';
import type { IncludeServer } from '../include-server/include-server.js';
import type { Files } from '../platform/files.js';
import type { RunRequest } from '../protocol/launcher-wire.js';
import { pumpFields } from '../toolchain/pump-command.js';
import { onTerminal, pumpEnvironment } from '../toolchain/pump-environment.js';
import type { TerminalFiles } from '../toolchain/terminal-files.js';
import { STDERR } from '../toolchain/output-difference.js';
import type { CompilerFiles } from './compiler-files.js';
import { CompileOutputs } from './compile-outputs.js';
import type { CompileSteps, RemoteRun } from './compile-steps.js';
import {
  fallback,
  noPlace,
  RunLocally,
  type CompileVerdict,
  type FailedElsewhere,
} from './compile-verdict.js';
import type { RemoteDecision } from './decision.js';
import type { LauncherConnection } from './launcher-connection.js';
import type { PrecompiledHeaders } from './precompiled-headers.js';
import { filesMissedBy } from './missed-files.js';
import { findOutputs, writeOutputs, type WantedOutput } from './pump-outputs.js';
import { PumpCheck, type Attempt } from './pump-check.js';
import { RemoteFailure, type HeaderRecipe, type PumpedJob } from './remote-job.js';
import type { Verification, Verified } from './verification.js';

export interface PumpCompileContext {
  readonly files: Files;
  readonly includes: Pick<IncludeServer, 'closureOf' | 'readSource' | 'changedSince'>;
  readonly compilerFiles: Pick<CompilerFiles, 'of'>;
  readonly terminals: Pick<TerminalFiles, 'of'>;
  readonly precompiled: Pick<PrecompiledHeaders, 'recipeOf' | 'isStill'>;
  /** A string that no other compile uses, safe in a file name. */
  readonly unique: () => string;
}

export type PumpVerdict =
  | CompileVerdict
  /** Pump mode cannot carry it. */
  | { readonly kind: 'demoted'; readonly reason: DemotionReason; readonly detail: string };

/** Thrown where another mode may still do it; never leaves this file. */
class Demote extends Error {
  readonly reason: DemotionReason;

  constructor(reason: DemotionReason, detail: string) {
    super(detail);
    this.reason = reason;
  }
}

/** What happened on the way to a result that holds. */
export interface PumpHistory {
  /** Files that the closure lacked and the server asked for by failing: each is a fault of ours. */
  readonly healed: readonly ByteString[];
  /** Compiles whose files changed while they ran. */
  readonly stale: number;
  /** Entries of the last closure. */
  readonly closureSize: number;
}

export class PumpCompile {
  readonly #request: RunRequest;
  readonly #decision: RemoteDecision;
  readonly #launcher: LauncherConnection;
  readonly #steps: CompileSteps;
  readonly #context: PumpCompileContext;
  readonly #began: number;
  readonly #onResult: (host: string) => void;
  readonly #verification: Verification | undefined;
  readonly #check: PumpCheck;
  readonly #healed: ByteString[] = [];
  #isFirst = true;
  #stale = 0;
  #closureSize = 0;
  #outputs: CompileOutputs | undefined;

  /**
   * @param began monotonic time of the request
   * @param onResult called before the outputs are put in place
   * @param verification of a compile that is to be done here too
   */
  constructor(
    request: RunRequest,
    decision: RemoteDecision,
    launcher: LauncherConnection,
    steps: CompileSteps,
    context: PumpCompileContext,
    began: number,
    onResult: (host: string) => void,
    verification?: Verification,
  ) {
    this.#request = request;
    this.#decision = decision;
    this.#launcher = launcher;
    this.#steps = steps;
    this.#context = context;
    this.#began = began;
    this.#onResult = onResult;
    this.#verification = verification;
    this.#check = new PumpCheck(decision.command, request.environment, context);
  }

  get history(): PumpHistory {
    return { healed: this.#healed, stale: this.#stale, closureSize: this.#closureSize };
  }

  /** Rejects only with LauncherGone or a fault of the program; nothing is left behind then. */
  async run(): Promise<PumpVerdict> {
    let isCommitted = false;
    try {
      const obstacle = await this.#steps.obstacle('pump');
      if (obstacle !== undefined) {
        if (isHostDemotion(obstacle.reason)) throw new Demote(obstacle.reason, obstacle.detail);
        throw noPlace(obstacle);
      }
      this.#steps.lap('decide');
      const wanted = findOutputs(this.#decision, this.#context.files);
      const attempt = await this.#compile(wanted);
      const { run, source } = attempt;
      const verified = await this.#verify(attempt, wanted);
      if (verified?.isLocal !== true) await this.#deliver(run, wanted);
      isCommitted = true;
      return {
        kind: 'finished',
        record: {
          ...run,
          sourceBytes: source.bytes.length,
          sourceDigest: source.digest,
          preprocessCpu: 0,
          phases: this.#steps.times,
          ...(verified === undefined ? {} : { verified }),
        },
      };
    } catch (error) {
      if (error instanceof RunLocally) return await this.#unlessMisplaced(error);
      if (error instanceof Demote) {
        return { kind: 'demoted', reason: error.reason, detail: error.message };
      }
      throw error;
    } finally {
      if (!isCommitted) this.#outputs?.remove();
    }
  }

  /** Servers may have found only with the job in hand that its compiler has other paths there. */
  async #unlessMisplaced({ verdict }: RunLocally): Promise<PumpVerdict> {
    if (!('fallback' in verdict.reason) || verdict.reason.fallback !== 'server-refused') {
      return verdict;
    }
    const obstacle = await this.#steps.obstacle('pump');
    if (obstacle?.reason !== 'other-paths') return verdict;
    return { kind: 'demoted', reason: obstacle.reason, detail: obstacle.detail };
  }

  /** Until nothing that the compiler read has changed meanwhile, and it missed nothing. */
  async #compile(wanted: readonly WantedOutput[]): Promise<Attempt> {
    while (this.#stale < PUMP.staleTries) {
      const attempt = await this.#attempt(wanted);
      if (attempt !== undefined && attempt.run.result.status !== 0) {
        const { result } = attempt.run;
        if (this.#heals(attempt.run)) continue;
        if (!(await this.#check.hasChanged(attempt))) {
          const detail = `exit status ${result.status}`;
          throw fallback('compile-error', detail, result.stderr, this.#failureOf(attempt));
        }
      } else if (attempt !== undefined && (await this.#holds(attempt))) {
        return this.#requireSameWords(attempt);
      }
      this.#stale++;
    }
    throw fallback('closure-stale', 'files that it reads changed each time while it ran');
  }

  /** Undefined: a file of the closure was not there any more when a server wanted it. */
  async #attempt(wanted: readonly WantedOutput[]): Promise<Attempt | undefined> {
    const { command, toolchain } = this.#decision;
    const { environment, stdinColumns } = this.#request;
    const { includes } = this.#context;
    this.#steps.phase = 'closure';
    const terminalFiles = this.#terminalFiles();
    const terminal = terminalFiles !== undefined;
    const compiler = this.#context.compilerFiles.of(toolchain, environment, terminalFiles);
    // The same list again costs least.
    const also = this.#healed.length === 0 ? compiler : [...compiler, ...this.#healed];
    // At first what was looked at for the decision will do: a local compile would have begun by then.
    const since = this.#isFirst ? this.#began : undefined;
    this.#isFirst = false;
    const answer = await includes.closureOf(command, toolchain, environment, also, since);
    if (answer.kind === 'not-covered') {
      const { reason, detail } = answer.why;
      // A preprocessed source names the files, and not that two of them are one; and -E takes the
      // header for its precompiled one.
      if (reason === 'hard-links' || reason === 'pch-present') {
        throw new RunLocally({ decline: reason }, toText(detail));
      }
      throw new Demote(reason, detail);
    }
    const { closure } = answer;
    const precompiled = await this.#recipesFor(closure);
    const source = await includes.readSource(closure);
    // Its writer is at work; whoever starts the compile now must reckon with either content.
    if (source === undefined) throw new Demote('unreadable-input', toText(command.source));
    const entries = closure.entries();
    this.#closureSize = entries.length;
    this.#steps.lap('closure');
    const dependencyFile = wanted.findIndex(({ output }) => output.kind === 'dependencies');
    const job: PumpedJob = {
      mode: 'pump',
      toolchain: toolchain.digest,
      command: pumpFields(command),
      program: toolchain.compiler,
      argv0: command.argv0,
      cwd: command.cwd,
      environment: pumpEnvironment(
        terminal && command.family === 'gcc' ? onTerminal(environment, stdinColumns) : environment,
      ),
      terminal,
      source,
      closure: entries,
      precompiled,
      outputs: wanted.map(({ target }) => target.opened),
      dependencyFile: dependencyFile < 0 ? undefined : dependencyFile,
    };
    const run = await this.#runUnlessStale(job);
    return run && { closure, precompiled, run, source, terminal };
  }

  /** Of all precompiled headers that the compiler may open. */
  async #recipesFor({ precompiled }: HeaderClosure): Promise<readonly HeaderRecipe[]> {
    const recipes: HeaderRecipe[] = [];
    for (const path of precompiled) {
      const recipe = await this.#context.precompiled.recipeOf(path);
      // What stands there is not what a server would make; and -E knows of none.
      if (recipe === undefined) throw new RunLocally({ decline: 'pch-present' }, toText(path));
      recipes.push(recipe);
    }
    return recipes;
  }

  async #runUnlessStale(job: PumpedJob): Promise<RemoteRun | undefined> {
    try {
      return await this.#steps.run(job);
    } catch (error) {
      if (error instanceof RemoteFailure && error.kind === 'stale') return undefined;
      throw error;
    }
  }

  async #holds(attempt: Attempt): Promise<boolean> {
    this.#steps.phase = 'check';
    const holds = await this.#check.holds(attempt);
    this.#steps.lap('check');
    return holds;
  }

  /**
   * Where the server is to tell the compiler that it prints on a terminal: the files that it looks that
   * up in. What is compared with a compile here prints into a pipe.
   */
  #terminalFiles(): readonly ByteString[] | undefined {
    const { stderrIsTerminal, environment } = this.#request;
    if (!stderrIsTerminal || this.#verification !== undefined) return undefined;
    return this.#context.terminals.of(this.#decision.toolchain, environment);
  }

  /** Colours, links and the width of lines are a terminal's. */
  #requireSameWords(attempt: Attempt): Attempt {
    const { stderr } = attempt.run.result;
    if (stderr.length > 0 && this.#request.stderrIsTerminal && !attempt.terminal) {
      throw fallback('terminal-diagnostics');
    }
    return attempt;
  }

  #failureOf({ closure, source, run }: Attempt): FailedElsewhere {
    const { host, result } = run;
    return {
      host,
      inputs: closure
        .entries()
        .flatMap((entry) =>
          entry.kind === 'file' ? [{ path: toText(entry.path), digest: entry.digest }] : [],
        ),
      remote: new Map([
        [toText(this.#decision.command.source), source.bytes],
        [STDERR, result.stderr],
      ]),
    };
  }

  /** True when the server missed files that are here, and which it will be sent. */
  #heals({ result: { stderr }, host }: RemoteRun): boolean {
    if (this.#healed.length >= PUMP.healings) return false;
    const text = Buffer.from(stderr).toString('latin1');
    const missed = filesMissedBy(text, this.#decision.command, this.#context.files);
    const news = missed.filter((path) => !this.#healed.includes(path));
    // That one it has been sent.
    const again = missed.find((path) => this.#healed.includes(path));
    if (again !== undefined) this.#steps.blame(host, `it misses ${toText(again)} again and again`);
    this.#healed.push(...news);
    return news.length > 0;
  }

  /** Done here too and in place, where that is wanted. */
  async #verify(
    { closure, run: { result, host } }: Attempt,
    wanted: readonly WantedOutput[],
  ): Promise<Verified | undefined> {
    if (this.#verification === undefined) return undefined;
    this.#steps.phase = 'verify';
    const outputs = wanted.map(({ output, target }, index) => ({
      name: output.path,
      path: target.path,
      bytes: result.outputs.get(index),
    }));
    const { stdout, stderr } = result;
    const inputsChanged = () => this.#isOtherClosure(closure);
    const verified = await this.#verification.run(
      { host, outputs, stdout, stderr, inputsChanged },
      () => this.#onResult(host),
    );
    this.#steps.lap('verify');
    return verified;
  }

  /** Whether a compile would now find other files, or none where there was one, or the reverse. */
  async #isOtherClosure(closure: HeaderClosure): Promise<boolean> {
    const { command, toolchain } = this.#decision;
    const { environment } = this.#request;
    const compiler = this.#context.compilerFiles.of(toolchain, environment);
    const also = [...compiler, ...this.#healed];
    const answer = await this.#context.includes.closureOf(command, toolchain, environment, also);
    if (answer.kind === 'not-covered') return true;
    const before = new Set([closure.sourceEntry, ...closure.entries()]);
    const now = [answer.closure.sourceEntry, ...answer.closure.entries()];
    return now.length !== before.size || now.some((entry) => !before.has(entry));
  }

  async #deliver({ result, host }: RemoteRun, wanted: readonly WantedOutput[]): Promise<void> {
    const { unique, files } = this.#context;
    this.#steps.phase = 'write';
    const outputs = new CompileOutputs(
      wanted.map(({ target }) => target).toReversed(),
      this.#request.umask,
      unique,
      files,
    );
    this.#outputs = outputs;
    const made = await writeOutputs(result.outputs, wanted, outputs, this.#launcher, this.#steps);
    this.#launcher.gone.throwIfAborted();
    if (result.stdout.length > 0) this.#launcher.send({ kind: 'stdout', bytes: result.stdout });
    if (result.stderr.length > 0) this.#launcher.send({ kind: 'stderr', bytes: result.stderr });
    this.#onResult(host);
    await this.#steps.commit(outputs, made);
  }
}
