/**
 * Who was refused, and why, for the log: the first of a kind in full, those that follow as a number,
 * so that a flood of connections is no flood of lines.
 */
import { SERVER } from '../core/limits.js';
import type { Clock, Timer } from '../platform/clock.js';
import type { Refusal } from './log.js';

export type RefusalLog = (where: string, what: string, refused: Refusal) => void;

interface Kind {
  readonly from: string;
  readonly what: string;
  readonly why: Refusal;
  more: number;
  timer: Timer;
}

export class Refusals {
  readonly #clock: Clock;
  readonly #log: RefusalLog;
  /** By origin and reason. */
  readonly #kinds = new Map<string, Kind>();

  constructor(clock: Clock, log: RefusalLog) {
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * @param peer address and port
   * @param origin what `originOf` makes of the address: whose refusals are counted together
   */
  add(peer: string, origin: string, what: string, why: Refusal): void {
    const isRoom = this.#kinds.size < SERVER.refusalKinds;
    // With so many origins at a time they are counted together: this holds memory too.
    const from = isRoom || this.#kinds.has(`${origin} ${what}`) ? origin : 'other addresses';
    const key = `${from} ${what}`;
    const known = this.#kinds.get(key);
    if (known !== undefined) {
      known.more++;
      return;
    }
    this.#log(peer, what, why);
    this.#kinds.set(key, { from, what, why, more: 0, timer: this.#later(key) });
  }

  /** Tells what is counted still. */
  close(): void {
    for (const kind of this.#kinds.values()) {
      kind.timer.cancel();
      this.#tell(kind);
    }
    this.#kinds.clear();
  }

  #later(key: string): Timer {
    return this.#clock.after(SERVER.refusalPause, () => {
      const kind = this.#kinds.get(key);
      if (kind === undefined) return;
      if (kind.more === 0) {
        this.#kinds.delete(key);
        return;
      }
      this.#tell(kind);
      kind.timer = this.#later(key);
    });
  }

  #tell(kind: Kind): void {
    if (kind.more === 0) return;
    const { from, what, why, more } = kind;
    this.#log(from, `${what} (${more} more within ${SERVER.refusalPause / 1000} s)`, why);
    kind.more = 0;
  }
}
