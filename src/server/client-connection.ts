/**
 * One client of the server.
 *
 *   greeting ──HELLO──▶ open ──GOODBYE, loss, malformed frame──▶ ended
 *
 * Its jobs die with it: when it ends, their compilers are killed.
 */
import type { Duplex } from 'node:stream';
import { describeError, unreachable } from '../core/errors.js';
import { SERVER, WIRE } from '../core/limits.js';
import type { Timer } from '../platform/clock.js';
import type { About } from '../protocol/about-messages.js';
import { MalformedFrame } from '../protocol/field-codec.js';
import { WIRE_VERSION, type Message } from '../protocol/messages.js';
import type {
  Hello,
  Job,
  RefusalCode,
  ServerState,
  ToolchainQuery,
} from '../protocol/plain-messages.js';
import type { PumpJob } from '../protocol/pump-messages.js';
import { PeerConnection, type EndReason, type PeerMessage } from '../protocol/peer-connection.js';
import type { ClientPump, PumpService } from './client-pump.js';
import { CompileJob, type JobClient, type JobRecipe, type JobSurroundings } from './compile-job.js';
import { JobRefused } from './job-refused.js';
import type { Refusal } from './log.js';
import type { JobMode, ServerObserver } from './observer.js';
import { PlainRecipe, type PlainSurroundings } from './plain-recipe.js';
import type { Place } from './slots.js';

/** The server, as far as one of its clients sees it. */
export interface Host extends JobSurroundings, PlainSurroundings {
  /** Undefined: this server cannot seal jobs off, and serves plain mode only. */
  readonly pump: PumpService | undefined;
  readonly version: string;
  readonly hostName: string;
  state(client: string): ServerState;
  /** What a client may be told of this host. */
  about(): Promise<About>;
  /** A place for a job, or why there is none. */
  admit(client: string): Place | { readonly code: RefusalCode; readonly message: string };
  readonly observer: ServerObserver;
  log(where: string, what: string, refused?: Refusal): void;
}

/** Who is at the other end. */
export interface Peer {
  /** Address and port, for the log. */
  readonly name: string;
  /** As `originOf` has it. */
  readonly origin: string;
}

export interface ConnectionEvents {
  /** The client has said HELLO. */
  onGreeted(): void;
  /** A job is over, and nothing of it is left. */
  onJobOver(): void;
  /** Called once: the connection has ended, and its last job is over. */
  onEnd(): void;
}

type ConnectionState =
  | { readonly name: 'greeting' }
  /** `told` is what the client knows of the server's load. */
  | { readonly name: 'open'; readonly client: string; told: ServerState }
  | { readonly name: 'ended' };

export class ClientConnection {
  readonly #peer: Peer;
  readonly #host: Host;
  readonly #events: ConnectionEvents;
  readonly #connection: PeerConnection;
  readonly #jobs = new Map<number, CompileJob>();
  #state: ConnectionState = { name: 'greeting' };
  #last = 0;
  #openQueries = 0;
  /** Jobs whose source comes faster than it can be stored; nothing is read meanwhile. */
  #congested = 0;
  #statePush: Timer | undefined;
  #pump: ClientPump | undefined;
  #isTreeGone = false;

  /**
   * @param stream an open stream to the client, handshake done
   */
  constructor(stream: Duplex, peer: Peer, host: Host, events: ConnectionEvents) {
    this.#peer = peer;
    this.#host = host;
    this.#events = events;
    this.#connection = new PeerConnection(stream, this.#host.clock, {
      onMessage: (message) => this.#receive(message),
      isWaiting: () => [...this.#jobs.values()].some((job) => job.isComplete),
      onEnd: (reason) => this.#end(reason),
    });
  }

  /** Number of jobs that are not over. */
  get jobs(): number {
    return this.#jobs.size;
  }

  /**
   * Tells the client about a changed state, soon and once for several changes. Its own jobs change
   * nothing that it does not know.
   *
   * @param pause milliseconds in which changes come together
   */
  pushState(pause: number): void {
    const open = this.#state;
    if (open.name !== 'open' || this.#statePush !== undefined) return;
    if (isSame(open.told, this.#host.state(open.client))) return;
    this.#statePush = this.#host.clock.after(pause, () => {
      this.#statePush = undefined;
      const now = this.#host.state(open.client);
      if (isSame(open.told, now)) return;
      open.told = now;
      this.#connection.send(now);
    });
  }

  close(message: string): void {
    this.#connection.close(message);
  }

  #receive(message: PeerMessage): void {
    const state = this.#state;
    switch (state.name) {
      case 'greeting':
        if (message.kind !== 'hello') throw new MalformedFrame('the first message is not HELLO');
        this.#greet(message);
        return;
      case 'open':
        this.#serve(message, state.client);
        return;
      case 'ended':
        return;
      default:
        unreachable(state);
    }
  }

  #greet(hello: Hello): void {
    if (hello.protocol !== WIRE_VERSION) {
      this.#connection.close(
        `protocol ${hello.protocol} of tscc ${hello.version} is not protocol ${WIRE_VERSION} ` +
          `of this tsccd ${this.#host.version}: install the same version on both`,
      );
      return;
    }
    const state = this.#host.state(hello.client);
    this.#state = { name: 'open', client: hello.client, told: state };
    this.#connection.send({
      kind: 'welcome',
      protocol: WIRE_VERSION,
      version: this.#host.version,
      host: this.#host.hostName.slice(0, WIRE.nameBytes),
      slots: state.slots,
      features: this.#host.sandbox.features,
      tier: this.#host.sandbox.tier,
      plainTier: this.#host.sandbox.plainTier,
      missing: this.#host.sandbox.missing.map((text) => text.slice(0, WIRE.textLength)),
    });
    this.#connection.send(state);
    this.#events.onGreeted();
  }

  #serve(message: PeerMessage, client: string): void {
    const { unsentBytes } = this.#connection;
    if (unsentBytes > SERVER.unreadBytes) {
      throw new MalformedFrame(`a request after ${unsentBytes} bytes that were not read`);
    }
    switch (message.kind) {
      case 'entries':
        this.#pumping().addEntries(message);
        return;
      case 'options':
        this.#pumping().addOptions(message);
        return;
      case 'precompiled':
        this.#pumping().addHeader(message);
        return;
      case 'gone':
        this.#pumping().gone(message);
        return;
      case 'blobs':
        this.#number(message.job);
        this.#pumping().beginUpload(message);
        return;
      case 'pump-job':
        this.#number(message.job);
        this.#begin(message, client, () => this.#pumping().recipeOf(message));
        return;
      case 'toolchain-query':
        this.#countQuery();
        void this.#reply(this.#lookUp(message), 'cannot look for a compiler');
        return;
      case 'about-query':
        this.#countQuery();
        void this.#reply(this.#host.about(), 'cannot tell about this host');
        return;
      case 'job':
        this.#number(message.job);
        this.#begin(message, client, () => new PlainRecipe(message, this.#host));
        return;
      case 'chunk':
        this.#takeChunk(message.job, message.bytes);
        return;
      case 'cancel':
        this.#openJob(message.job)?.cancel();
        return;
      case 'hello':
      case 'welcome':
      case 'state':
      case 'about':
      case 'toolchain':
      case 'missing':
      case 'result':
      case 'pump-result':
      case 'refused':
        throw new MalformedFrame(`unexpected message ${message.kind}`);
      default:
        unreachable(message);
    }
  }

  #countQuery(): void {
    if (this.#openQueries === SERVER.openQueries) {
      throw new MalformedFrame(`more than ${SERVER.openQueries} questions at once`);
    }
    this.#openQueries++;
  }

  async #lookUp(query: ToolchainQuery): Promise<Message> {
    const found = await this.#host.compilers.find(query);
    return { kind: 'toolchain', digest: query.digest, known: found !== undefined };
  }

  /** What is no answer would be taken for one: without it the client connects and asks again. */
  async #reply(answer: Promise<Message>, failure: string): Promise<void> {
    try {
      this.#connection.send(await answer);
    } catch (error) {
      const why = `${failure}: ${describeError(error)}`;
      this.#log(why);
      this.#connection.close(why);
    }
    this.#openQueries--;
  }

  /** What a client begins, jobs and uploads, it numbers upwards. */
  #number(number: number): void {
    if (number <= this.#last) throw new MalformedFrame(`number ${number} after ${this.#last}`);
    this.#last = number;
  }

  #pumping(): ClientPump {
    this.#pump ??= this.#host.pump?.begin({
      origin: this.#peer.origin,
      ask: (digests) => void this.#connection.send({ kind: 'missing', digests }),
      log: (what) => this.#log(what),
      close: (why) => this.#connection.close(why),
    });
    if (this.#pump === undefined) throw new MalformedFrame('pump mode is not offered here');
    return this.#pump;
  }

  #begin(message: Job | PumpJob, client: string, makeRecipe: () => JobRecipe): void {
    const mode = message.kind === 'job' ? 'plain' : 'pump';
    const place = this.#host.admit(client);
    if ('code' in place) {
      this.#connection.send({ kind: 'refused', job: message.job, ...place });
      this.#host.observer.jobOver(mode, { outcome: place.code });
      return;
    }
    let job: CompileJob;
    try {
      const jobClient = this.#jobClient(message.job);
      job = new CompileJob(message, makeRecipe(), place, jobClient, this.#host);
    } catch (error) {
      place.release();
      if (!(error instanceof JobRefused)) throw error;
      const { code, message: text } = error;
      this.#log(`job ${message.job}: ${code}: ${text}`);
      this.#connection.send({ kind: 'refused', job: message.job, code, message: text });
      this.#host.observer.jobOver(mode, { outcome: code });
      return;
    }
    void this.#run(message.job, job, mode);
  }

  async #run(id: number, job: CompileJob, mode: JobMode): Promise<void> {
    this.#jobs.set(id, job);
    const ending = await job.run();
    this.#jobs.delete(id);
    this.#host.observer.jobOver(mode, ending);
    this.#events.onJobOver();
    this.#leave();
  }

  #takeChunk(id: number, bytes: Uint8Array): void {
    const room = this.#pump?.upload(id)?.add(bytes) ?? this.#openJob(id)?.receive(bytes);
    if (room !== undefined) void this.#pauseUntil(room);
  }

  async #pauseUntil(room: Promise<void>): Promise<void> {
    this.#congested++;
    this.#connection.pauseReading();
    await room;
    this.#congested--;
    if (this.#congested === 0) this.#connection.resumeReading();
  }

  /**
   * The job with this number, undefined when it is over: what the client sent may have crossed our
   * last word about it. A number that was never used is an error.
   */
  #openJob(id: number): CompileJob | undefined {
    if (id > this.#last) throw new MalformedFrame(`job ${id} was never begun`);
    return this.#jobs.get(id);
  }

  #jobClient(id: number): JobClient {
    return {
      send: (message: Message) => void this.#connection.send(message),
      sendContent: (job, pieces, signal) => this.#connection.sendContent(job, pieces, signal),
      close: (message) => this.#connection.close(message),
      log: (what) => this.#log(`job ${id}: ${what}`),
    };
  }

  #end(reason: EndReason): void {
    const wasGreeted = this.#state.name === 'open';
    this.#state = { name: 'ended' };
    this.#statePush?.cancel();
    for (const job of this.#jobs.values()) job.cancel();
    this.#logEnd(reason, wasGreeted);
    void this.#removeTree();
  }

  async #removeTree(): Promise<void> {
    try {
      await this.#pump?.close();
    } catch (error) {
      this.#log(`cannot remove its tree: ${describeError(error)}`);
    }
    this.#isTreeGone = true;
    this.#leave();
  }

  /** Nothing of it is left: tells so. */
  #leave(): void {
    if (this.#isTreeGone && this.#jobs.size === 0) this.#events.onEnd();
  }

  /** Clients come and go without a line; what somebody may have to look into gets one. */
  #logEnd({ kind, message }: EndReason, wasGreeted: boolean): void {
    switch (kind) {
      case 'malformed':
        this.#log(`closed after a malformed frame: ${message}`, 'malformed');
        return;
      case 'speaks-tls':
        this.#log('closed: the client uses a key, this server has none: give it --key-file', 'key');
        return;
      case 'silent':
        this.#log(`closed: ${message}`);
        return;
      case 'closed':
        if (!wasGreeted) this.#log(`closed: ${message}`, 'version');
        return;
      case 'goodbye':
      case 'lost':
        return;
      default:
        unreachable(kind);
    }
  }

  #log(what: string, refused?: Refusal): void {
    this.#host.log(this.#peer.name, what, refused);
  }
}

/** Whether a client need not be told: load alone is not worth a message. */
function isSame(told: ServerState, now: ServerState): boolean {
  return (
    told.slots === now.slots &&
    told.running === now.running &&
    told.queued === now.queued &&
    told.draining === now.draining
  );
}
