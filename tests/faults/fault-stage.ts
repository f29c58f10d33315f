/** One run's view of a scene: what injections act on, and where they tell that they have struck. */
import type { FaultProxy, Passing } from '../fixtures/fault-proxy.js';
import type { SeededRandom } from '../fixtures/seeded-random.js';
import { FRAME } from '../../src/protocol/framing.js';
import type { FaultScene, FaultServer } from './fault-scene.js';
import { afterBytes, atMoment, type Moment, type Waits } from './moments.js';
import type { Mode } from './sources.js';

/**
 * `one`: a single server, which is struck; `two`: the one that comes to it first is struck, and nothing
 * happens to the other; `both`: each is struck.
 */
export type Layout = 'one' | 'two' | 'both';

export interface FaultPlan {
  readonly seed: number;
  readonly fault: string;
  readonly mode: Mode;
  readonly layout: Layout;
  readonly isKeyed: boolean;
  /** A compile before that nothing happens to: connections are there and servers know the files. */
  readonly isWarm: boolean;
  readonly sources: readonly string[];
}

export class FaultStage {
  readonly scene: FaultScene;
  readonly plan: FaultPlan;
  readonly random: SeededRandom;
  /** As many as the list has servers. */
  readonly proxies: readonly FaultProxy[];
  readonly servers: readonly FaultServer[];
  /** Launchers' processes, once they run. */
  launchers: readonly number[] = [];
  /** Undefined until the fault has happened; the last time where it happens more than once. */
  struckAt: number | undefined;
  /** Where: a moment of the wire, or whatever the injection acted on. */
  struckWhere = '';
  /** When a server was next given a job. */
  recoveredAt: number | undefined;
  /** No compile of the run is under way any more. */
  isOver = false;
  readonly #endings: (() => unknown)[] = [];
  readonly #lastEndings: (() => unknown)[] = [];

  constructor(
    scene: FaultScene,
    plan: FaultPlan,
    random: SeededRandom,
    servers: readonly FaultServer[],
    proxies: readonly FaultProxy[],
  ) {
    this.scene = scene;
    this.plan = plan;
    this.random = random;
    this.servers = servers;
    this.proxies = proxies;
  }

  strike(where: string): void {
    this.struckAt = performance.now();
    this.struckWhere = where;
    this.recoveredAt = undefined;
  }

  get owner() {
    return { teardown: (end: () => unknown) => void this.#endings.push(end) };
  }

  /** For what is needed until the run has been judged. */
  get lastOwner() {
    return { teardown: (end: () => unknown) => void this.#lastEndings.push(end) };
  }

  /** Mends what an injection did: what was stopped goes on. */
  async mend(): Promise<void> {
    this.isOver = true;
    for (const end of this.#endings.splice(0).toReversed()) await end();
  }

  async close(): Promise<void> {
    for (const end of this.#lastEndings.splice(0).toReversed()) await end();
  }

  /** From `from` up to, not including, `to`. */
  between(from: number, to: number): number {
    return from + Math.floor(this.random.next() * (to - from));
  }

  /** When one of these messages passes; where nothing can be read, after some bytes the same way. */
  wait(moments: readonly Moment[], bytes = 200_000): { readonly name: string; waits: () => Waits } {
    const moment = this.random.pick(moments);
    if (!this.plan.isKeyed) return { name: moment.name, waits: () => atMoment(moment) };
    // Most of what is said is short.
    const size = Math.floor(bytes ** this.random.next());
    return { name: `${size} bytes ${moment.way}`, waits: () => afterBytes(moment.way, size) };
  }

  /**
   * Arms the proxies: once per server, or once at all where only one is to be struck.
   *
   * @param strike gets the message that it was waited for, not yet passed on
   */
  arm(
    { name, waits }: { readonly name: string; readonly waits: () => Waits },
    strike: (server: number, passing: Passing) => void | Promise<void>,
  ): void {
    const shared = { isDone: false };
    for (const [server, proxy] of this.proxies.entries()) {
      const mine = this.plan.layout === 'two' ? shared : { isDone: false };
      const isTime = waits();
      proxy.fault = (passing) => {
        this.#lookOn(passing);
        if (mine.isDone || !isTime(passing)) {
          return passing.connection.send(passing.way, passing.bytes);
        }
        mine.isDone = true;
        this.strike(name);
        return strike(server, passing);
      };
    }
  }

  #lookOn({ way, type }: Passing): void {
    const isJob = way === 'up' && (type === FRAME.job || type === FRAME.pumpJob);
    if (isJob && this.struckAt !== undefined) this.recoveredAt ??= performance.now();
  }
}
