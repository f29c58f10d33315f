/**
 * What live pages are told while builds run. A reader has a cursor into one ring of bars, not a
 * queue of its own: one that reads slowly is left out until it has taken what it was sent, and goes
 * on from its cursor, or with the whole ring where that has passed it. So the memory that readers
 * hold is the ring, and one message each on its way. Nothing runs while nobody reads.
 */
import { LIVE } from '../core/live-limits.js';
import type { Clock, Timer } from '../platform/clock.js';
import type { LiveView } from '../report/live.js';
import type { Span } from '../report/spans.js';

/** A connection that takes messages. */
export interface FeedReader {
  /** Whether something that was sent has not been taken yet. */
  isBusy(): boolean;
  send(message: FeedMessage): void;
  end(): void;
}

export interface FeedMessage {
  readonly view: LiveView;
  /** What is shown so far is to be forgotten: `spans` are all that there are. */
  readonly reset: boolean;
  /** Bars that have ended since the last message. */
  readonly spans: readonly Span[];
}

interface Place {
  /** Number of the next bar that it has not been told of; -1: it has been told nothing. */
  next: number;
  /** Monotonic time since which it has taken nothing; undefined: it takes all. */
  busySince: number | undefined;
}

export class LiveFeed {
  readonly #clock: Clock;
  readonly #view: () => LiveView;
  readonly #readers = new Map<FeedReader, Place>();
  #ring: Span[] = [];
  /** Number of the ring's first bar. */
  #first = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock, view: () => LiveView) {
    this.#clock = clock;
    this.#view = view;
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** A bar has ended. */
  add(span: Span): void {
    this.#ring.push(span);
    // Cut in pieces: to shift each time would move all the others each time.
    if (this.#ring.length >= 2 * LIVE.spans) {
      this.#first += this.#ring.length - LIVE.spans;
      this.#ring = this.#ring.slice(-LIVE.spans);
    }
  }

  /** It is told at once what there is, and from then on what comes. */
  join(reader: FeedReader): void {
    const place: Place = { next: -1, busySince: undefined };
    this.#readers.set(reader, place);
    this.#tell(reader, place, this.#view());
    this.#timer ??= this.#clock.after(LIVE.pageTick, () => this.#tick());
  }

  leave(reader: FeedReader): void {
    this.#readers.delete(reader);
    if (this.#readers.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Ends all readers. */
  close(): void {
    for (const reader of [...this.#readers.keys()]) {
      this.leave(reader);
      reader.end();
    }
  }

  #tick(): void {
    this.#timer = this.#clock.after(LIVE.pageTick, () => this.#tick());
    const view = this.#view();
    const now = this.#clock.monotonic();
    for (const [reader, place] of [...this.#readers]) {
      if (!reader.isBusy()) {
        place.busySince = undefined;
        this.#tell(reader, place, view);
        continue;
      }
      place.busySince ??= now;
      if (now - place.busySince < LIVE.readerPatience) continue;
      this.leave(reader);
      reader.end();
    }
  }

  #tell(reader: FeedReader, place: Place, view: LiveView): void {
    const reset = place.next < this.#first;
    const spans = reset
      ? this.#ring.slice(-LIVE.spans)
      : this.#ring.slice(place.next - this.#first);
    place.next = this.#first + this.#ring.length;
    reader.send({ view, reset, spans });
  }
}
