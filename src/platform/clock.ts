/** Time as an argument: real in programs, driven by hand in tests. */
export interface Clock {
  /** Milliseconds since the epoch, for what people read. Jumps when the machine's clock is set. */
  now(): number;
  /** Milliseconds from a start that all processes of this host have in common, never going back. For durations and time-outs. */
  monotonic(): number;
  /** Calls back once after a delay. */
  after(milliseconds: number, callback: () => void): Timer;
}

export interface Timer {
  /** Does nothing when the timer has fired already. */
  cancel(): void;
}

export const realClock: Clock = {
  now: () => Date.now(),
  // Not performance.now(), which begins with this process.
  monotonic: () => Number(process.hrtime.bigint()) / 1e6,
  after(milliseconds, callback) {
    const timer = setTimeout(callback, milliseconds);
    return { cancel: () => clearTimeout(timer) };
  },
};
