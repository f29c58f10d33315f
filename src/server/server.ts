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
import { createServer as createTlsServer, Server as TlsServer, type TLSSocket } from 'node:tls';
import { SERVER, WIRE } from '../core/limits.js';
import type { Timer } from '../platform/clock.js';
import type { Key } from '../protocol/key-file.js';
import type { RefusalCode, ServerState } from '../protocol/plain-messages.js';
import { explainServerTlsError, serverTlsOptions } from '../protocol/secure-channel.js';
import { formatAddress, isAllowed, type ListenAddress } from './access.js';
import { ClientConnection, type Host } from './client-connection.js';
import type { JobSurroundings } from './compile-job.js';
import type { PumpService } from './client-pump.js';
import type { Refusal } from './log.js';
import type { ServerFigures, ServerObserver } from './observer.js';
import type { PlainSurroundings } from './plain-recipe.js';
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

export interface ServerOptions extends JobSurroundings, PlainSurroundings, ServerRules {
  /** Pump mode, where jobs can be sealed off. */
  readonly pump: PumpService | undefined;
  /** Version of tscc, for people. */
  readonly version: string;
  readonly hostName: string;
  /** Load average over one minute. */
  load(): number;
  readonly observer: ServerObserver;
  /** Takes a line; `refused` when it says that a connection is. */
  log(where: string, what: string, refused?: Refusal): void;
}

/** As OpenSSL has them. */
const TICKET_KEY_BYTES = 48;

/** A connection whose client has not said HELLO yet. */
interface Pending {
  readonly socket: Socket;
  readonly timer: Timer;
}

export class Server {
  readonly #options: ServerOptions;
  readonly #slots: Slots;
  readonly #host: Host;
  readonly #listener: NetServer | TlsServer;
  #rules: ServerRules;
  readonly #connections = new Set<ClientConnection>();
  /** By peer name, oldest first. */
  readonly #pending = new Map<string, Pending>();
  readonly #wire = new WireCount();
  #draining = false;
  #waiters: { readonly holds: () => boolean; readonly resolve: () => void }[] = [];

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#rules = options;
    const onChange = () => this.#stateChanged();
    this.#slots = new Slots(options.slots, SERVER.queuePerSlot, onChange);
    this.#host = {
      ...options,
      state: (client) => this.#state(client),
      admit: (client) => this.#admit(client),
    };
    this.#listener = options.keys.length > 0 ? this.#tlsListener() : createServer();
    this.#listener.on('connection', (socket) => this.#accept(socket));
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
    const listener = this.#listener;
    if (rules.keys.length > 0 !== listener instanceof TlsServer) {
      throw new Error('Internal error: with or without keys is decided at the start');
    }
    this.#rules = rules;
    // Who once had a key could go on with the session tickets that it brought.
    if (listener instanceof TlsServer) listener.setTicketKeys(randomBytes(TICKET_KEY_BYTES));
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
    for (const { socket } of this.#pending.values()) socket.destroy();
    this.#sayGoodbye();
    await this.#until(() => this.#connections.size === 0);
  }

  #tlsListener(): TlsServer {
    const keys = { [Symbol.iterator]: () => this.#rules.keys[Symbol.iterator]() };
    const listener = createTlsServer(serverTlsOptions(keys));
    listener.on('secureConnection', (socket) => this.#open(socket));
    listener.on('tlsClientError', (error, socket: TLSSocket) => {
      this.#options.log(peerName(socket), explainServerTlsError(error), 'key');
      socket.destroy();
    });
    return listener;
  }

  /** A TCP connection, before TLS. */
  #accept(socket: Socket): void {
    const name = peerName(socket);
    const { clock } = this.#options;
    const refuse = (what: string, why: Refusal) => this.#options.log(name, what, why);
    const { allowed, keys } = this.#rules;
    // Also makes the errors of a connection that never gets further end here.
    socket.on('error', () => undefined);
    if (allowed !== undefined && !isAllowed(allowed, socket.remoteAddress ?? '')) {
      refuse('refused: its address is not in --allow', 'address');
      socket.destroy();
      return;
    }
    socket.setNoDelay(true);
    this.#wire.add(socket);
    this.#evictOldest();
    const timer = clock.after(WIRE.handshake, () => {
      refuse(`refused: no HELLO within ${WIRE.handshake / 1000} s`, 'late');
      socket.destroy();
    });
    this.#pending.set(name, { socket, timer });
    socket.on('close', () => this.#forget(name));
    if (keys.length === 0) this.#open(socket);
  }

  /** A connection that is ready for frames. */
  #open(socket: Socket): void {
    const name = peerName(socket);
    const connection = new ClientConnection(socket, name, this.#host, {
      onGreeted: () => this.#forget(name),
      onJobOver: () => this.#checkWaiters(),
      onEnd: () => {
        this.#connections.delete(connection);
        this.#checkWaiters();
      },
    });
    this.#connections.add(connection);
  }

  /** Whoever holds connections open without a word makes room for those that come after. */
  #evictOldest(): void {
    if (this.#pending.size < WIRE.pendingHandshakes) return;
    const [oldest] = this.#pending;
    if (oldest === undefined) return;
    const [name, { socket }] = oldest;
    this.#options.log(name, 'closed to make room: too many connections without HELLO', 'crowd');
    this.#forget(name);
    socket.destroy();
  }

  #forget(name: string): void {
    this.#pending.get(name)?.timer.cancel();
    this.#pending.delete(name);
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
    for (const connection of this.#connections) connection.pushState();
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
