/**
 * The daemon's link to one compile server: connects when first wanted, greets, carries jobs, and
 * tries again when its breaker allows that.
 *
 *            want                 WELCOME and STATE
 *   idle ───────────▶ connecting ───────────────────▶ up ──▶ idle: lost, and long unheard before
 *                      ▲      │                        │ lost, silent, malformed, goodbye
 *       want, after    │      │ refused, timed out,    │
 *       the pause      │      ▼ other protocol         ▼
 *                      └───── down ◀───────────────────┘
 */
import type { Duplex } from 'node:stream';
import type { Digest } from '../core/digest.js';
import { describeError } from '../core/errors.js';
import { SCHEDULING, WIRE } from '../core/limits.js';
import type { Clock, Timer } from '../platform/clock.js';
import { WIRE_VERSION } from '../protocol/messages.js';
import type { About } from '../protocol/about-messages.js';
import type { Missing } from '../protocol/pump-messages.js';
import type { ServerState, Welcome } from '../protocol/plain-messages.js';
import { pumpOffer } from '../protocol/pump-offer.js';
import { PeerConnection, type EndReason, type PeerMessage } from '../protocol/peer-connection.js';
import { CLOSED_BEFORE_WELCOME } from '../protocol/secure-channel.js';
import type { TreeEntry } from '../protocol/tree-entry.js';
import { hostTrouble } from '../toolchain/host-trouble.js';
import { Breaker } from './breaker.js';
import type { RemoteHost } from './host-list.js';
import { LinkJobs } from './link-jobs.js';
import { PumpShipping, type PumpShippingContext } from './pump-shipping.js';
import {
  RemoteFailure,
  type FailureKind,
  type RemoteJob,
  type RemoteResult,
} from './remote-job.js';
import { ToolchainAnswers, type WantedToolchain } from './toolchain-answers.js';

export interface ServerLinkContext {
  /** Opens a connection to the host; rejects with a message for people. */
  readonly dial: () => Promise<Duplex>;
  readonly clock: Clock;
  /** Compresses a source; a large one off the event loop. */
  readonly compress: (bytes: Uint8Array) => Promise<Uint8Array>;
  readonly version: string;
  /** Random id of this daemon. */
  readonly clientId: string;
  /** As Math.random. */
  readonly random: () => number;
  /** What pump jobs rest on. */
  readonly pump: Omit<PumpShippingContext, 'nextNumber' | 'compressed'>;
  /** Called after every change that a scheduler may want to know. */
  readonly onChange: () => void;
  /** Called when the host comes up or goes down. */
  readonly onUpOrDown: (state: 'up' | 'down', detail: string) => void;
}

interface Up {
  readonly name: 'up';
  readonly connection: PeerConnection;
  readonly welcome: Welcome;
  server: ServerState;
  readonly toolchains: ToolchainAnswers;
  /** Those that it has, but not where they are here: none for pump mode. */
  readonly misplaced: Set<Digest>;
  readonly jobs: LinkJobs;
  readonly shipping: PumpShipping;
  about?: About;
}

type LinkState =
  | { readonly name: 'idle' }
  | {
      readonly name: 'connecting';
      readonly connection?: PeerConnection;
      readonly welcome?: Welcome;
    }
  | Up
  | { readonly name: 'down'; readonly why: string };

export class ServerLink {
  readonly host: RemoteHost;
  readonly #context: ServerLinkContext;
  #state: LinkState = { name: 'idle' };
  readonly #breaker: Breaker;
  #handshake: Timer | undefined;

  constructor(host: RemoteHost, context: ServerLinkContext) {
    this.host = host;
    this.#context = context;
    this.#breaker = new Breaker(context.random);
  }

  get state(): 'idle' | 'connecting' | 'up' | 'down' {
    return this.#state.name;
  }

  /** Why the host is down, or not used for a while; undefined while it is neither. */
  get downReason(): string | undefined {
    return this.#state.name === 'down' ? this.#state.why : this.#breaker.why;
  }

  get breaker(): 'closed' | 'open' | 'half-open' {
    return this.#breaker.state;
  }

  /** Milliseconds until it is tried again; undefined where it need not wait. */
  get pause(): number | undefined {
    const { until } = this.#breaker;
    return until === undefined ? undefined : Math.max(0, until - this.#context.clock.monotonic());
  }

  get welcome(): Welcome | undefined {
    return this.#state.name === 'up' ? this.#state.welcome : undefined;
  }

  get serverState(): ServerState | undefined {
    return this.#state.name === 'up' ? this.#state.server : undefined;
  }

  /** Asks the server about its host; the answer will be in `about`. */
  askAbout(): void {
    if (this.#state.name === 'up') this.#state.connection.send({ kind: 'about-query' });
  }

  /** The newest answer of this connection. */
  get about(): About | undefined {
    return this.#state.name === 'up' ? this.#state.about : undefined;
  }

  /** Jobs of this daemon that are there now. */
  get inFlight(): number {
    return this.#state.name === 'up' ? this.#state.jobs.size : 0;
  }

  /** Jobs that may be there at once. */
  get slots(): number {
    if (this.#state.name !== 'up' || this.#state.server.draining) return 0;
    return Math.min(this.host.slots ?? Infinity, this.#state.server.slots);
  }

  /**
   * Places that may be held there at once: its slots and SCHEDULING.preload more, a single one on
   * trial, none where nothing shall be tried.
   */
  get room(): number {
    const { slots } = this;
    switch (this.#breaker.state) {
      case 'closed':
        return slots === 0 ? 0 : slots + SCHEDULING.preload;
      case 'half-open':
        return Math.min(1, slots);
      case 'open':
        return 0;
    }
  }

  /** Connects if that has not been tried yet, or was and the pause is over. */
  want(): void {
    switch (this.#state.name) {
      case 'idle':
        return this.#connect();
      case 'down':
        if (this.#breaker.mayTry(this.#context.clock.monotonic())) this.#connect();
        return;
      case 'up':
        return void this.#breaker.mayTry(this.#context.clock.monotonic());
      case 'connecting':
        return;
    }
  }

  /** Whether the server has a toolchain; `unknown` while it is being asked. */
  hasToolchain(wanted: WantedToolchain): 'yes' | 'no' | 'unknown' {
    return this.#state.name === 'up' ? this.#state.toolchains.has(wanted) : 'unknown';
  }

  /** Whether it was seen to have this toolchain at other paths than this host. */
  isMisplaced({ digest }: WantedToolchain): boolean {
    return this.#state.name === 'up' && this.#state.misplaced.has(digest);
  }

  /**
   * Runs one job until its compiler has ended by itself. Rejects with RemoteFailure, or with the
   * signal's reason when it is aborted, and then the server is told to stop.
   */
  async run(job: RemoteJob, timeout: number, signal: AbortSignal): Promise<RemoteResult> {
    if (this.#state.name !== 'up') {
      const kind = this.#state.name === 'down' ? 'lost' : 'outdated';
      throw new RemoteFailure(kind, `${this.host.name} is gone`);
    }
    signal.throwIfAborted();
    try {
      const result = await this.#state.jobs.run(job, timeout, signal);
      if (result.signal !== 0) {
        const { name } = this.host;
        throw new RemoteFailure('killed', `signal ${result.signal} on ${name}`);
      }
      const trouble = result.status === 0 ? undefined : hostTrouble(result.stderr);
      if (trouble !== undefined) {
        throw new RemoteFailure('killed', `${this.host.name}: ${trouble}`);
      }
      this.#succeeded();
      return result;
    } catch (error) {
      if (error instanceof RemoteFailure && FAULTS.has(error.kind)) this.fault(error.message);
      throw error;
    }
  }

  /** A job came to nothing, and it may be the host's fault. */
  fault(why: string): void {
    if (!this.#breaker.fault(why, this.#context.clock.monotonic())) return;
    this.#context.onUpOrDown('down', `not used for a while: ${this.#breaker.why}`);
    this.#context.onChange();
  }

  #succeeded(): void {
    if (!this.#breaker.success()) return;
    this.#context.onUpOrDown('up', 'it does its jobs again');
    this.#context.onChange();
  }

  /** Tells a server that has nothing better to do of files that its next jobs may need. */
  announce(entries: readonly TreeEntry[]): void {
    if (this.#state.name !== 'up' || pumpOffer(this.#state.welcome) === 'none') return;
    if (this.#state.jobs.size < this.slots) this.#state.shipping.announce(entries);
  }

  /** Says goodbye; the link can be wanted again. */
  close(message: string): void {
    if (this.#state.name === 'up') this.#state.connection.close(message);
    else if (this.#state.name === 'connecting') this.#state.connection?.destroy(message);
  }

  #connect(): void {
    this.#state = { name: 'connecting' };
    const fail = (error: unknown) => this.#down(describeError(error));
    this.#context.dial().then((stream) => this.#greet(stream), fail);
  }

  #greet(stream: Duplex): void {
    const { clock, version, clientId } = this.#context;
    const connection = new PeerConnection(stream, clock, {
      onMessage: (message) => this.#receive(connection, message),
      isWaiting: () => this.#state.name !== 'up' || this.#state.jobs.size > 0,
      onEnd: (reason) => this.#lost(reason, connection.isOutdated),
    });
    this.#state = { name: 'connecting', connection };
    connection.send({
      kind: 'hello',
      protocol: WIRE_VERSION,
      version,
      client: clientId,
      features: [],
    });
    this.#handshake = clock.after(WIRE.handshake, () => {
      connection.destroy(`no greeting in ${WIRE.handshake / 1000} s: is that a tsccd?`);
    });
  }

  #receive(connection: PeerConnection, message: PeerMessage): void {
    switch (message.kind) {
      case 'welcome':
        if (message.protocol !== WIRE_VERSION) {
          connection.close(
            `tsccd ${message.version} speaks protocol ${message.protocol}, not ${WIRE_VERSION}: ` +
              'install the same tscc on both hosts',
          );
          return;
        }
        this.#state = { name: 'connecting', connection, welcome: message };
        return;
      case 'state':
        this.#stateArrived(connection, message);
        return;
      case 'toolchain':
        if (this.#state.name === 'up') {
          this.#state.toolchains.heard(message.digest, message.known);
          this.#context.onChange();
        }
        return;
      case 'about':
        if (this.#state.name !== 'up') return;
        this.#state.about = message;
        this.#context.onChange();
        return;
      case 'result':
      case 'pump-result':
        if (this.#state.name === 'up') this.#state.jobs.resultArrived(message);
        return;
      case 'chunk':
        if (this.#state.name === 'up') this.#state.jobs.chunkArrived(message.job, message.bytes);
        return;
      case 'refused':
        if (this.#state.name === 'up') this.#state.jobs.refused(message);
        return;
      case 'missing':
        if (this.#state.name === 'up') this.#upload(connection, this.#state.shipping, message);
        return;
      case 'hello':
      case 'about-query':
      case 'toolchain-query':
      case 'entries':
      case 'options':
      case 'precompiled':
      case 'gone':
      case 'blobs':
      case 'job':
      case 'pump-job':
      case 'cancel':
        connection.destroy(`a ${message.kind} message from a server`);
        return;
    }
  }

  #stateArrived(connection: PeerConnection, server: ServerState): void {
    if (this.#state.name === 'up') {
      this.#state.server = server;
    } else if (this.#state.name === 'connecting' && this.#state.welcome !== undefined) {
      const { welcome } = this.#state;
      this.#handshake?.cancel();
      this.#breaker.greeted();
      this.#state = { name: 'up', connection, welcome, server, ...this.#begin(connection) };
      this.#context.onUpOrDown('up', `tsccd ${welcome.version}, ${server.slots} slots`);
    }
    this.#context.onChange();
  }

  /** What a connection has from its first moment on. */
  #begin(connection: PeerConnection): Pick<Up, 'jobs' | 'shipping' | 'toolchains' | 'misplaced'> {
    const { clock, compress, onChange, pump } = this.#context;
    let last = 0;
    const nextNumber = () => ++last;
    const shipping = new PumpShipping(connection, {
      ...pump,
      nextNumber,
      compressed: this.host.compress,
    });
    const toolchains = new ToolchainAnswers(
      clock,
      ({ digest, name, driverBytes }) =>
        void connection.send({ kind: 'toolchain-query', digest, name, driverBytes }),
      onChange,
    );
    const misplaced: Up['misplaced'] = new Set();
    const onToolchainLost = (job: RemoteJob | undefined) => {
      if (job?.mode === 'pump') {
        misplaced.add(job.toolchain);
        return;
      }
      // A file of it is another than when the server was asked, and perhaps of others, too.
      toolchains.forget();
      if (job !== undefined) toolchains.heard(job.toolchain, false);
    };
    const jobs = new LinkJobs(connection, shipping, {
      clock,
      compress,
      onToolchainLost,
      onChange,
      nextNumber,
      hostName: this.host.name,
      compressed: this.host.compress,
    });
    return { jobs, shipping, toolchains, misplaced };
  }

  #upload(connection: PeerConnection, shipping: PumpShipping, { digests }: Missing): void {
    shipping.upload(digests).catch((error: unknown) => {
      connection.destroy(`an upload failed: ${describeError(error)}`);
    });
  }

  #lost({ kind, message }: EndReason, wasOutdated: boolean): void {
    this.#handshake?.cancel();
    if (this.#state.name !== 'up') {
      // A server that wants a key, and is not spoken to with one, says nothing and closes.
      return this.#down(kind === 'lost' ? CLOSED_BEFORE_WELCOME : message);
    }
    const { jobs, toolchains } = this.#state;
    toolchains.close();
    const isOutdated = kind === 'lost' && wasOutdated;
    if (isOutdated) {
      this.#state = { name: 'idle' };
      this.#context.onUpOrDown('down', `${message}, unnoticed; it will be asked anew`);
      this.#context.onChange();
    } else this.#down(message);
    jobs.lost(isOutdated ? 'outdated' : 'lost', message);
  }

  #down(why: string): void {
    this.#breaker.lost(why, this.#context.clock.monotonic());
    this.#state = { name: 'down', why };
    this.#context.onUpOrDown('down', why);
    this.#context.onChange();
  }
}

/** Failures that a host in order does not have; that it was lost shows in the connection itself. */
const FAULTS: ReadonlySet<FailureKind> = new Set(['timeout', 'killed', 'garbage', 'failed']);
