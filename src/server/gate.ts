/**
 * Who may connect, and how many at once: nobody outside the networks that are allowed, nobody who does
 * not say HELLO in time, and of no origin so many that others find no room.
 *
 *   admit ──▶ arriving ──HELLO──▶ greeted ──▶ left
 *                └── too late, or the oldest where there are too many ──▶ sent away, left
 */
import type { BlockList } from 'node:net';
import { WIRE } from '../core/limits.js';
import type { Clock, Timer } from '../platform/clock.js';
import { isAllowed, originOf } from './access.js';
import type { Refusal } from './log.js';
import { Refusals, type RefusalLog } from './refusals.js';

/** A connection, as far as this file needs it. */
export interface Visitor {
  /** Undefined when it has gone already. */
  readonly remoteAddress?: string | undefined;
  destroy(): unknown;
}

interface Guest {
  readonly name: string;
  readonly origin: string;
  state: { readonly name: 'arriving'; readonly timer: Timer } | { readonly name: 'greeted' };
}

export interface GateEvents {
  readonly log: RefusalLog;
  /** Called for each, also for those that are one line together. */
  refused(why: Refusal): void;
}

export class Gate {
  readonly #allowed: () => BlockList | undefined;
  readonly #clock: Clock;
  readonly #events: GateEvents;
  readonly #refusals: Refusals;
  readonly #guests = new Map<Visitor, Guest>();
  /** Those that have not said HELLO, by origin, oldest first. */
  readonly #arriving = new Map<string, Set<Visitor>>();
  /** All of an origin. */
  readonly #present = new Map<string, number>();
  #arrivals = 0;

  /** @param allowed networks that may connect just now, undefined for all */
  constructor(allowed: () => BlockList | undefined, clock: Clock, events: GateEvents) {
    this.#allowed = allowed;
    this.#clock = clock;
    this.#events = events;
    this.#refusals = new Refusals(clock, events.log);
  }

  /** Whether a new connection may stay; one that may not is destroyed. */
  admit(visitor: Visitor, name: string): boolean {
    const address = visitor.remoteAddress ?? '';
    const origin = originOf(address);
    const present = this.#present.get(origin) ?? 0;
    const allowed = this.#allowed();
    const refusal: readonly [string, Refusal] | undefined =
      allowed !== undefined && !isAllowed(allowed, address)
        ? ['refused: its address is not in --allow', 'address']
        : present >= WIRE.connectionsOfOrigin
          ? [`refused: ${present} connections from there are open already`, 'crowd']
          : undefined;
    if (refusal !== undefined) {
      this.#tell(name, origin, ...refusal);
      visitor.destroy();
      return false;
    }
    const timer = this.#clock.after(WIRE.handshake, () => {
      this.refuse(visitor, `refused: no HELLO within ${WIRE.handshake / 1000} s`, 'late');
    });
    this.#guests.set(visitor, { name, origin, state: { name: 'arriving', timer } });
    this.#present.set(origin, present + 1);
    this.#arrive(visitor, origin);
    return true;
  }

  /** Its client has said HELLO. */
  greeted(visitor: Visitor): void {
    const guest = this.#guests.get(visitor);
    if (guest === undefined) return;
    this.#settle(visitor, guest);
    guest.state = { name: 'greeted' };
  }

  /** Its connection is over. Does nothing the second time. */
  left(visitor: Visitor): void {
    const guest = this.#guests.get(visitor);
    if (guest === undefined) return;
    this.#settle(visitor, guest);
    this.#guests.delete(visitor);
    const present = (this.#present.get(guest.origin) ?? 1) - 1;
    if (present === 0) this.#present.delete(guest.origin);
    else this.#present.set(guest.origin, present);
  }

  /** Sends away who has not said HELLO, with a line in the log; nobody else. */
  refuse(visitor: Visitor, what: string, why: Refusal): void {
    const guest = this.#guests.get(visitor);
    if (guest?.state.name !== 'arriving') return;
    this.#tell(guest.name, guest.origin, what, why);
    this.left(visitor);
    visitor.destroy();
  }

  /** Sends away, without a line, all who have not said HELLO. */
  close(): void {
    for (const visitors of [...this.#arriving.values()]) {
      for (const visitor of [...visitors]) {
        this.left(visitor);
        visitor.destroy();
      }
    }
    this.#refusals.close();
  }

  #tell(name: string, origin: string, what: string, why: Refusal): void {
    this.#events.refused(why);
    this.#refusals.add(name, origin, what, why);
  }

  /** The newest finds room: whoever holds connections open without a word pays for it. */
  #arrive(visitor: Visitor, origin: string): void {
    const others = this.#arriving.get(origin) ?? new Set();
    if (others.size >= WIRE.pendingOfOrigin) this.#evictOldest(others);
    else if (this.#arrivals >= WIRE.pendingHandshakes) this.#evictOldest(this.#mostOfOneOrigin());
    this.#arriving.set(origin, others.add(visitor));
    this.#arrivals++;
  }

  #mostOfOneOrigin(): ReadonlySet<Visitor> {
    return [...this.#arriving.values()].reduce((most, one) => (one.size > most.size ? one : most));
  }

  #evictOldest(visitors: ReadonlySet<Visitor>): void {
    const [oldest] = visitors;
    if (oldest === undefined) return;
    this.refuse(oldest, 'closed to make room: too many connections without HELLO', 'crowd');
  }

  /** It is no longer among those who arrive. */
  #settle(visitor: Visitor, { origin, state }: Guest): void {
    if (state.name !== 'arriving') return;
    state.timer.cancel();
    const visitors = this.#arriving.get(origin);
    if (visitors?.delete(visitor) !== true) return;
    this.#arrivals--;
    if (visitors.size === 0) this.#arriving.delete(origin);
  }
}
