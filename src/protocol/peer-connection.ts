/**
 * One connection between client and compile server, the same at both ends: frames in and out,
 * pings, silence, and an end with a reason. Who may say what when is up to its owner.
 */
import type { Duplex } from 'node:stream';
import { describeError, errnoCode } from '../core/errors.js';
import { WIRE } from '../core/limits.js';
import type { Clock, Timer } from '../platform/clock.js';
import { MalformedFrame } from './field-codec.js';
import { FRAME, frameHeader, WireSplitter } from './framing.js';
import { decodeMessage, encodeMessage, type Message } from './messages.js';
import { looksLikeTls } from './secure-channel.js';

/** Why a connection is over. */
export type EndReason =
  /** This side called `close`. */
  | { readonly kind: 'closed'; readonly message: string }
  /** The peer said GOODBYE. */
  | { readonly kind: 'goodbye'; readonly message: string }
  /** The peer's end is gone without a word. */
  | { readonly kind: 'lost'; readonly message: string }
  /** Nothing came from the peer for WIRE.silence. */
  | { readonly kind: 'silent'; readonly message: string }
  /** The peer broke the protocol. */
  | { readonly kind: 'malformed'; readonly message: string }
  /** The peer speaks TLS: it uses a key and this side does not. */
  | { readonly kind: 'speaks-tls'; readonly message: string };

/** Messages that concern the owner; pings and goodbyes are dealt with here. */
export type PeerMessage = Exclude<Message, { readonly kind: 'ping' | 'pong' | 'goodbye' }>;

export interface PeerHandlers {
  /** A MalformedFrame thrown by it ends the connection as malformed. */
  onMessage(message: PeerMessage): void;
  /** Whether something is awaited, so that the peer's loss must be noticed soon. Left out: always. */
  isWaiting?(): boolean;
  /** Called once, after which neither method is called again. */
  onEnd(reason: EndReason): void;
}

export class PeerConnection {
  readonly #stream: Duplex;
  readonly #clock: Clock;
  readonly #handlers: PeerHandlers;
  readonly #splitter = new WireSplitter();
  /** Senders of content that wait until the stream takes more, in order. */
  readonly #waiting: ((open: boolean) => void)[] = [];
  #ended = false;
  #corked = false;
  #paused = false;
  #hasReceived = false;
  #sentBytes = 0;
  #lastSent: number;
  #lastReceived: number;
  /** When either side has last sent something else than pings. */
  #lastTalk: number;
  #lastPing = -Infinity;
  #lastBeat: number;
  /** The same by the clock that goes on while the host sleeps. */
  #lastBeatTime: number;
  /** For WIRE.outdated or longer, before the last beat. */
  #stoodStill = false;
  /** Beats in a row between which nothing came. */
  #quietBeats = 0;
  #timer: Timer;

  /** Takes over `stream`, which is open (for TLS: its handshake is done). */
  constructor(stream: Duplex, clock: Clock, handlers: PeerHandlers) {
    this.#stream = stream;
    this.#clock = clock;
    this.#handlers = handlers;
    this.#lastSent = this.#lastReceived = this.#lastTalk = this.#lastBeat = clock.monotonic();
    this.#lastBeatTime = clock.now();
    this.#timer = clock.after(WIRE.pingInterval, () => this.#beat());
    stream.on('data', (bytes: Uint8Array) => this.#receive(bytes));
    stream.on('drain', () => this.#wakeNext());
    stream.on('error', (error) => this.#lose(lossText(error)));
    stream.on('end', () => this.#lose('the connection was closed'));
    stream.on('close', () => this.#lose('the connection was closed'));
  }

  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Whether a loss now was one before anybody knew, and says nothing of the peer's host: nothing came for
   * WIRE.outdated, or this process or its host has just stood still for so long, and the peer gave it up.
   */
  get isOutdated(): boolean {
    const quiet = this.#clock.monotonic() - this.#lastReceived;
    const sinceBeat = this.#clock.now() - this.#lastBeatTime;
    return this.#stoodStill || Math.max(quiet, sinceBeat) >= WIRE.outdated;
  }

  /** Bytes of all frames so far. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** Bytes that the system has not taken yet: more than a little means a slow wire. */
  get unsentBytes(): number {
    return this.#stream.writableLength;
  }

  /**
   * Queues a message. False when the stream has taken more than it can pass on: the message is
   * sent all the same, but content should wait (`sendContent` does). Nothing is sent after the end.
   */
  send(message: Message): boolean {
    if (this.#ended) return false;
    this.#lastSent = this.#clock.monotonic();
    if (message.kind === 'ping') this.#lastPing = this.#lastSent;
    else if (message.kind !== 'pong') this.#lastTalk = this.#lastSent;
    this.#cork();
    if (message.kind !== 'chunk') return this.#write(encodeMessage(message));
    // Header and content go out in one system call without being copied together.
    this.#write(frameHeader(FRAME.chunk, message.job, message.bytes.length));
    return this.#write(message.bytes);
  }

  /**
   * Sends content as CHUNKs, never more at once than the stream takes, so that pings and
   * cancellations find their way between; several contents take turns. Resolves to false when the
   * connection ended or `signal` aborted before all was sent; rejects only when `pieces` does.
   */
  async sendContent(
    job: number,
    pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    signal?: { readonly aborted: boolean },
  ): Promise<boolean> {
    for await (const piece of pieces) {
      for (let at = 0; at < piece.length; at += WIRE.chunkBytes) {
        const turn = this.#turn();
        // Without await where nobody waits: of two senders only one may find the stream free.
        const isOpen = typeof turn === 'boolean' ? turn : await turn;
        const goesOn = isOpen && signal?.aborted !== true;
        if (goesOn) {
          this.send({ kind: 'chunk', job, bytes: piece.subarray(at, at + WIRE.chunkBytes) });
        }
        this.#wakeNext();
        if (!goesOn) return false;
      }
    }
    return true;
  }

  /** Reads nothing more from the peer, who is not taken for silent meanwhile. */
  pauseReading(): void {
    this.#paused = true;
    this.#stream.pause();
  }

  resumeReading(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#lastReceived = this.#clock.monotonic();
    this.#stream.resume();
  }

  /** Says GOODBYE and closes once that has gone out. */
  close(message: string): void {
    this.#sayGoodbye({ kind: 'closed', message });
  }

  /** Closes at once, without a word. */
  destroy(message: string): void {
    this.#end({ kind: 'closed', message });
    this.#stream.destroy();
  }

  #write(bytes: Uint8Array): boolean {
    this.#sentBytes += bytes.length;
    return this.#stream.write(bytes);
  }

  #receive(bytes: Uint8Array): void {
    this.#lastReceived = this.#clock.monotonic();
    if (!this.#hasReceived && looksLikeTls(bytes)) {
      this.#end({
        kind: 'speaks-tls',
        message: 'the other side uses a key and this side does not',
      });
      this.#stream.destroy();
    }
    this.#hasReceived = true;
    // After the end the rest is read and dropped, or unread bytes would make the system reset the
    // connection before GOODBYE is through.
    if (this.#ended) return;
    try {
      for (const frame of this.#splitter.push(bytes)) {
        this.#dispatch(decodeMessage(frame.type, frame.job, frame.body));
        if (this.#ended) return;
      }
    } catch (error) {
      if (!(error instanceof MalformedFrame)) throw error;
      this.#sayGoodbye({ kind: 'malformed', message: error.message });
    }
  }

  #dispatch(message: Message): void {
    switch (message.kind) {
      case 'ping':
        // What waits to be sent is as good a sign of life, and who does not read gets no more of it.
        if (!this.#stream.writableNeedDrain) this.send({ kind: 'pong' });
        return;
      case 'pong':
        return;
      case 'goodbye':
        this.#end({ kind: 'goodbye', message: message.message });
        this.#stream.destroy();
        return;
      case 'hello':
      case 'welcome':
      case 'state':
      case 'about-query':
      case 'about':
      case 'toolchain-query':
      case 'toolchain':
      case 'entries':
      case 'options':
      case 'precompiled':
      case 'missing':
      case 'gone':
      case 'blobs':
      case 'pump-job':
      case 'pump-result':
      case 'job':
      case 'chunk':
      case 'cancel':
      case 'result':
      case 'refused':
        this.#lastTalk = this.#lastReceived;
        this.#handlers.onMessage(message);
    }
  }

  /**
   * Every WIRE.pingInterval: has the peer gone silent, have we? Looks are counted, not time: where this
   * process or the whole machine stood still, what came meanwhile is read before the next one. Where
   * nothing is awaited only the answer to a ping is.
   */
  #beat(): void {
    const now = this.#clock.monotonic();
    const isWaiting = this.#handlers.isWaiting?.() ?? true;
    const isAttentive = isWaiting || now - this.#lastTalk < WIRE.silence;
    const isOwedWord = isAttentive || this.#lastPing > this.#lastReceived;
    const isQuiet = isOwedWord && !this.#paused && this.#lastReceived < this.#lastBeat;
    this.#quietBeats = isQuiet ? this.#quietBeats + 1 : 0;
    this.#lastBeat = now;
    this.#stoodStill = this.#clock.now() - this.#lastBeatTime >= WIRE.outdated;
    this.#lastBeatTime = this.#clock.now();
    if (this.#quietBeats * WIRE.pingInterval >= WIRE.silence) {
      this.#end({ kind: 'silent', message: `nothing came for ${WIRE.silence / 1000} s` });
      this.#stream.destroy();
      return;
    }
    const pause = isAttentive ? WIRE.pingInterval : WIRE.idlePingInterval;
    if (now - this.#lastSent >= pause) this.send({ kind: 'ping' });
    this.#timer = this.#clock.after(WIRE.pingInterval, () => this.#beat());
  }

  #sayGoodbye(reason: EndReason): void {
    if (this.#ended) return;
    this.send({ kind: 'goodbye', message: reason.message.slice(0, WIRE.textLength) });
    this.#end(reason);
    const stream = this.#stream;
    // What was sent before has as long as a peer may be silent, GOODBYE then a moment to arrive.
    let patience = this.#clock.after(WIRE.silence, () => stream.destroy());
    stream.once('close', () => patience.cancel());
    stream.end(() => {
      patience.cancel();
      if (!stream.destroyed) patience = this.#clock.after(WIRE.linger, () => stream.destroy());
    });
    stream.resume();
  }

  #lose(message: string): void {
    this.#end({ kind: 'lost', message });
    if (!this.#stream.destroyed && !this.#stream.writableEnded) this.#stream.destroy();
  }

  #end(reason: EndReason): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer.cancel();
    for (const wake of this.#waiting.splice(0)) wake(false);
    this.#handlers.onEnd(reason);
  }

  /** Messages of one turn of the event loop leave in one system call. */
  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#stream.cork();
    process.nextTick(() => {
      this.#corked = false;
      this.#stream.uncork();
    });
  }

  /** Waits until the stream takes more; false when the connection has ended. */
  #turn(): Promise<boolean> | boolean {
    if (this.#ended) return false;
    if (!this.#stream.writableNeedDrain && this.#waiting.length === 0) return true;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wakeNext(): void {
    if (!this.#stream.writableNeedDrain) this.#waiting.shift()?.(true);
  }
}

function lossText(error: unknown): string {
  switch (errnoCode(error)) {
    case 'ECONNRESET':
    case 'EPIPE':
      return 'the connection was reset';
    case 'ETIMEDOUT':
      return 'the connection timed out';
    default:
      return describeError(error);
  }
}
