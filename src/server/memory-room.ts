/**
 * Whether one more compile fits into this host's memory. What is available counts what runs already,
 * but not what compiles that have just begun are about to take: that is promised to them for a while.
 * One compile is always let in; one that waits is, in the end, since all of this is a guess.
 */
import { ADMISSION } from '../core/scheduling-limits.js';
import type { Clock, Timer } from '../platform/clock.js';

interface Promised {
  readonly bytes: number;
  readonly since: number;
}

export class MemoryRoom {
  readonly #available: () => number;
  readonly #clock: Pick<Clock, 'after' | 'monotonic'>;
  readonly #onRetry: () => void;
  readonly #promised = new Map<object, Promised>();
  /** Since when the next one waits. */
  #blockedSince: number | undefined;
  #retry: Timer | undefined;

  /**
   * @param available bytes that a new process could take
   * @param onRetry called a while after somebody was not let in
   */
  constructor(
    available: () => number,
    clock: Pick<Clock, 'after' | 'monotonic'>,
    onRetry: () => void,
  ) {
    this.#available = available;
    this.#clock = clock;
    this.#onRetry = onRetry;
  }

  /**
   * @param compile stands for it, until `leave`
   * @param bytes that it will take
   * @param running compiles that run
   */
  enter(compile: object, bytes: number, running: number): boolean {
    const now = this.#clock.monotonic();
    const waited = this.#blockedSince === undefined ? 0 : now - this.#blockedSince;
    if (running > 0 && waited < ADMISSION.patience && !this.#fits(bytes, now)) {
      this.#blockedSince ??= now;
      this.#retry ??= this.#clock.after(ADMISSION.look, () => {
        this.#retry = undefined;
        this.#onRetry();
      });
      return false;
    }
    this.#blockedSince = undefined;
    this.#promised.set(compile, { bytes, since: now });
    return true;
  }

  leave(compile: object): void {
    this.#promised.delete(compile);
  }

  close(): void {
    this.#retry?.cancel();
  }

  #fits(bytes: number, now: number): boolean {
    let wanted = bytes + ADMISSION.kept;
    for (const { bytes: promised, since } of this.#promised.values()) {
      if (now - since < ADMISSION.growth) wanted += promised;
    }
    return wanted <= this.#available();
  }
}
