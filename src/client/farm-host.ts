/** One server as the farm sees it: its link, the places held there, what is learned of it. */
import { hashText } from '../core/text-hash.js';
import { HostSpeed } from './host-speed.js';
import type { HostChoice } from './scheduler.js';
import type { ServerLink } from './server-link.js';

export class FarmHost implements HostChoice {
  readonly link: ServerLink;
  readonly speeds = new HostSpeed();
  readonly nameHash: number;
  readonly isShared = true;
  /** Places given out: more than its open jobs, because a place comes before its job. */
  mine = 0;
  /** Jobs done there: it has the compiler and headers by then. */
  done = 0;

  constructor(link: ServerLink) {
    this.link = link;
    this.nameHash = hashText(link.host.name);
  }

  get slots(): number {
    return this.link.slots;
  }

  get room(): number {
    return this.link.room;
  }

  get weight(): number {
    return this.link.host.weight;
  }

  get speed(): number {
    return this.speeds.factor;
  }

  /** Jobs of other clients, as far as its last STATE tells. */
  get others(): number {
    const state = this.link.serverState;
    return state === undefined ? 0 : state.running + state.queued;
  }

  /** Its load beyond what slots and jobs explain; no more than would double its work. */
  get strain(): number {
    const state = this.link.serverState;
    if (state === undefined) return 0;
    const explained = Math.max(state.slots, this.mine + this.others);
    return Math.min(state.slots, Math.max(0, Math.floor(state.load - explained)));
  }

  /** On trial, and being tried: for others it is as good as not there. */
  get isBeingTried(): boolean {
    return this.link.breaker === 'half-open' && this.mine > 0;
  }
}
