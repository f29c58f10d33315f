/**
 * Who was refused, and why, for the log: the first of a kind in full, those that follow as a number,
 * so that a flood of connections is no flood of lines.
 */
import { SERVER } from '../core/limits.js';
import type { Clock, Timer } from '../platform/clock.js';

interface Kind {
  readonly from: string;
  readonly why: string;
  more: number;
  timer: Timer;
}

export class Refusals {
  readonly #clock: Clock;
  readonly #log: (where: string, what: string) => void;
  /** By origin and reason. */
  readonly #kinds = new Map<string, Kind>();

  constructor(clock: Clock, log: (where: string, what: string) => void) {
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * @param peer address and port
   * @param origin what `originOf` makes of the address: whose refusals are counted together
   */
  add(peer: string, origin: string, why: string): void {
    const isRoom = this.#kinds.size < SERVER.refusalKinds;
    // With so many origins at a time they are counted together: this holds memory too.
    const from = isRoom || this.#kinds.has(`${origin} ${why}`) ? origin : 'other addresses';
    const key = `${from} ${why}`;
    const known = this.#kinds.get(key);
    if (known !== undefined) {
      known.more++;
      return;
    }
    this.#log(peer, why);
    this.#kinds.set(key, { from, why, more: 0, timer: this.#later(key) });
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
    const { from, why, more } = kind;
    this.#log(from, `${why} (${more} more within ${SERVER.refusalPause / 1000} s)`);
    kind.more = 0;
  }
}
