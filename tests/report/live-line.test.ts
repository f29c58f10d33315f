import t from 'tap';
import { describeBuild, describeView, Progress } from '../../src/report/live-line.js';
import { NOON, liveSession, liveView } from '../fixtures/live-views.js';

const pump = (n: number) => ({ pump: n, plain: 0, cache: 0, local: 0 });

await t.test('a build in a line', async (t) => {
  t.equal(describeBuild(liveSession(), NOON), 'build  1m02s  0 done: none');
  t.equal(
    describeBuild(liveSession({ started: NOON - 3_725_000, failed: 1, cancelled: 2 }), NOON),
    'build  1h02m  1 done: 1 failed, 2 interrupted',
  );
  t.equal(
    describeBuild(liveSession({ ended: NOON - 60_000, outcomes: pump(3) }), NOON),
    'build (ended)  2s  3 done: 3 pump',
  );
});

await t.test('a view in a line', async (t) => {
  t.equal(
    describeView(liveView({ sessions: [liveSession({ outcomes: pump(1) })], queued: 2 })),
    '2026-11-27T14:05:12.000Z 0 running, 2 queued; build  1m02s  1 done: 1 pump',
  );
  t.equal(
    describeView(liveView({ daemon: null })),
    '2026-11-27T14:05:12.000Z no session daemon runs',
  );
});

await t.test('progress: the rate is that of the last ten seconds', async (t) => {
  const progress = new Progress(undefined);
  const at = (second: number, done: number) =>
    progress.line(liveSession({ outcomes: pump(done), running: 4 }), 0, NOON + second * 1000);
  t.equal(at(0, 0), 'tscc: 0 done, 4 running');
  t.equal(at(5, 10), 'tscc: 10 done, 4 running, 2.0/s, 10 pump');
  t.equal(at(10, 40), 'tscc: 40 done, 4 running, 4.0/s, 40 pump');
  t.equal(at(16, 40), 'tscc: 40 done, 4 running, 0.0/s, 40 pump', 'since the tenth second');
});

await t.test('progress: the total is that of last time, until there is more', async (t) => {
  const progress = new Progress(12);
  const line = (done: number, queued: number) =>
    progress.line(liveSession({ outcomes: pump(done), running: 1 }), queued, NOON);
  t.equal(line(3, 5), 'tscc: 3 of about 12 done, 1 running, 5 queued, 3 pump');
  t.equal(line(12, 0), 'tscc: 12 of about 12 done, 1 running, 12 pump');
  t.equal(line(13, 0), 'tscc: 13 done, 1 running, 13 pump');
});
