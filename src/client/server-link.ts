/**
 * The daemon's link to one compile server: connects when first wanted, greets, carries jobs, and
 * tries again with growing pauses when it is lost.
 *
 *            want                 WELCOME and STATE
 *   idle ───────────▶ connecting ───────────────────▶ up
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
import type { Toolchain } from '../toolchain/toolchain.js';
import type { RemoteHost } from './host-list.js';
import { LinkJobs } from './link-jobs.js';
import { PumpShipping, type PumpShippingContext } from './pump-shipping.js';
import { RemoteFailure, type RemoteJob, type RemoteResult } from './remote-job.js';

export interface ServerLinkContext {
  /** Opens a connection to the host; rejects with a message for people. */
  readonly dial: () => Promise<Duplex>;
  readonly clock: Clock;
  /** Compresses a source; a large one off the event loop. */
  readonly compress: (bytes: Uint8Array) => Promise<Uint8Array>;
  readonly version: string;
  /** Random id of this daemon. */
  readonly clientId: string;
  /** What pump jobs rest on. */
  readonly pump: Omit<PumpShippingContext, 'nextNumber' | 'compressed'>;
  /** Called after every change that a scheduler may want to know. */
  readonly onChange: () => void;
  /** Called when the host comes up or goes down. */
  readonly onUpOrDown: (state: 'up' | 'down', detail: string) => void;
}

/** What a server is asked by. */
export type WantedToolchain = Pick<Toolchain, 'digest' | 'name' | 'driverBytes'>;

interface Up {
  readonly name: 'up';
  readonly connection: PeerConnection;
  readonly welcome: Welcome;
  server: ServerState;
  readonly toolchains: Map<Digest, ToolchainAnswer>;
  /** Those that it has, but not where they are here: none for pump mode. */
  readonly misplaced: Set<Digest>;
  readonly jobs: LinkJobs;
  readonly shipping: PumpShipping;
  about?: About;
}

/** `known` is undefined while the server is being asked, as long as our patience lasts. */
type ToolchainAnswer =
  | { readonly known: undefined; readonly patience: Timer }
  | { readonly known: boolean; readonly at: number };

type LinkState =
  | { readonly name: 'idle' }
  | {
      readonly name: 'connecting';
      readonly connection?: PeerConnection;
      readonly welcome?: Welcome;
    }
  | Up
  | { readonly name: 'down'; readonly why: string; readonly retryAt: number };

export class ServerLink {
  readonly host: RemoteHost;
  readonly #context: ServerLinkContext;
  #state: LinkState = { name: 'idle' };
  #pause: number = SCHEDULING.reconnectFirst;
  #handshake: Timer | undefined;

  constructor(host: RemoteHost, context: ServerLinkContext) {
    this.host = host;
    this.#context = context;
  }

  get state(): 'idle' | 'connecting' | 'up' | 'down' {
    return this.#state.name;
  }

  /** Why the host is down; undefined while it is not. */
  get downReason(): string | undefined {
    return this.#state.name === 'down' ? this.#state.why : undefined;
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

  /** Connects if that has not been tried yet, or was and the pause is over. */
  want(): void {
    switch (this.#state.name) {
      case 'idle':
        return this.#connect();
      case 'down':
        if (this.#context.clock.monotonic() >= this.#state.retryAt) this.#connect();
        return;
      case 'connecting':
      case 'up':
        return;
    }
  }

  /** Whether the server has a toolchain; `unknown` while it is being asked. */
  hasToolchain({ digest, name, driverBytes }: WantedToolchain): 'yes' | 'no' | 'unknown' {
    if (this.#state.name !== 'up') return 'unknown';
    const { toolchains, connection } = this.#state;
    const now = this.#context.clock.monotonic();
    const answer = toolchains.get(digest);
    const isOld = answer?.known === false && now - answer.at > SCHEDULING.askAgain;
    if (answer === undefined || isOld) {
      connection.send({ kind: 'toolchain-query', digest, name, driverBytes });
      const patience = this.#context.clock.after(SCHEDULING.toolchainAnswer, () => {
        toolchains.set(digest, { known: false, at: this.#context.clock.monotonic() });
        this.#context.onChange();
      });
      toolchains.set(digest, { known: undefined, patience });
      return 'unknown';
    }
    return answer.known === undefined ? 'unknown' : answer.known ? 'yes' : 'no';
  }

  /** Whether it was seen to have this toolchain at other paths than this host. */
  isMisplaced({ digest }: WantedToolchain): boolean {
    return this.#state.name === 'up' && this.#state.misplaced.has(digest);
  }

  /**
   * Runs one job. Rejects with RemoteFailure, or with the signal's reason when it is aborted, and
   * then the server is told to stop.
   */
  run(job: RemoteJob, timeout: number, signal: AbortSignal): Promise<RemoteResult> {
    if (this.#state.name !== 'up') {
      return Promise.reject(new RemoteFailure('server-lost', `${this.host.name} is gone`));
    }
    signal.throwIfAborted();
    return this.#state.jobs.run(job, timeout, signal);
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
    this.#context.dial().then(
      (stream) => this.#greet(stream),
      (error: unknown) => this.#down(describeError(error)),
    );
  }

  #greet(stream: Duplex): void {
    const { clock, version, clientId } = this.#context;
    const connection = new PeerConnection(stream, clock, {
      onMessage: (message) => this.#receive(connection, message),
      onEnd: (reason) => this.#lost(reason),
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
          const { toolchains } = this.#state;
          cancelPatience(toolchains.get(message.digest));
          const at = this.#context.clock.monotonic();
          toolchains.set(message.digest, { known: message.known, at });
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
        if (this.#state.name !== 'up') return;
        this.#state.jobs.refused(message);
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
      this.#pause = SCHEDULING.reconnectFirst;
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
    const toolchains: Up['toolchains'] = new Map();
    const misplaced: Up['misplaced'] = new Set();
    const onToolchainLost = (job: RemoteJob | undefined) => {
      if (job?.mode === 'pump') {
        misplaced.add(job.toolchain);
        return;
      }
      // A file of it is another than when the server was asked, and perhaps of others, too.
      forgetAnswers(toolchains);
      if (job !== undefined) {
        toolchains.set(job.toolchain, { known: false, at: clock.monotonic() });
      }
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

  #lost(reason: EndReason): void {
    this.#handshake?.cancel();
    if (this.#state.name === 'up') {
      for (const answer of this.#state.toolchains.values()) cancelPatience(answer);
    }
    // A server that wants a key, and is not spoken to with one, says nothing and closes.
    const isUngreeted = this.#state.name === 'connecting' && reason.kind === 'lost';
    const jobs = this.#state.name === 'up' ? this.#state.jobs : undefined;
    this.#down(isUngreeted ? CLOSED_BEFORE_WELCOME : reason.message);
    jobs?.lost(reason.message);
  }

  #down(why: string): void {
    const retryAt = this.#context.clock.monotonic() + this.#pause;
    this.#pause = Math.min(this.#pause * 2, SCHEDULING.reconnectLast);
    this.#state = { name: 'down', why, retryAt };
    this.#context.onUpOrDown('down', why);
    this.#context.onChange();
  }
}

/** So that the server is asked again. */
function forgetAnswers(toolchains: Map<Digest, ToolchainAnswer>): void {
  for (const [digest, { known }] of toolchains) {
    if (known !== undefined) toolchains.delete(digest);
  }
}

function cancelPatience(answer: ToolchainAnswer | undefined): void {
  if (answer?.known === undefined) answer?.patience.cancel();
}
