/**
 * Compile slots and the queue for them. Fair between clients: each gets a slot in turn, however
 * many jobs it has waiting. Bounded: beyond the limit a job is refused, so that its client takes
 * it elsewhere instead of waiting here. Pure bookkeeping.
 *
 *   admit ──▶ admitted ──request──▶ queued ──(turn)──▶ running
 *                │                    │                   │
 *                └────────────────────┴──── release ──────┴──▶ released
 */

type PlaceState =
  | { readonly name: 'admitted' }
  | { readonly name: 'queued'; readonly start: () => void; readonly bytes: number }
  | { readonly name: 'running' }
  | { readonly name: 'released' };

/** A job's right to wait and then to run. */
export interface Place {
  /**
   * Queues for a slot; `start` is called, perhaps at once, when it is there.
   *
   * @param bytes of memory that the job will take
   */
  request(start: () => void, bytes: number): void;
  /** Gives up the slot or the place in the queue. Does nothing the second time. */
  release(): void;
}

/** Decides whether a job may start that has a slot. */
export interface SlotGate {
  enter(place: object, bytes: number, running: number): boolean;
  leave(place: object): void;
}

const OPEN: SlotGate = { enter: () => true, leave: () => undefined };

export class Slots {
  #total: number;
  readonly #queuePerSlot: number;
  readonly #onChange: () => void;
  readonly #gate: SlotGate;
  /** Waiting places by client; the first client is the next to get a slot. */
  readonly #queues = new Map<string, JobPlace[]>();
  /** Places of each client that do not run: admitted or queued. */
  readonly #waitingOf = new Map<string, number>();
  readonly #runningOf = new Map<string, number>();
  #running = 0;
  #waiting = 0;
  /** Of those that wait, those that could run. */
  #ready = 0;

  /**
   * @param total jobs that may run at once
   * @param queuePerSlot jobs that may wait, for each of these
   * @param onChange called after each change of `running` or `waiting`
   * @param gate who is not let in stays the next one
   */
  constructor(
    total: number,
    queuePerSlot: number,
    onChange: () => void = () => undefined,
    gate = OPEN,
  ) {
    this.#total = total;
    this.#queuePerSlot = queuePerSlot;
    this.#onChange = onChange;
    this.#gate = gate;
  }

  /** The gate may let somebody in now. */
  retry(): void {
    this.#startNext();
  }

  get total(): number {
    return this.#total;
  }

  /** Where there are fewer now, those that run go on; no other starts until they are few enough. */
  resize(total: number): void {
    if (total === this.#total) return;
    this.#total = total;
    this.#startNext();
    this.#onChange();
  }

  get running(): number {
    return this.#running;
  }

  /** Jobs that wait, those whose source is still on its way included. */
  get waiting(): number {
    return this.#waiting;
  }

  /** What all but this client have here. */
  besides(client: string): { readonly running: number; readonly waiting: number } {
    return {
      running: this.#running - (this.#runningOf.get(client) ?? 0),
      waiting: this.#waiting - (this.#waitingOf.get(client) ?? 0),
    };
  }

  /**
   * A place for a job of this client, or undefined when too many wait already. What others have
   * here can only lower a client's part of the queue to a fair share, of one at least; and only
   * what could run does, so that jobs whose sources never arrive take no room from anybody else.
   */
  admit(client: string): Place | undefined {
    const most = this.#total + this.#queueLimit;
    const ofClient = this.#waitingOf.get(client) ?? 0;
    if (ofClient + (this.#runningOf.get(client) ?? 0) >= most) return undefined;
    if (this.#running + this.#ready >= most && ofClient >= this.#share(client)) return undefined;
    this.#countWaiting(client, 1);
    this.#onChange();
    return new JobPlace(client, this);
  }

  /** For JobPlace. */
  enqueue(place: JobPlace): void {
    const queue = this.#queues.get(place.client);
    if (queue === undefined) this.#queues.set(place.client, [place]);
    else queue.push(place);
    this.#ready++;
    this.#startNext();
  }

  /** For JobPlace. */
  leave(place: JobPlace, state: 'admitted' | 'queued' | 'running'): void {
    if (state === 'running') {
      this.#gate.leave(place);
      this.#countRunning(place.client, -1);
    } else {
      this.#countWaiting(place.client, -1);
      if (state === 'queued') this.#dequeue(place);
    }
    this.#startNext();
    this.#onChange();
  }

  /** Jobs that may wait for a slot. */
  get #queueLimit(): number {
    return this.#total * this.#queuePerSlot;
  }

  #share(client: string): number {
    const clients = this.#queues.size + (this.#queues.has(client) ? 0 : 1);
    return Math.max(1, Math.floor(this.#queueLimit / clients));
  }

  #startNext(): void {
    while (this.#running < this.#total) {
      const [next] = this.#queues;
      if (next === undefined) return;
      const [client, queue] = next;
      const head = queue[0];
      if (head !== undefined && !this.#gate.enter(head, head.bytes, this.#running)) return;
      const place = queue.shift();
      this.#ready--;
      // Behind all others, for the next turn.
      this.#queues.delete(client);
      if (queue.length > 0) this.#queues.set(client, queue);
      if (place === undefined) continue;
      this.#countWaiting(client, -1);
      this.#countRunning(client, 1);
      this.#onChange();
      place.begin();
    }
  }

  #dequeue(place: JobPlace): void {
    const queue = this.#queues.get(place.client);
    const index = queue?.indexOf(place) ?? -1;
    if (queue === undefined || index < 0) return;
    queue.splice(index, 1);
    this.#ready--;
    if (queue.length === 0) this.#queues.delete(place.client);
  }

  #countWaiting(client: string, by: 1 | -1): void {
    this.#waiting += by;
    count(this.#waitingOf, client, by);
  }

  #countRunning(client: string, by: 1 | -1): void {
    this.#running += by;
    count(this.#runningOf, client, by);
  }
}

function count(counts: Map<string, number>, client: string, by: 1 | -1): void {
  const now = (counts.get(client) ?? 0) + by;
  if (now === 0) counts.delete(client);
  else counts.set(client, now);
}

class JobPlace implements Place {
  readonly client: string;
  readonly #slots: Slots;
  #state: PlaceState = { name: 'admitted' };

  constructor(client: string, slots: Slots) {
    this.client = client;
    this.#slots = slots;
  }

  /** Of memory; 0 before it is known. */
  get bytes(): number {
    return this.#state.name === 'queued' ? this.#state.bytes : 0;
  }

  request(start: () => void, bytes: number): void {
    if (this.#state.name !== 'admitted') return;
    this.#state = { name: 'queued', start, bytes };
    this.#slots.enqueue(this);
  }

  begin(): void {
    if (this.#state.name !== 'queued') return;
    const { start } = this.#state;
    this.#state = { name: 'running' };
    start();
  }

  release(): void {
    const { name } = this.#state;
    if (name === 'released') return;
    this.#state = { name: 'released' };
    this.#slots.leave(this, name);
  }
}
