/**
 * What remote compiles of both modes do alike: find out whether anybody would take them, run on
 * one server after another, write what comes back, and let the launcher put it in place.
 *
 * Every step may throw LauncherGone, which the command's run knows, or RunLocally.
 */
import { toText } from '../core/byte-string.js';
import { errnoCode } from '../core/errors.js';
import { SCHEDULING } from '../core/limits.js';
import { hashText } from '../core/text-hash.js';
import type { Clock } from '../platform/clock.js';
import { NO_PHASES, type Phases, type ServerFailure } from '../report/events.js';
import { fallback, noPlace, scheduledHere, type Served } from './compile-verdict.js';
import type { CompileOutputs, PendingOutput } from './compile-outputs.js';
import type { RemoteDecision } from './decision.js';
import type { Donation } from './donations.js';
import type { Farm, FarmMode, NoPlace, PlaceRequest } from './farm.js';
import type { LauncherConnection } from './launcher-connection.js';
import { Race, type RaceWon } from './race.js';
import type { RemoteJob, RemoteResult } from './remote-job.js';
import type { Settings } from './settings.js';

export interface StepsContext {
  readonly farm: Farm;
  readonly clock: Clock;
}

export interface RemoteRun extends Served {
  readonly result: RemoteResult;
}

export class CompileSteps {
  /** Name of the current step, for the journal of an interrupted compile. */
  phase = 'prospect';
  readonly #settings: Settings;
  readonly #decision: RemoteDecision;
  readonly #launcher: LauncherConnection;
  readonly #context: StepsContext;
  readonly #lend: () => Donation | undefined;
  readonly #times: { -readonly [phase in keyof Phases]: number };
  #mark: number;
  #donation: Donation | undefined;
  #hasLent = false;

  /**
   * @param began monotonic time of the request
   * @param start milliseconds from the launcher's start until then
   * @param lend lends make's token while the compile is elsewhere
   */
  constructor(
    settings: Settings,
    decision: RemoteDecision,
    launcher: LauncherConnection,
    context: StepsContext,
    began: number,
    start: number,
    lend: () => Donation | undefined,
  ) {
    this.#settings = settings;
    this.#decision = decision;
    this.#launcher = launcher;
    this.#context = context;
    this.#mark = began;
    this.#lend = lend;
    this.#times = { ...NO_PHASES, start };
  }

  /** Make's token was lent while the compile was elsewhere. */
  get hasLent(): boolean {
    return this.#hasLent;
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
    const request = this.#request(mode, new Set());
    const outlook = await this.#context.farm.prospect(request, this.#launcher.gone);
    return outlook.kind === 'none' ? outlook : undefined;
  }

  /**
   * One server after another, until a compiler has ended by itself on one, or none is left; the last
   * one's failure decides the reason. Rejects with RemoteFailure `stale` where a file that the job
   * needs is not here any more.
   */
  async run(job: RemoteJob): Promise<RemoteRun> {
    try {
      return await this.#runOnServers(job);
    } finally {
      await this.#takeBack();
    }
  }

  async #runOnServers(job: RemoteJob): Promise<RemoteRun> {
    const { farm } = this.#context;
    const tried = new Set<string>();
    const outdated = new Set<string>();
    const failures: ServerFailure[] = [];
    const request = this.#request(job.mode, tried);
    let deadly = 0;
    while (deadly < SCHEDULING.deadlyTries) {
      this.phase = 'remote-queue';
      const place = await farm.acquire(request, this.#launcher.gone);
      this.lap('remoteQueue');
      if (place.kind === 'localhost') throw scheduledHere(place.slot);
      if (place.kind === 'none') {
        if (failures.length > 0) break;
        // A server that cannot seal jobs off any more is as good as gone for this one.
        throw noPlace(place);
      }
      this.phase = `remote:${place.host}`;
      // Not before: nobody lends who may yet compile here, nor more than servers have places for.
      this.#donation ??= this.#lend();
      const race = new Race(job, this.#settings.ioTimeout, this.#launcher.gone);
      race.enter(place);
      const unwatch = farm.watch(request, place.host, (next) => race.enter(next));
      const ended = await race.ended.finally(unwatch);
      for (const { host, failure } of race.failed) {
        // A connection that was gone before anybody knew says nothing of its host, once.
        if (failure.kind !== 'outdated' || outdated.has(host)) tried.add(host);
        else outdated.add(host);
        failures.push({ host, reason: failure.reason, detail: failure.message });
        if (failure.isDeadly) deadly++;
      }
      this.lap('remote');
      if (ended.kind === 'won') return runOf(ended, failures);
    }
    const last = failures.at(-1);
    throw fallback(last?.reason ?? 'no-server', last?.detail);
  }

  /** What came of a job shows that the server is not in order. */
  blame(host: string, why: string): void {
    this.#context.farm.blame(host, why);
  }

  #request(mode: FarmMode, exclude: ReadonlySet<string>): PlaceRequest {
    const { hosts, toolchain, command } = this.#decision;
    const unit = hashText(`${command.cwd}\0${command.output}`);
    return { mode, hosts, toolchain, settings: this.#settings, unit, exclude };
  }

  /** Before anything else is done here, and before the launcher ends. */
  async #takeBack(): Promise<void> {
    const donation = this.#donation;
    if (donation === undefined) return;
    this.#donation = undefined;
    this.#hasLent = true;
    await donation.takeBack(this.#launcher.gone);
    this.lap('remote');
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

function runOf({ result, place, loser, isLater }: RaceWon, failures: ServerFailure[]): RemoteRun {
  const { host, why, tier, slots } = place;
  return {
    result,
    host,
    choice: why,
    tier,
    slots,
    retries: failures.length,
    ...(failures.length === 0 ? {} : { failures }),
    ...(loser === undefined ? {} : { race: { loser: loser.host, isLater } }),
  };
}
