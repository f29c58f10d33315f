/**
 * Permission to use this machine. Three pools, so that a burst of one kind cannot starve the
 * others: compiles, local preprocessors, and other commands (links above all). First come, first
 * served. Slots are counted here; a launcher that runs a command holds its slot by its connection.
 */
import type { LivePool } from '../report/live.js';

export type SlotPool = 'compile' | 'preprocess' | 'other';

export interface Slot {
  /** May be called more than once; only the first call counts. */
  release(): void;
}

interface Waiting {
  readonly grant: () => void;
}

export class LocalSlots {
  readonly #pools: Record<SlotPool, { limit: number; used: number; readonly waiting: Waiting[] }>;
  /** Called when a slot is free that nobody waits for here. */
  onRelease: () => void = () => undefined;
  readonly #usual: Readonly<Record<SlotPool, number>>;

  /** @param limits commands of each pool that may run at once */
  constructor(limits: Readonly<Record<SlotPool, number>>) {
    this.#usual = limits;
    const pool = (limit: number) => ({ limit, used: 0, waiting: [] });
    this.#pools = {
      compile: pool(limits.compile),
      preprocess: pool(limits.preprocess),
      other: pool(limits.other),
    };
  }

  /** A host list may set the limit of a pool; undefined is the usual one again. */
  setLimit(name: SlotPool, limit: number | undefined): void {
    this.#pools[name].limit = limit ?? this.#usual[name];
    this.#grantNext(name);
  }

  used(name: SlotPool): number {
    return this.#pools[name].used;
  }

  waiting(name: SlotPool): number {
    return this.#pools[name].waiting.length;
  }

  /** For who looks at it from outside. */
  view(name: SlotPool): LivePool {
    const { used, limit, waiting } = this.#pools[name];
    return { used, limit, waiting: waiting.length };
  }

  /** Whether a slot is free now and nobody waits for it. */
  isFree(name: SlotPool): boolean {
    const { used, limit, waiting } = this.#pools[name];
    return used < limit && waiting.length === 0;
  }

  /** That slot. */
  tryAcquire(name: SlotPool): Slot | undefined {
    return this.isFree(name) ? this.#take(name) : undefined;
  }

  /** Resolves when a slot is free; rejects with the signal's reason when it is aborted before. */
  acquire(name: SlotPool, signal: AbortSignal): Promise<Slot> {
    const slot = this.tryAcquire(name);
    if (slot !== undefined) return Promise.resolve(slot);
    const { waiting } = this.#pools[name];
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const entry = {
        grant: () => {
          signal.removeEventListener('abort', leave);
          resolve(this.#take(name));
        },
      };
      const leave = () => {
        waiting.splice(waiting.indexOf(entry), 1);
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', leave, { once: true });
      waiting.push(entry);
    });
  }

  #take(name: SlotPool): Slot {
    const pool = this.#pools[name];
    let held = true;
    pool.used++;
    return {
      release: () => {
        if (!held) return;
        held = false;
        pool.used--;
        this.#grantNext(name);
        if (this.isFree(name)) this.onRelease();
      },
    };
  }

  #grantNext(name: SlotPool): void {
    const pool = this.#pools[name];
    while (pool.used < pool.limit) {
      const next = pool.waiting.shift();
      if (next === undefined) return;
      next.grant();
    }
  }
}
