/**
 * When and where each compile ran, as bars of a timeline: a fold over a session's events. A bar of
 * a compile elsewhere is the time from its job's first byte to its result's last, one of a compile
 * here the life of the compiler.
 */
import type { Event, LocalReason, Outcome } from './events.js';

export interface Span {
  readonly session: string;
  /** Number of the command in its session. */
  readonly id: number;
  readonly source: string;
  /** Null: this host. */
  readonly host: string | null;
  readonly outcome: Outcome;
  /** Why it is local, or in plain mode; null where nothing stood in the way. */
  readonly reason: string | null;
  /** Milliseconds since the epoch. */
  readonly start: number;
  readonly end: number;
}

/** One session's events, in their order, to bars. */
export class SpanFold {
  readonly #session: string;
  /** Compiles that have begun here and not ended. */
  readonly #begun = new Map<number, { readonly source: string; readonly reason: string }>();

  constructor(session: string) {
    this.#session = session;
  }

  /**
   * The bar that this event ends, if it ends one.
   *
   * @param time milliseconds since the epoch
   */
  add(event: Event, time: number): Span | undefined {
    switch (event.event) {
      case 'compile': {
        const { remote, check, verify, write } = event.phases;
        const end = time - check - verify - write;
        const { id, source, host, outcome, demotion } = event;
        const reason = demotion ?? null;
        return this.#span({ id, source, host, outcome, reason, start: end - remote, end });
      }
      case 'local':
        this.#begun.set(event.id, { source: event.source, reason: nameOf(event) });
        return undefined;
      case 'local-end': {
        const { id, ran } = event;
        const begun = this.#begun.get(id);
        this.#begun.delete(id);
        // A link, or a compile whose beginning another daemon has seen.
        if (begun === undefined) return undefined;
        return this.#span({
          id,
          ...begun,
          host: null,
          outcome: 'local',
          start: time - ran,
          end: time,
        });
      }
      default:
        return undefined;
    }
  }

  #span(span: Omit<Span, 'session'>): Span {
    return { session: this.#session, ...span };
  }
}

function nameOf(reason: LocalReason): string {
  return 'decline' in reason ? reason.decline : reason.fallback;
}
