/**
 * All compile servers that builds of this daemon use, and the one queue for their slots: first
 * come, first served among those whom a free slot suits.
 */
import { pumpOffer } from '../protocol/pump-offer.js';
import type { FallbackReason, HostDemotion } from '../core/reasons.js';
import type { TreeEntry } from '../protocol/tree-entry.js';
import type { LiveHost } from '../report/live.js';
import type { Toolchain } from '../toolchain/toolchain.js';
import type { HostList, RemoteHost } from './host-list.js';
import type { LocalSlots } from './local-slots.js';
import type { RemoteJob, RemoteResult } from './remote-job.js';
import { chooseHost } from './scheduler.js';
import type { ServerLink } from './server-link.js';
import type { Settings } from './settings.js';

/** How a compile wants to go out. */
export type FarmMode = 'pump' | 'plain';

/** What a compile asks for. */
export interface PlaceRequest {
  readonly mode: FarmMode;
  readonly hosts: HostList;
  readonly toolchain: Toolchain;
  readonly settings: Settings;
  /** Names of hosts that have failed this compile. */
  readonly exclude: ReadonlySet<string>;
}

/** No server will do. */
export interface NoPlace {
  readonly kind: 'none';
  readonly reason: FallbackReason | HostDemotion;
  readonly detail: string;
}

/** Permission to run one job on one server, to be released whatever happens. */
export interface RemotePlace {
  readonly kind: 'remote';
  readonly host: string;
  /** How well the server seals jobs of the wanted mode off. */
  readonly tier: number;
  /** Compiles that the server runs at once for this client. */
  readonly slots: number;
  run(job: RemoteJob, timeout: number, signal: AbortSignal): Promise<RemoteResult>;
  release(): void;
}

export type Place = RemotePlace | { readonly kind: 'localhost' } | NoPlace;

export type LinkFactory = (host: RemoteHost, settings: Settings, farm: Farm) => ServerLink;

type Outlook =
  | { readonly kind: 'open'; readonly links: readonly ServerLink[] }
  | { readonly kind: 'unsettled' }
  | NoPlace;

interface Waiting {
  /** True when it has been served. */
  attempt(): boolean;
}

export class Farm {
  readonly #makeLink: LinkFactory;
  readonly #localSlots: LocalSlots;
  readonly #links = new Map<string, ServerLink>();
  /** Places given out per link: more than its open jobs, because a place comes before its job. */
  readonly #places = new Map<ServerLink, number>();
  #waiting: Waiting[] = [];
  #isTelling = false;

  constructor(makeLink: LinkFactory, localSlots: LocalSlots) {
    this.#makeLink = makeLink;
    this.#localSlots = localSlots;
  }

  /** Compiles that wait for a place. */
  get queued(): number {
    return this.#waiting.length;
  }

  /** The servers that builds have used, for who looks at it from outside. */
  view(): LiveHost[] {
    return [...this.#links.values()].map((link) => {
      const { state, serverState } = link;
      const draining = serverState?.draining === true;
      return {
        name: link.host.name,
        state: draining ? 'draining' : state,
        reason: link.downReason ?? null,
        slots: serverState === undefined ? null : link.slots,
        mine: this.#places.get(link) ?? 0,
        others: serverState === undefined ? null : othersOn(link),
        load: serverState?.load ?? null,
      };
    });
  }

  /** Whether some server could take such a compile at all; waits while that is not known yet. */
  prospect(
    request: PlaceRequest,
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'open' } | NoPlace> {
    return this.#wait(signal, () => {
      const outlook = this.#outlook(request);
      return outlook.kind === 'unsettled' ? undefined : outlook;
    });
  }

  /** Waits for a free slot. Rejects with the signal's reason when it is aborted before. */
  acquire(request: PlaceRequest, signal: AbortSignal): Promise<Place> {
    return this.#wait(signal, () => this.#tryAcquire(request));
  }

  /** A link changed: somebody who waits may be served now. */
  changed(): void {
    // A link that is wanted by an attempt may change at once, and the loop below sees that.
    if (this.#isTelling) return;
    this.#isTelling = true;
    try {
      this.#waiting = this.#waiting.filter((waiting) => !waiting.attempt());
    } finally {
      this.#isTelling = false;
    }
  }

  /** Files that the next jobs may need, to those servers that are idle. */
  announce(entries: readonly TreeEntry[]): void {
    for (const link of this.#links.values()) link.announce(entries);
  }

  close(message: string): void {
    for (const link of this.#links.values()) link.close(message);
  }

  #tryAcquire(request: PlaceRequest): Place | undefined {
    const outlook = this.#outlook(request);
    if (outlook.kind === 'none') return outlook;
    const links = outlook.kind === 'open' ? outlook.links : [];
    const chosen = chooseHost(
      links.map((link) => ({
        item: link,
        slots: link.slots,
        weight: link.host.weight,
        mine: this.#places.get(link) ?? 0,
        others: othersOn(link),
      })),
    );
    if (chosen !== undefined) return this.#give(chosen, request.mode);
    const isLocalTurn =
      outlook.kind === 'open' && this.#localSlots.used('compile') < request.hosts.localhost;
    return isLocalTurn ? { kind: 'localhost' } : undefined;
  }

  #give(link: ServerLink, mode: FarmMode): RemotePlace {
    let held = true;
    this.#places.set(link, (this.#places.get(link) ?? 0) + 1);
    return {
      kind: 'remote',
      host: link.host.name,
      tier: tierOf(link, mode),
      slots: link.slots,
      run: (job, timeout, signal) => link.run(job, timeout, signal),
      release: () => {
        if (!held) return;
        held = false;
        this.#places.set(link, (this.#places.get(link) ?? 1) - 1);
        this.changed();
      },
    };
  }

  #outlook(request: PlaceRequest): Outlook {
    const open: ServerLink[] = [];
    const down: string[] = [];
    const lacking: string[] = [];
    const unsealed: string[] = [];
    const misplaced: string[] = [];
    const plain: string[] = [];
    let isUnsettled = false;
    for (const host of request.hosts.remote) {
      if (request.exclude.has(host.name)) continue;
      const link = this.#linkTo(host, request.settings);
      link.want();
      const isUp = link.state === 'up';
      if (request.mode === 'pump' && host.mode === 'plain') {
        plain.push(host.name);
        continue;
      }
      const has = isUp ? whatSuits(link, host, request) : 'unknown';
      if (link.state === 'down') down.push(`${host.name}: ${link.downReason}`);
      else if (!isUp || has === 'unknown') isUnsettled = true;
      else if (has === 'unsealed') unsealed.push(host.name);
      else if (has === 'misplaced') misplaced.push(host.name);
      else if (has === 'no') lacking.push(host.name);
      else if (link.slots > 0) open.push(link);
      else down.push(`${host.name}: it is ending`);
    }
    if (open.length > 0) return { kind: 'open', links: open };
    if (isUnsettled) return { kind: 'unsettled' };
    if (misplaced.length > 0) {
      return { kind: 'none', reason: 'other-paths', detail: `on ${misplaced.join(', ')}` };
    }
    if (unsealed.length > 0) {
      const reason = request.mode === 'pump' ? 'no-sandbox' : 'tier-too-low';
      return { kind: 'none', reason, detail: `not on ${unsealed.join(', ')}` };
    }
    if (plain.length > 0) {
      return {
        kind: 'none',
        reason: 'host-plain',
        detail: `so says the list: ${plain.join(', ')}`,
      };
    }
    return lacking.length > 0
      ? { kind: 'none', reason: 'no-toolchain', detail: `not on ${lacking.join(', ')}` }
      : { kind: 'none', reason: 'no-server', detail: down.join('; ') || 'all were tried' };
  }

  /** One link per host, key and slot limit, however many builds use it. */
  #linkTo(host: RemoteHost, settings: Settings): ServerLink {
    const key = `${host.name}/${host.slots ?? ''} ${host.weight} ${host.compress} ${settings.keyFile ?? ''}`;
    let link = this.#links.get(key);
    if (link === undefined) {
      link = this.#makeLink(host, settings, this);
      this.#links.set(key, link);
    }
    return link;
  }

  #wait<T>(signal: AbortSignal, attempt: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      const waiting = {
        attempt: () => {
          const value = attempt();
          if (value === undefined) return false;
          signal.removeEventListener('abort', leave);
          resolve(value);
          return true;
        },
      };
      const leave = () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', leave, { once: true });
      if (!waiting.attempt()) this.#waiting.push(waiting);
    });
  }
}

/** A pump job brings its compiler along, where the server can seal off what is not its own. */
function whatSuits(
  link: ServerLink,
  host: RemoteHost,
  { mode, toolchain, settings }: PlaceRequest,
): 'yes' | 'no' | 'unknown' | 'unsealed' | 'misplaced' {
  const wanted = Math.max(settings.minTier, host.minTier ?? 0);
  const offer = mode === 'pump' && link.welcome !== undefined ? pumpOffer(link.welcome) : 'own';
  if (tierOf(link, mode) < wanted || offer === 'none') return 'unsealed';
  if (offer === 'any') return 'yes';
  if (mode === 'pump' && link.isMisplaced(toolchain)) return 'misplaced';
  return link.hasToolchain(toolchain);
}

function tierOf({ welcome }: ServerLink, mode: FarmMode): number {
  return (mode === 'pump' ? welcome?.tier : welcome?.plainTier) ?? 0;
}

/** Jobs of other clients on a server, as far as its last STATE tells. */
function othersOn(link: ServerLink): number {
  const state = link.serverState;
  return state === undefined ? 0 : state.running + state.queued;
}
