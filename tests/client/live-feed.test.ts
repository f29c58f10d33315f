import t from 'tap';
import { LiveFeed, type FeedMessage, type FeedReader } from '../../src/client/live-feed.js';
import { LIVE } from '../../src/core/live-limits.js';
import type { Span } from '../../src/report/spans.js';
import { liveView } from '../fixtures/live-views.js';
import { ManualClock } from '../fixtures/manual-clock.js';

const span = (id: number): Span => ({
  session: 's',
  id,
  source: 'x.c',
  host: 'red',
  outcome: 'pump',
  reason: null,
  start: 1,
  end: 2,
});

class Reader implements FeedReader {
  readonly messages: FeedMessage[] = [];
  busy = false;
  ended = 0;

  isBusy(): boolean {
    return this.busy;
  }

  send(message: FeedMessage): void {
    this.messages.push(message);
  }

  end(): void {
    this.ended++;
  }

  /** What it was told since the last call: `!` stands before a reset. */
  told(): string[] {
    return this.messages
      .splice(0)
      .map(({ reset, spans }) => `${reset ? '!' : ''}${spans.map(({ id }) => id).join(' ')}`);
  }
}

function setUp() {
  const clock = new ManualClock();
  let views = 0;
  const feed = new LiveFeed(clock, () => liveView({ running: ++views }));
  return { clock, feed, tick: () => clock.advance(LIVE.pageTick), views: () => views };
}

await t.test('a reader is told what there is, and then what comes', async (t) => {
  const { feed, tick } = setUp();
  const reader = new Reader();
  feed.add(span(1));
  feed.join(reader);
  t.strictSame(reader.told(), ['!1']);
  feed.add(span(2));
  feed.add(span(3));
  t.strictSame(reader.told(), [], 'with the next tick');
  tick();
  tick();
  t.strictSame(reader.told(), ['2 3', '']);
});

await t.test('without a reader nothing runs and nothing is asked', async (t) => {
  const { clock, feed, views } = setUp();
  feed.add(span(1));
  t.strictSame([clock.pending, views()], [0, 0]);
  const [one, two] = [new Reader(), new Reader()];
  feed.join(one);
  feed.join(two);
  t.equal(clock.pending, 1, 'one clock for all');
  feed.leave(one);
  t.equal(clock.pending, 1);
  feed.leave(two);
  const asked = views();
  clock.advance(10 * LIVE.pageTick);
  t.strictSame([clock.pending, views()], [0, asked]);
});

await t.test('one that reads slowly is sent nothing, and goes on where it was', async (t) => {
  const { feed, tick } = setUp();
  const [slow, quick] = [new Reader(), new Reader()];
  feed.join(slow);
  feed.join(quick);
  slow.busy = true;
  for (const id of [1, 2, 3]) {
    feed.add(span(id));
    tick();
  }
  t.strictSame(slow.told(), ['!']);
  t.strictSame(quick.told(), ['!', '1', '2', '3'], 'others do not wait for it');
  slow.busy = false;
  tick();
  t.strictSame(slow.told(), ['1 2 3']);
});

await t.test(
  'one that was left behind is told all that is kept, and no more is kept',
  async (t) => {
    const { feed, tick } = setUp();
    const slow = new Reader();
    feed.add(span(0));
    feed.join(slow);
    slow.busy = true;
    t.strictSame(slow.told(), ['!0']);
    const all = 10 * LIVE.spans;
    for (let id = 1; id <= all; id++) feed.add(span(id));
    slow.busy = false;
    tick();
    const [{ reset, spans } = { reset: false, spans: [] }] = slow.messages;
    t.strictSame([reset, spans.length, spans.at(-1)?.id], [true, LIVE.spans, all]);
    feed.add(span(all + 1));
    slow.told();
    tick();
    t.strictSame(slow.told(), [`${all + 1}`]);
  },
);

await t.test('one that takes nothing for long is ended', async (t) => {
  const { clock, feed, tick } = setUp();
  const [asleep, awake] = [new Reader(), new Reader()];
  feed.join(asleep);
  feed.join(awake);
  asleep.busy = true;
  tick();
  clock.advance(LIVE.readerPatience - LIVE.pageTick);
  t.strictSame([asleep.ended, feed.readers], [0, 2]);
  clock.advance(LIVE.pageTick);
  t.strictSame([asleep.ended, awake.ended, feed.readers], [1, 0, 1]);
});

await t.test('patience begins anew with each message that is taken', async (t) => {
  const { clock, feed, tick } = setUp();
  const reader = new Reader();
  feed.join(reader);
  for (let times = 0; times < 3; times++) {
    reader.busy = true;
    clock.advance(LIVE.readerPatience - LIVE.pageTick);
    reader.busy = false;
    tick();
  }
  t.equal(reader.ended, 0);
  feed.close();
  t.strictSame([reader.ended, feed.readers, clock.pending], [1, 0, 0]);
});
