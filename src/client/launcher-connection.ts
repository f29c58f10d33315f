/**
 * One launcher's connection as the daemon sees it: frames in and out, the sign of life while the
 * launcher waits, and an abort signal for the moment it is gone. Grammar: docs/protocol.md §1.
 */
import type { Duplex } from 'node:stream';
import { LAUNCHER } from '../core/limits.js';
import type { Clock, Timer } from '../platform/clock.js';
import { FrameSplitter, MalformedFrame } from '../protocol/field-codec.js';
import {
  decodeFromLauncher,
  encodeToLauncher,
  type FromLauncher,
  type LeavingReason,
  type ToLauncher,
} from '../protocol/launcher-wire.js';

/** The launcher took its leave, closed its connection, or broke the protocol. */
export class LauncherGone extends Error {
  override readonly name = 'LauncherGone';
  /** What it said in its LEAVING, if it said anything. */
  readonly leaving: LeavingReason | undefined;

  constructor(why: string, leaving?: LeavingReason) {
    // Every command that runs here ends with one, and none is a fault: no stack is worth its time.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(why);
    Error.stackTraceLimit = stackTraceLimit;
    this.leaving = leaving;
  }
}

export class LauncherConnection {
  readonly #stream: Duplex;
  readonly #clock: Clock;
  readonly #splitter = new FrameSplitter(LAUNCHER.requestBytes);
  readonly #gone = new AbortController();
  readonly #arrived: FromLauncher[] = [];
  #waiting: ((message: FromLauncher) => void) | undefined;
  #beat: Timer | undefined;
  #isClosed = false;

  constructor(stream: Duplex, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
    stream.on('data', (bytes: Buffer) => this.#receive(bytes));
    stream.on('error', (error) => this.#end(error.message));
    stream.on('end', () => this.#end('it closed its connection'));
    stream.on('close', () => this.#end('it closed its connection'));
  }

  /** Aborted with a LauncherGone when the connection has ended. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  send(message: ToLauncher): void {
    if (!this.#stream.writable) return;
    this.#stream.write(encodeToLauncher(message));
    this.#restartBeat();
  }

  /** Sends a sign of life every few seconds from now on, until `stopBeats`. */
  startBeats(): void {
    this.#beat = this.#clock.after(LAUNCHER.beatInterval, () => {
      // A daemon that was stopped, or starved, first hears what came meanwhile: writing to a
      // launcher that has left would lose the LEAVING which it left behind.
      this.#beat = this.#clock.after(0, () => this.send({ kind: 'beat' }));
    });
  }

  stopBeats(): void {
    this.#beat?.cancel();
    this.#beat = undefined;
  }

  /** The next message. Rejects with LauncherGone when the connection ends first. */
  next(): Promise<FromLauncher> {
    const first = this.#arrived.shift();
    if (first !== undefined) return Promise.resolve(first);
    return new Promise((resolve, reject) => {
      const onGone = () => reject(this.gone.reason as Error);
      if (this.gone.aborted) return onGone();
      this.gone.addEventListener('abort', onGone, { once: true });
      this.#waiting = (message) => {
        this.gone.removeEventListener('abort', onGone);
        resolve(message);
      };
    });
  }

  /** The conversation is over; what was sent still arrives, and `gone` stays as it is. */
  close(): void {
    this.stopBeats();
    this.#isClosed = true;
    if (this.#stream.writableLength > 0) this.#stream.end();
    else this.#stream.destroy();
  }

  #receive(bytes: Buffer): void {
    try {
      for (const { type, body } of this.#splitter.push(bytes)) {
        const message = decodeFromLauncher(type, body);
        if (message.kind === 'leaving') return this.#end(message.why, message.why);
        const waiting = this.#waiting;
        this.#waiting = undefined;
        if (waiting === undefined) this.#arrived.push(message);
        else waiting(message);
      }
    } catch (error) {
      if (!(error instanceof MalformedFrame)) throw error;
      this.#end(`malformed frame: ${error.message}`);
    }
  }

  #restartBeat(): void {
    if (this.#beat === undefined) return;
    this.#beat.cancel();
    this.startBeats();
  }

  #end(why: string, leaving?: LeavingReason): void {
    if (this.#isClosed || this.#gone.signal.aborted) return;
    this.stopBeats();
    this.#gone.abort(new LauncherGone(why, leaving));
    this.#stream.destroy();
  }
}
