/**
 * What remote compiles of both modes do alike: find out whether anybody would take them, run on
 * one server after another, write what comes back, and let the launcher put it in place.
 *
 * Every step may throw LauncherGone, which the command's run knows, or RunLocally.
 */
import { toText } from '../core/byte-string.js';
import { errnoCode } from '../core/errors.js';
import { SCHEDULING } from '../core/limits.js';
import { isHostDemotion } from '../core/reasons.js';
import type { Clock } from '../platform/clock.js';
import { NO_PHASES, type Phases } from '../report/events.js';
import { fallback, RunLocally } from './compile-verdict.js';
import type { CompileOutputs, PendingOutput } from './compile-outputs.js';
import type { RemoteDecision } from './decision.js';
import type { Farm, FarmMode, NoPlace } from './farm.js';
import type { LauncherConnection } from './launcher-connection.js';
import { RemoteFailure, type RemoteJob, type RemoteResult } from './remote-job.js';
import type { Settings } from './settings.js';

export interface StepsContext {
  readonly farm: Farm;
  readonly clock: Clock;
}

export interface RemoteRun {
  readonly result: RemoteResult;
  readonly host: string;
  readonly tier: number;
  /** Compiles that it runs at once for this client. */
  readonly slots: number;
  /** Servers asked before. */
  readonly retries: number;
}

export class CompileSteps {
  /** Name of the current step, for the journal of an interrupted compile. */
  phase = 'prospect';
  readonly #settings: Settings;
  readonly #decision: RemoteDecision;
  readonly #launcher: LauncherConnection;
  readonly #context: StepsContext;
  readonly #times: { -readonly [phase in keyof Phases]: number };
  #mark: number;

  /**
   * @param began monotonic time of the request
   * @param start milliseconds from the launcher's start until then
   */
  constructor(
    settings: Settings,
    decision: RemoteDecision,
    launcher: LauncherConnection,
    context: StepsContext,
    began: number,
    start: number,
  ) {
    this.#settings = settings;
    this.#decision = decision;
    this.#launcher = launcher;
    this.#context = context;
    this.#mark = began;
    this.#times = { ...NO_PHASES, start };
  }

  get times(): Phases {
    return { ...this.#times };
  }

  /** Monotonic time at which the last phase ended, and so about when the current one began. */
  get since(): number {
    return this.#mark;
  }

  /** The time since the last call belongs to this phase. */
  lap(phase: keyof Phases): void {
    const now = this.#context.clock.monotonic();
    this.#times[phase] += now - this.#mark;
    this.#mark = now;
  }

  /** Why no server would take it in this mode; undefined when one would. */
  async obstacle(mode: FarmMode): Promise<NoPlace | undefined> {
    const { hosts, toolchain } = this.#decision;
    const outlook = await this.#context.farm.prospect(
      { mode, hosts, toolchain, settings: this.#settings, exclude: new Set() },
      this.#launcher.gone,
    );
    return outlook.kind === 'none' ? outlook : undefined;
  }

  /**
   * One server after another, until a compiler runs to its end there; the last one's failure
   * decides the reason. Rejects with RemoteFailure `closure-stale` where a file that the job needs
   * is not here any more.
   */
  async run(job: RemoteJob): Promise<RemoteRun> {
    const { farm } = this.#context;
    const { hosts, toolchain } = this.#decision;
    const tried = new Set<string>();
    let failed: RemoteFailure | undefined;
    while (tried.size < SCHEDULING.remoteTries) {
      this.phase = 'remote-queue';
      const place = await farm.acquire(
        { mode: job.mode, hosts, toolchain, settings: this.#settings, exclude: tried },
        this.#launcher.gone,
      );
      this.lap('remoteQueue');
      if (place.kind === 'localhost') throw new RunLocally({ decline: 'scheduled-local' });
      if (place.kind === 'none') {
        // A server that cannot seal jobs off any more is as good as gone for this one.
        const reason = isHostDemotion(place.reason) ? 'no-server' : place.reason;
        failed ??= new RemoteFailure(reason, place.detail);
        break;
      }
      this.phase = `remote:${place.host}`;
      try {
        const result = await place.run(job, this.#settings.ioTimeout, this.#launcher.gone);
        this.lap('remote');
        if (result.signal === 0) {
          const { host, tier, slots } = place;
          return { result, host, tier, slots, retries: tried.size };
        }
        failed = new RemoteFailure('remote-killed', `signal ${result.signal} on ${place.host}`);
      } catch (error) {
        if (!(error instanceof RemoteFailure)) throw error;
        // The next one would ask for the same.
        if (error.reason === 'closure-stale') throw error;
        failed = error;
      } finally {
        place.release();
      }
      tried.add(place.host);
    }
    throw fallback(failed?.reason ?? 'no-server', failed?.message);
  }

  /** What a write step rejects with becomes the reason to compile here. */
  async written(writing: Promise<void>): Promise<void> {
    try {
      await writing;
    } catch (error) {
      const code = errnoCode(error);
      if (code === undefined) throw error;
      const beside = toText(this.#decision.command.output);
      throw fallback('output-failed', `${code} writing beside ${beside}`);
    }
  }

  /** The launcher renames, because only it knows whether the build still wants the result. */
  async commit(outputs: CompileOutputs, made: readonly PendingOutput[]): Promise<void> {
    this.phase = 'commit';
    this.#launcher.send({ kind: 'done', status: 0, renames: outputs.renames(made) });
    const answer = await this.#launcher.next();
    if (answer.kind !== 'committed') {
      throw new Error(`Internal error: DONE was answered by ${answer.kind}`);
    }
    this.lap('write');
    if (answer.errno !== 0) {
      throw fallback('commit-failed', `errno ${answer.errno} at ${toText(answer.target)}`);
    }
  }
}
