/**
 * The compile server: accepts connections, shares its slots between them, and ends in order.
 *
 *   listening ──drain──▶ draining ──no job left, or SERVER.drain over──▶ closed
 *       └───────────────────────────── close ─────────────────────────────▲
 */
import { randomBytes } from 'node:crypto';
import {
  createServer,
  type AddressInfo,
  type BlockList,
  type Server as NetServer,
  type Socket,
} from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import { SERVER } from '../core/limits.js';
import type { About } from '../protocol/about-messages.js';
import type { Key } from '../protocol/key-file.js';
import type { RefusalCode, ServerState } from '../protocol/plain-messages.js';
import { explainServerTlsError, serverTlsOptions } from '../protocol/secure-channel.js';
import { formatAddress, originOf, type ListenAddress } from './access.js';
import { ClientConnection, type Host } from './client-connection.js';
import type { JobSurroundings } from './compile-job.js';
import type { PumpService } from './client-pump.js';
import { Gate } from './gate.js';
import type { Refusal } from './log.js';
import type { ServerFigures, ServerObserver } from './observer.js';
import type { PlainSurroundings } from './plain-recipe.js';
import { MemoryRoom } from './memory-room.js';
import { MemoryUse } from './memory-use.js';
import type { RefusalLog } from './refusals.js';
import { Slots } from './slots.js';
import { WireCount } from './wire-count.js';

/** What may be another while the server runs. */
export interface ServerRules {
  /** Compilers that may run at once. */
  readonly slots: number;
  /** Keys that open a connection; none for plain TCP. */
  readonly keys: readonly Key[];
  /** Networks that may connect, undefined for all. */
  readonly allowed: BlockList | undefined;
}

export interface ServerOptions
  extends Omit<JobSurroundings, 'memory'>, PlainSurroundings, ServerRules {
  /** Bytes of memory that a new process could take. */
  availableMemory(): number;
  /** Pump mode, where jobs can be sealed off. */
  readonly pump: PumpService | undefined;
  /** Version of tscc, for people. */
  readonly version: string;
  readonly hostName: string;
  /** Load average over one minute. */
  load(): number;
  /** What a client may be told of this host. */
  about(): Promise<About>;
  readonly observer: ServerObserver;
  /** Takes a line; `refused` when it says that a connection is. */
  log(where: string, what: string, refused?: Refusal): void;
}

/** As OpenSSL has them. */
const TICKET_KEY_BYTES = 48;

export class Server {
  readonly #options: ServerOptions;
  readonly #slots: Slots;
  readonly #memory: MemoryRoom;
  readonly #host: Host;
  readonly #listener: NetServer;
  #rules: ServerRules;
  readonly #connections = new Set<ClientConnection>();
  readonly #gate: Gate;
  /** Undefined without a key. */
  readonly #tls: TlsServer | undefined;
  /** TCP connections that were let in, by peer name. */
  readonly #sockets = new Map<string, Socket>();
  readonly #wire = new WireCount();
  #draining = false;
  #waiters: { readonly holds: () => boolean; readonly resolve: () => void }[] = [];

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#rules = options;
    const onChange = () => this.#stateChanged();
    const retry = () => this.#slots.retry();
    this.#memory = new MemoryRoom(() => options.availableMemory(), options.clock, retry);
    this.#slots = new Slots(options.slots, SERVER.queuePerSlot, onChange, this.#memory);
    const { observer, clock } = options;
    const log: RefusalLog = (where, what, refused) => options.log(where, what, refused);
    this.#host = {
      ...options,
      memory: new MemoryUse(),
      state: (client) => this.#state(client),
      admit: (client) => this.#admit(client),
      log(where, what, refused) {
        if (refused !== undefined) observer.refused(refused);
        options.log(where, what, refused);
      },
    };
    this.#gate = new Gate(() => this.#rules.allowed, clock, {
      log,
      refused: (why) => observer.refused(why),
    });
    this.#tls = options.keys.length > 0 ? this.#newTls() : undefined;
    this.#listener = createServer((socket) => this.#accept(socket));
  }

  /** Starts to accept; resolves to the address, rejects with the system's error. */
  listen({ host, port }: ListenAddress): Promise<AddressInfo> {
    const listener = this.#listener;
    return new Promise((resolve, reject) => {
      listener.once('error', reject);
      listener.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
        listener.off('error', reject);
        listener.on('error', (error) => this.#options.log('server', error.message));
        resolve(listener.address() as AddressInfo);
      });
    });
  }

  /**
   * New rules for the connections and jobs to come; those that are here stay. Throws when it would
   * have to speak TLS where it did not, or the other way round.
   */
  change(rules: ServerRules): void {
    if (rules.keys.length > 0 !== (this.#tls !== undefined)) {
      throw new Error('Internal error: with or without keys is decided at the start');
    }
    this.#rules = rules;
    // Who once had a key could go on with the session tickets that it brought.
    this.#tls?.setTicketKeys(randomBytes(TICKET_KEY_BYTES));
    this.#slots.resize(rules.slots);
  }

  /** Why no job is taken, whoever asks; undefined if all is well. */
  get ailment(): { readonly code: RefusalCode; readonly message: string } | undefined {
    const { failure } = this.#options.sandbox;
    if (failure !== undefined) {
      return { code: 'sandbox', message: `this host does not seal jobs off any more: ${failure}` };
    }
    if (this.#draining) return { code: 'draining', message: 'the server is about to end' };
    return undefined;
  }

  get figures(): ServerFigures {
    return {
      slots: this.#slots.total,
      running: this.#slots.running,
      waiting: this.#slots.waiting,
      connections: this.#connections.size,
      receivedBytes: this.#wire.received,
      sentBytes: this.#wire.sent,
    };
  }

  /** No new connections and jobs; resolves when the last job is over and all have left. */
  async drain(): Promise<void> {
    this.#draining = true;
    this.#listener.close();
    this.#stateChanged();
    const overdue = this.#options.clock.after(SERVER.drain, () => {
      this.#options.log('server', `jobs still run after ${SERVER.drain / 1000} s; they are killed`);
      this.#sayGoodbye();
    });
    await this.#until(() => [...this.#connections].every(({ jobs }) => jobs === 0));
    overdue.cancel();
    await this.close();
  }

  /** Kills all jobs and says goodbye; resolves when nothing of them is left. */
  async close(): Promise<void> {
    this.#draining = true;
    this.#listener.close();
    this.#gate.close();
    this.#memory.close();
    this.#sayGoodbye();
    await this.#until(() => this.#connections.size === 0);
  }

  /** Speaks TLS on connections that have been let in; it does not listen itself. */
  #newTls(): TlsServer {
    const keys = { [Symbol.iterator]: () => this.#rules.keys[Symbol.iterator]() };
    const tls = createTlsServer(serverTlsOptions(keys));
    tls.on('secureConnection', (stream) => {
      const socket = this.#sockets.get(peerName(stream));
      if (socket === undefined) stream.destroy();
      else this.#open(stream, socket);
    });
    tls.on('tlsClientError', (error, stream) => {
      const socket = this.#sockets.get(peerName(stream));
      if (socket === undefined) stream.destroy();
      else this.#gate.refuse(socket, explainServerTlsError(error), 'key');
    });
    return tls;
  }

  /** A TCP connection, before TLS. */
  #accept(socket: Socket): void {
    const name = peerName(socket);
    // Also makes the errors of a connection that never gets further end here.
    socket.on('error', () => undefined);
    if (!this.#gate.admit(socket, name)) return;
    socket.setNoDelay(true);
    this.#wire.add(socket);
    this.#sockets.set(name, socket);
    socket.on('close', () => {
      this.#gate.left(socket);
      // Its port may be another connection's already.
      if (this.#sockets.get(name) === socket) this.#sockets.delete(name);
    });
    if (this.#tls === undefined) this.#open(socket, socket);
    else this.#tls.emit('connection', socket);
  }

  /** A connection that is ready for frames; `socket` is what lies below `stream`. */
  #open(stream: Socket, socket: Socket): void {
    const peer = { name: peerName(socket), origin: originOf(socket.remoteAddress ?? '') };
    const connection = new ClientConnection(stream, peer, this.#host, {
      onGreeted: () => this.#gate.greeted(socket),
      onJobOver: () => this.#checkWaiters(),
      onEnd: () => {
        this.#connections.delete(connection);
        this.#checkWaiters();
      },
    });
    this.#connections.add(connection);
  }

  #admit(client: string): ReturnType<Host['admit']> {
    const { ailment } = this;
    if (ailment !== undefined) return ailment;
    const place = this.#slots.admit(client);
    if (place !== undefined) return place;
    return { code: 'busy', message: `${this.#slots.waiting} jobs wait already` };
  }

  #state(client: string): ServerState {
    const others = this.#slots.besides(client);
    return {
      kind: 'state',
      slots: this.#slots.total,
      running: others.running,
      queued: others.waiting,
      load: Math.max(0, this.#options.load()),
      draining: this.#draining,
    };
  }

  #stateChanged(): void {
    // However many listen, so many messages go out in a second.
    const pause = Math.max(SERVER.statePause, this.#connections.size * SERVER.statePauseOfClient);
    for (const connection of this.#connections) connection.pushState(pause);
  }

  /** Resolves as soon as something holds that jobs and connections change. */
  #until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push({ holds, resolve });
      this.#checkWaiters();
    });
  }

  #checkWaiters(): void {
    this.#waiters = this.#waiters.filter(({ holds, resolve }) => {
      if (!holds()) return true;
      resolve();
      return false;
    });
  }

  #sayGoodbye(): void {
    for (const connection of this.#connections) connection.close('the server is ending');
  }
}

function peerName(socket: Socket): string {
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return 'a client';
  return formatAddress(remoteAddress.replace(/^::ffff:(?=\d+\.)/, ''), remotePort);
}
