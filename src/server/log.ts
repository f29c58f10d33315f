import type { Clock } from '../platform/clock.js';

/** Lines for the person who runs the server; where they go is the sink's business. */
export class Log {
  readonly #clock: Clock;
  readonly #sink: (line: string) => void;

  constructor(clock: Clock, sink: (line: string) => void) {
    this.#clock = clock;
    this.#sink = sink;
  }

  /**
   * One line: time, where it happened (a peer's address, a job, the server itself) and what.
   * Peers' words may be part of it, so control characters do not get through.
   */
  line(where: string, what: string): void {
    const time = new Date(this.#clock.now()).toISOString();
    // eslint-disable-next-line no-control-regex
    const text = `${where}: ${what}`.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, ' ');
    this.#sink(`${time} ${text}`);
  }
}
