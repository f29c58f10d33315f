/**
 * The live page on demand: with the first question for it begins that somebody listens to the
 * sessions, and ends when nobody has looked for a while. What was before is read from the journals
 * of the builds that are open.
 */
import { LIVE } from '../core/live-limits.js';
import type { Clock } from '../platform/clock.js';
import type { LiveView } from '../report/live.js';
import { SpanFold } from '../report/spans.js';
import { LiveFeed } from './live-feed.js';
import type { LivePage, LivePageContext } from './live-page.js';
import type { Sessions } from './sessions.js';

export interface LivePagesContext {
  readonly clock: Clock;
  readonly sessions: Sessions;
  readonly view: () => LiveView;
  /** A build that somebody looks at has ended. */
  readonly onBuildEnd: () => void;
  /** Makes the server; its code is loaded by then, and not before. */
  readonly makePage: (context: Pick<LivePageContext, 'feed' | 'onEnd'>) => Promise<LivePage>;
}

export class LivePages {
  readonly #context: LivePagesContext;
  #page: Promise<LivePage> | undefined;

  constructor(context: LivePagesContext) {
    this.#context = context;
  }

  /** Resolves with the address of the page. Rejects when it cannot be served. */
  async open(): Promise<string> {
    this.#page ??= this.#start();
    const page = await this.#page;
    page.restartIdleTimer();
    return page.url;
  }

  close(): void {
    // One that could not be served has told whoever asked for it.
    this.#page?.then(
      (page) => page.close(),
      () => {},
    );
  }

  async #start(): Promise<LivePage> {
    const { clock, sessions, view, makePage } = this.#context;
    const onEnd = () => {
      sessions.observe(undefined);
      this.#page = undefined;
    };
    try {
      const feed = new LiveFeed(clock, view);
      const page = await makePage({ feed, onEnd });
      await page.listen();
      this.#follow(feed);
      return page;
    } catch (error) {
      onEnd();
      throw error;
    }
  }

  #follow(feed: LiveFeed): void {
    const { sessions, onBuildEnd } = this.#context;
    const folds = new Map<string, SpanFold>();
    const add = (name: string, event: Parameters<SpanFold['add']>[0], time: number) => {
      let fold = folds.get(name);
      if (fold === undefined) folds.set(name, (fold = new SpanFold(name)));
      const span = fold.add(event, time);
      if (span !== undefined) feed.add(span);
      if (event.event !== 'session-end') return;
      folds.delete(name);
      onBuildEnd();
    };
    const known = new Set(sessions.all());
    if (known.size === 0 && sessions.newest !== undefined) known.add(sessions.newest);
    for (const { name, journal } of known) {
      for (const line of journal.past(LIVE.pastBytes)) add(name, line, line.time);
    }
    sessions.observe(add);
  }
}
