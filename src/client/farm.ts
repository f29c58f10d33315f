/**
 * All hosts that builds of this daemon use, this one among them where a list names it, and the one
 * queue for their slots.
 */
import { SPEED } from '../core/scheduling-limits.js';
import type { FallbackReason, HostDemotion } from '../core/reasons.js';
import type { Clock } from '../platform/clock.js';
import type { TreeEntry } from '../protocol/tree-entry.js';
import type { Choice } from '../report/events.js';
import type { LiveHost } from '../report/live.js';
import type { Toolchain } from '../toolchain/toolchain.js';
import type { CompileTimes } from './compile-times.js';
import { FarmHost } from './farm-host.js';
import { outlookOf, tierOf } from './farm-outlook.js';
import type { HostList, RemoteHost } from './host-list.js';
import type { LocalSlots, Slot } from './local-slots.js';
import type { RemoteJob, RemoteResult } from './remote-job.js';
import { chooseHost, type HostChoice } from './scheduler.js';
import type { ServerLink } from './server-link.js';
import type { Settings } from './settings.js';
import { Stragglers } from './stragglers.js';
import { WaitingLine, type Waiting } from './waiting-line.js';

/** How a compile wants to go out. */
export type FarmMode = 'pump' | 'plain';

/** What a compile asks for. */
export interface PlaceRequest {
  readonly mode: FarmMode;
  readonly hosts: HostList;
  readonly toolchain: Toolchain;
  readonly settings: Settings;
  /** What is compiled, told from all else: a hash. */
  readonly unit: number;
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
  /** Why this host. */
  readonly why: Choice;
  /** How well the server seals jobs of the wanted mode off. */
  readonly tier: number;
  /** Compiles that the server runs at once for this client. */
  readonly slots: number;
  /** Rejects with RemoteFailure. */
  run(job: RemoteJob, timeout: number, signal: AbortSignal): Promise<RemoteResult>;
  release(): void;
}

export type Place = RemotePlace | { readonly kind: 'localhost'; readonly slot: Slot } | NoPlace;

export interface FarmContext {
  readonly localSlots: LocalSlots;
  readonly clock: Pick<Clock, 'after' | 'monotonic'>;
  readonly times: Pick<CompileTimes, 'expected' | 'learn'>;
  /** As Math.random. */
  readonly random: () => number;
}

export type LinkFactory = (host: RemoteHost, settings: Settings, farm: Farm) => ServerLink;

type LocalHost = HostChoice & { readonly isShared: false };

/** A compile that waits for a place. */
interface WaitingCompile extends Waiting {
  readonly request: PlaceRequest;
  readonly serve: (place: Place) => void;
}

export class Farm {
  readonly #makeLink: LinkFactory;
  readonly #context: FarmContext;
  readonly #hosts = new Map<string, FarmHost>();
  readonly #line = new WaitingLine<WaitingCompile>();
  /** Who waits to know whether there is a server at all. True when it has been told. */
  readonly #asking = new Set<() => boolean>();
  /** Places by build. */
  readonly #held = new Map<string, number>();
  readonly #stragglers: Stragglers;
  /** What compiles take that nobody knows: a mean on a scale of logarithms, of milliseconds. */
  #usualTime: number | undefined;
  #isTelling = false;

  constructor(makeLink: LinkFactory, context: FarmContext) {
    this.#makeLink = makeLink;
    this.#context = context;
    this.#stragglers = new Stragglers(context.clock, () => this.#line.size === 0);
    context.localSlots.onRelease = () => this.changed();
  }

  /** Compiles that wait for a place. */
  get queued(): number {
    return this.#line.size;
  }

  /** The servers that builds have used, for who looks at it from outside. */
  view(): LiveHost[] {
    return [...this.#hosts.values()].map((host) => {
      const { state, serverState, downReason, breaker, slots, pause } = host.link;
      const draining = serverState?.draining === true;
      return {
        name: host.link.host.name,
        state: draining ? 'draining' : state,
        reason: downReason ?? null,
        slots: serverState === undefined ? null : slots,
        mine: host.mine,
        others: serverState === undefined ? null : serverState.running + serverState.queued,
        load: serverState?.load ?? null,
        speed: host.speed,
        breaker,
        pause: pause ?? null,
      };
    });
  }

  /** Whether some server could take such a compile at all; waits while that is not known yet. */
  prospect(
    request: PlaceRequest,
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'open' } | NoPlace> {
    return new Promise((resolve, reject) => {
      const ask = () => {
        const outlook = outlookOf(request, this.#hostOf);
        if (outlook.kind === 'unsettled') return false;
        signal.removeEventListener('abort', leave);
        resolve(outlook.kind === 'open' ? { kind: 'open' } : outlook);
        return true;
      };
      const leave = () => {
        this.#asking.delete(ask);
        reject(signal.reason as Error);
      };
      if (signal.aborted) return leave();
      signal.addEventListener('abort', leave, { once: true });
      if (!ask()) this.#asking.add(ask);
    });
  }

  /** Waits for a free slot. Rejects with the signal's reason when it is aborted before. */
  acquire(request: PlaceRequest, signal: AbortSignal): Promise<Place> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      const place = this.#find(request);
      if (place !== undefined) return resolve(place);
      const leave = () => {
        this.#line.remove(waiting);
        reject(signal.reason as Error);
      };
      const waiting: WaitingCompile = {
        request,
        session: sessionOf(request),
        expected: this.#context.times.expected(request.unit),
        since: this.#context.clock.monotonic(),
        kind: kindOf(request),
        serve: (found) => {
          signal.removeEventListener('abort', leave);
          resolve(found);
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#line.add(waiting);
    });
  }

  /**
   * A compile runs from now on, until what is returned is called.
   *
   * @param host where it does
   * @param race takes a place where it is to run as well
   */
  watch(request: PlaceRequest, host: string, race: (place: RemotePlace) => void): () => void {
    const { clock, times } = this.#context;
    const running = {
      since: clock.monotonic(),
      expected: times.expected(request.unit),
      race: () => {
        const place = this.#placeToRace(request, host);
        if (place !== undefined) race(place);
        return place !== undefined;
      },
    };
    this.#stragglers.add(running);
    return () => this.#stragglers.remove(running);
  }

  /** A host that did a job badly, though it seemed well. */
  blame(name: string, why: string): void {
    for (const { link } of this.#hosts.values()) if (link.host.name === name) link.fault(why);
  }

  /** A link changed, or a slot is free here: somebody who waits may be served now. */
  changed(): void {
    // A link that is wanted by an attempt may change at once, and the loop below sees that.
    if (this.#isTelling) return;
    this.#isTelling = true;
    try {
      for (const ask of this.#asking) if (ask()) this.#asking.delete(ask);
      if (this.#line.size === 0) return;
      this.#line.serve(this.#held, this.#context.clock.monotonic(), ({ request, serve }) => {
        const place = this.#find(request);
        if (place !== undefined) serve(place);
        return place !== undefined;
      });
    } finally {
      this.#isTelling = false;
    }
  }

  /** Files that the next jobs may need, to those servers that are idle. */
  announce(entries: readonly TreeEntry[]): void {
    for (const { link } of this.#hosts.values()) link.announce(entries);
  }

  close(message: string): void {
    for (const { link } of this.#hosts.values()) link.close(message);
  }

  /** Undefined: not now. */
  #find(request: PlaceRequest): Place | undefined {
    const outlook = outlookOf(request, this.#hostOf);
    if (outlook.kind === 'none') return outlook;
    if (outlook.kind === 'unsettled') return undefined;
    const { hosts, unit } = request;
    const local = hosts.localhost === 0 ? undefined : this.#localhost(hosts.localhost);
    const all: readonly (FarmHost | LocalHost)[] =
      local === undefined ? outlook.hosts : [...outlook.hosts, local];
    // Where the order of the hosts shall mean nothing, that of this daemon decides among equals.
    const chosen = chooseHost(all, hosts.randomize ? undefined : unit, this.#context.random);
    if (chosen === undefined) return undefined;
    const { host, why } = chosen;
    if (host instanceof FarmHost) return this.#give(host, request, why);
    const slot = this.#context.localSlots.tryAcquire('compile');
    return slot && { kind: 'localhost', slot };
  }

  /** A host with an idle slot that can be trusted to begin at once. */
  #placeToRace(request: PlaceRequest, runsOn: string): RemotePlace | undefined {
    const exclude = new Set([...request.exclude, runsOn]);
    const outlook = outlookOf({ ...request, exclude }, this.#hostOf);
    if (outlook.kind !== 'open') return undefined;
    const hosts = outlook.hosts.filter(
      ({ done, link, mine, others, slots }) =>
        done > 0 && link.breaker === 'closed' && mine + others < slots,
    );
    const chosen = chooseHost(hosts, undefined, this.#context.random);
    return chosen && this.#give(chosen.host, request, 'race');
  }

  /** This machine as one more host. */
  #localhost(slots: number): LocalHost {
    const { localSlots } = this.#context;
    const mine = localSlots.used('compile');
    return {
      slots,
      room: localSlots.isFree('compile') ? slots : 0,
      mine,
      others: localSlots.used('other') + localSlots.used('preprocess'),
      strain: 0,
      isShared: false,
      weight: 1,
      speed: 1,
      nameHash: 0,
    };
  }

  #give(host: FarmHost, request: PlaceRequest, why: RemotePlace['why']): RemotePlace {
    const session = sessionOf(request);
    const { link } = host;
    let isHeld = true;
    const count = (by: 1 | -1) => {
      host.mine += by;
      const held = (this.#held.get(session) ?? 0) + by;
      if (held === 0) this.#held.delete(session);
      else this.#held.set(session, held);
    };
    count(1);
    return {
      kind: 'remote',
      host: link.host.name,
      why,
      tier: tierOf(link, request.mode),
      slots: link.slots,
      run: async (job, timeout, signal) => {
        const began = this.#context.clock.monotonic();
        const result = await link.run(job, timeout, signal);
        host.done++;
        this.#stragglers.took(this.#context.clock.monotonic() - began);
        if (result.status === 0) this.#learn(host, request.unit, result.running);
        return result;
      },
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        count(-1);
        this.changed();
      },
    };
  }

  #learn(host: FarmHost, unit: number, took: number): void {
    const { times } = this.#context;
    const known = times.expected(unit);
    const log = Math.log2(Math.max(1, took));
    this.#usualTime ??= log;
    host.speeds.observe(took, known ?? 2 ** this.#usualTime, known !== undefined);
    this.#usualTime += SPEED.average.weight * (log - this.#usualTime);
    times.learn(unit, took);
  }

  /** One link per host, key and slot limit, however many builds use it. */
  readonly #hostOf = (host: RemoteHost, settings: Settings): FarmHost => {
    const key = `${host.name}/${host.slots ?? ''} ${host.weight} ${host.compress} ${settings.keyFile ?? ''}`;
    let known = this.#hosts.get(key);
    if (known === undefined) {
      known = new FarmHost(this.#makeLink(host, settings, this));
      this.#hosts.set(key, known);
    }
    return known;
  };
}

/** The implicit one has no name. */
function sessionOf({ settings }: PlaceRequest): string {
  return settings.session ?? '';
}

/** Requests of one kind are served by the same hosts. */
function kindOf({ mode, hosts, toolchain, settings, exclude }: PlaceRequest): string {
  const names = hosts.remote.map(({ name, slots }) => `${name}/${slots ?? ''}`).join(' ');
  const { minTier, keyFile } = settings;
  return [mode, toolchain.digest, minTier, keyFile, hosts.localhost, names, ...exclude].join('\n');
}
