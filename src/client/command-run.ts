/**
 * One command of the build, from the launcher's request to its end. Each compile ends in exactly
 * one outcome, and the journal says which and why.
 *
 *              ┌─ other ──────────────▶ local run
 *   deciding ──┼─ decline ────────────▶ local run (waits for a slot, then exec)
 *              ├─ pump ───────────────▶ finished
 *              │   │ demoted    └─────▶ local run, or an error under TSCC_FALLBACK=0
 *              │   ▼
 *              └─ plain ──────────────▶ finished, or as pump
 *   any ── launcher gone ─────────────▶ cancelled
 *
 * Where it runs is told here; how, in PumpCompile, PlainCompile and LocalRun.
 */
import { joinPath, toText, type ByteString } from '../core/byte-string.js';
import { describeError, EXIT } from '../core/errors.js';
import { LIVE } from '../core/live-limits.js';
import { isHostDemotion, type DemotionReason, type OtherKind } from '../core/reasons.js';
import type { RunRequest } from '../protocol/launcher-wire.js';
import type { CompileCommand } from '../toolchain/compile-command.js';
import type { LocalReason } from '../report/events.js';
import type { LiveCommand } from '../report/live.js';
import { BuildMessages } from './build-messages.js';
import { CommandRecord, type ModeRecord } from './command-record.js';
import { CompileSteps, type StepsContext } from './compile-steps.js';
import type { CompileVerdict, FailedElsewhere, LocalVerdict } from './compile-verdict.js';
import type { Donations } from './donations.js';
import { decide, type Decision, type DecisionContext, type RemoteDecision } from './decision.js';
import type { HostSource } from './host-source.js';
import { LauncherGone, type LauncherConnection } from './launcher-connection.js';
import { LocalRun, type LocalRunContext } from './local-run.js';
import type { Slot } from './local-slots.js';
import { writingOf } from './output-target.js';
import type { HeaderCommand, PrecompiledHeaders } from './precompiled-headers.js';
import { PlainCompile, refusalMessage, type PlainCompileContext } from './plain-compile.js';
import { PumpCompile, type PumpCompileContext } from './pump-compile.js';
import type { Session } from './sessions.js';
import type { Settings } from './settings.js';
import { Verification, type VerificationContext, type Verified } from './verification.js';
import { isSampled } from './verify-sample.js';

export interface CommandRunContext
  extends
    DecisionContext,
    PlainCompileContext,
    PumpCompileContext,
    StepsContext,
    LocalRunContext,
    VerificationContext {
  readonly hosts: HostSource;
  readonly precompiled: Pick<PrecompiledHeaders, 'begin' | 'recipeOf' | 'isStill'>;
  readonly donations: Pick<Donations, 'lend' | 'view'>;
  readonly log: (message: string) => void;
}

/** Commands that hold no slot: they take no time, or another command of the build feeds them. */
const WITHOUT_SLOT: ReadonlySet<OtherKind> = new Set(['query', 'stdin', 'no-input']);

/** Where a command is on its way, for the journal of an interrupted one and for who looks on. */
interface Stage {
  readonly phase: string;
  /** Monotonic time. */
  readonly since: number;
}

export class CommandRun {
  readonly #launcher: LauncherConnection;
  readonly #request: RunRequest;
  readonly #settings: Settings;
  readonly #session: Session;
  readonly #context: CommandRunContext;
  readonly #messages: BuildMessages;
  readonly #record: CommandRecord;
  readonly #local: LocalRun;
  readonly #began: number;
  #stage: Stage;
  #kind: LiveCommand['kind'] = null;

  constructor(
    launcher: LauncherConnection,
    request: RunRequest,
    settings: Settings,
    session: Session,
    context: CommandRunContext,
  ) {
    this.#launcher = launcher;
    this.#request = request;
    this.#settings = settings;
    this.#session = session;
    this.#context = context;
    this.#messages = new BuildMessages(launcher, request, settings, session, context);
    this.#began = context.clock.monotonic();
    this.#stage = { phase: 'deciding', since: this.#began };
    this.#record = new CommandRecord(request, session, this.#messages);
    this.#local = new LocalRun(launcher, request, context);
  }

  /** Never rejects. Resolves when the command has ended, local runs included. */
  async run(): Promise<void> {
    this.#launcher.startBeats();
    try {
      const { hosts, slots } = this.#context;
      const list = hosts.hostsFor(this.#settings);
      slots.setLimit('compile', list.ok ? list.value.localSlots : undefined);
      slots.setLimit('preprocess', list.ok ? list.value.preprocessSlots : undefined);
      await this.#dispatch(await decide(this.#request, this.#settings, list, this.#context));
    } catch (error) {
      if (error instanceof LauncherGone) this.#recordDeparture(error);
      else await this.#survive(error);
    } finally {
      this.#launcher.close();
      this.#session.leave();
    }
  }

  /** For who looks at it from outside. */
  view(): LiveCommand {
    const { phase, since } = this.#stage;
    const now = this.#context.clock.monotonic();
    const [step, host] = splitOnce(phase);
    return {
      session: this.#session.name,
      id: this.#record.id,
      kind: this.#kind,
      name: this.#record.name.slice(0, LIVE.nameLength),
      phase: step,
      host: host ?? null,
      elapsed: now - this.#began,
      inPhase: now - since,
    };
  }

  async #dispatch(decision: Decision): Promise<void> {
    this.#kind = decision.kind === 'other' ? 'other' : 'compile';
    switch (decision.kind) {
      case 'other':
        return this.#runOther(decision.other);
      case 'decline':
        this.#record.source = decision.source;
        if (decision.notice !== undefined) {
          if (!this.#settings.fallback) {
            this.#record.failure({ decline: decision.reason }, toText(decision.notice));
            return this.#fail(decision.notice, EXIT.badHostSpec);
          }
          this.#messages.notice(decision.notice);
        }
        if (decision.header !== undefined) return this.#makeHeader(decision.header);
        return this.#runLocally({ decline: decision.reason });
      case 'remote':
        this.#record.source = decision.command.source;
        return this.#compileRemotely(decision);
    }
  }

  /** Here, since builds want the file; servers make theirs when compiles want it. */
  async #makeHeader(given: HeaderCommand): Promise<void> {
    const compile = await this.#context.precompiled.begin(given);
    try {
      await this.#runLocally({ decline: 'pch' });
    } finally {
      await compile?.end();
    }
  }

  /** In pump mode, else in plain mode, else here. */
  async #compileRemotely(decision: RemoteDecision): Promise<void> {
    const { command, obstacles } = decision;
    const steps = new CompileSteps(
      this.#settings,
      decision,
      this.#launcher,
      this.#context,
      this.#began,
      timeSince(this.#request.started, this.#began),
      () => this.#context.donations.lend(this.#request, this.#settings),
    );
    this.#stage = steps;
    const onResult = (mode: 'pump' | 'plain') => (host: string) =>
      this.#messages.remote(command.source, mode, host);
    const verification = this.#verificationOf(command);
    const parts = [this.#request, decision, this.#launcher, steps, this.#context] as const;
    let demotion: DemotionReason | undefined =
      obstacles.pump === 'mode-plain' ? undefined : obstacles.pump;
    if (obstacles.pump === undefined) {
      const compile = new PumpCompile(...parts, this.#began, onResult('pump'), verification);
      const verdict = await compile.run();
      if (verdict.kind !== 'demoted') {
        const mode = { outcome: 'pump', ...compile.history } as const;
        return this.#conclude(verdict, decision, { ...mode, ...lentBy(steps) });
      }
      if (obstacles.plain !== undefined) {
        const reason = isHostDemotion(verdict.reason) ? obstacles.plain : verdict.reason;
        return this.#runLocally({ decline: reason }, toText(verdict.detail));
      }
      demotion = verdict.reason;
    }
    const verdict = await new PlainCompile(...parts, onResult('plain'), verification).run();
    return this.#conclude(verdict, decision, {
      outcome: 'plain',
      ...(demotion === undefined ? {} : { demotion }),
      ...lentBy(steps),
    });
  }

  /** Of a compile that is to be done here as well; most are not. */
  #verificationOf(command: CompileCommand): Verification | undefined {
    const { verify, verifyFail, fallback } = this.#settings;
    const session = this.#session.name;
    const output = joinPath(command.cwd, command.output);
    if (!isSampled(verify, session, output)) return undefined;
    return new Verification(
      this.#request,
      command.source,
      session,
      verifyFail || !fallback,
      this.#launcher,
      this.#messages,
      () => this.#local.slot('compile'),
      this.#context,
    );
  }

  /** The local files are in place, or the compile has failed. */
  #recordVerified(host: string, output: ByteString, verified: Verified): void {
    this.#record.verified(host, output, verified);
    if (verified.verdict !== 'mismatch') return;
    const reason = { fallback: 'verify-mismatch' } as const;
    const detail = verified.differences[0];
    if (verified.hasFailed) this.#record.failure(reason, detail);
    else this.#record.local(reason, detail, this.#elapsed());
  }

  async #conclude(
    verdict: CompileVerdict,
    { command: { output }, toolchain }: RemoteDecision,
    mode: ModeRecord,
  ): Promise<void> {
    if (verdict.kind === 'finished') {
      const { host, verified } = verdict.record;
      if (verified !== undefined) this.#recordVerified(host, output, verified);
      // Its outcome is another one.
      if (verified?.verdict === 'mismatch') return;
      return this.#record.remote(output, toolchain.digest, mode, verdict.record);
    }
    const { reason, detail, diagnostics, slot } = verdict;
    if ('fallback' in reason) {
      if (!this.#settings.fallback) {
        this.#record.failure(reason, detail);
        if (diagnostics !== undefined) this.#launcher.send({ kind: 'stderr', bytes: diagnostics });
        return this.#fail(refusalMessage(reason.fallback, detail), EXIT.failure);
      }
      if (reason.fallback === 'no-server' || reason.fallback === 'no-toolchain') {
        // The detail changes with each host's state; the news does not.
        this.#messages.notice(`${reason.fallback}: ${detail}; compiling locally`, reason.fallback);
      }
    }
    if ('fallback' in reason && reason.fallback === 'compile-error') {
      return this.#compileAgain(output, verdict);
    }
    return this.#runLocally(reason, detail, slot);
  }

  /**
   * A compile that failed elsewhere: what the compiler here says is what counts. Where it succeeds
   * the two disagree, which is known only when it has ended.
   */
  async #compileAgain(output: ByteString, { detail, failed }: LocalVerdict): Promise<void> {
    const { files } = this.#context;
    const path = joinPath(this.#request.cwd, output);
    const before = writingOf(path, files);
    this.#enter('local-queue');
    const slot = await this.#local.slot('compile');
    const waited = this.#elapsed();
    await this.#exec(slot);
    const ran = this.#elapsed() - waited;
    if (writingOf(path, files) === before) {
      this.#record.local({ fallback: 'compile-error' }, detail, waited);
    } else {
      const kept = failed && (await this.#keepFailure(failed));
      const where = kept === undefined ? '' : `; kept in ${kept}`;
      this.#record.local({ fallback: 'remote-disagreed' }, `${detail}${where}`, waited);
    }
    this.#record.localEnd(ran);
  }

  #keepFailure(failed: FailedElsewhere): Promise<string | undefined> {
    return this.#context.mismatches.keep(this.#request, {
      session: this.#session.name,
      source: this.#record.source,
      differences: ['the compiler failed on the server and succeeded here'],
      local: new Map(),
      ...failed,
    });
  }

  async #runOther(kind: OtherKind): Promise<void> {
    this.#record.other(kind);
    this.#enter('local-queue');
    const slot = WITHOUT_SLOT.has(kind) ? undefined : await this.#local.slot('other');
    const waited = this.#elapsed();
    await this.#exec(slot);
    this.#record.localEnd(this.#elapsed() - waited);
  }

  /** The outcome is known, and counted, when the compiler starts; how it ends is its own affair. */
  async #runLocally(reason: LocalReason, detail?: string, given?: Slot): Promise<void> {
    this.#enter('local-queue');
    const slot = given ?? (await this.#local.slot('compile'));
    const waited = this.#elapsed();
    this.#record.local(reason, detail, waited);
    await this.#exec(slot);
    const ran = this.#elapsed() - waited;
    this.#record.localEnd(ran);
  }

  #enter(phase: string): void {
    this.#stage = { phase, since: this.#context.clock.monotonic() };
  }

  #exec(slot: Slot | undefined): Promise<void> {
    this.#enter('local');
    return this.#local.exec(slot);
  }

  #recordDeparture(gone: LauncherGone): void {
    switch (gone.leaving) {
      case 'daemon-silent':
        return this.#record.local(
          { fallback: 'daemon-silent' },
          this.#stage.phase,
          this.#elapsed(),
        );
      case 'cannot-preprocess':
        return this.#record.local({ fallback: 'internal-error' }, gone.message, this.#elapsed());
      case 'interrupted':
      case undefined:
        this.#record.cancelled(this.#stage.phase, gone.message);
    }
  }

  /** A fault of tscc must not break the build: it is logged, counted, and the compiler runs. */
  async #survive(error: unknown): Promise<void> {
    const stack = error instanceof Error ? error.stack : undefined;
    this.#context.log(`${this.#stage.phase}: ${stack ?? describeError(error)}`);
    const { gone } = this.#launcher;
    if (gone.aborted) return this.#recordDeparture(gone.reason as LauncherGone);
    try {
      await this.#runLocally({ fallback: 'internal-error' }, describeError(error));
    } catch (second) {
      if (!(second instanceof LauncherGone)) throw second;
      this.#recordDeparture(second);
    }
  }

  #fail(message: ByteString, status: number): void {
    this.#launcher.send({ kind: 'fail', status, message });
  }

  #elapsed(): number {
    return this.#context.clock.monotonic() - this.#began;
  }
}

function lentBy({ hasLent }: CompileSteps): Pick<ModeRecord, 'lentToken'> {
  return hasLent ? { lentToken: true } : {};
}

/** `remote:HOST` into its two parts; a host's name may have colons. */
function splitOnce(phase: string): [string, string?] {
  const colon = phase.indexOf(':');
  return colon < 0 ? [phase] : [phase.slice(0, colon), phase.slice(colon + 1)];
}

/** More is no waiting, but a launcher in another world of time. Milliseconds. */
const LONGEST_START = 600_000;

/**
 * Milliseconds from a launcher's start; 0 where it does not tell.
 *
 * @param started microseconds of the monotonic clock, the last 32 bits
 * @param now milliseconds of the same clock
 */
function timeSince(started: number, now: number): number {
  const passed = (((now * 1000 - started) % 2 ** 32) + 2 ** 32) % 2 ** 32;
  return started === 0 || passed > LONGEST_START * 1000 ? 0 : passed / 1000;
}
