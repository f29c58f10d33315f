import t from 'tap';
import { dueAfter, Stragglers } from '../../src/client/stragglers.js';
import { STRAGGLER } from '../../src/core/scheduling-limits.js';
import { ManualClock } from '../fixtures/manual-clock.js';

function setUp() {
  const clock = new ManualClock();
  const stage = { clock, isIdle: true, hasRoom: true, raced: 0 };
  const stragglers = new Stragglers(clock, () => stage.isIdle);
  const compile = (expected?: number) => ({
    since: clock.monotonic(),
    expected,
    race() {
      if (stage.hasRoom) stage.raced++;
      return stage.hasRoom;
    },
  });
  return { clock, stage, stragglers, compile };
}

const { interval, least, ofExpected, ofMedian, leastSamples } = STRAGGLER;

await t.test('when a compile is one', async (t) => {
  t.equal(dueAfter(undefined, undefined), Infinity, 'nothing tells');
  t.equal(dueAfter(1, undefined), least);
  t.equal(dueAfter(least, 1), least * ofExpected, 'what it took itself counts more');
  t.equal(dueAfter(undefined, least), least * ofMedian);
  t.equal(dueAfter(undefined, 1), least);
});

await t.test('raced once, when it is due', async (t) => {
  const { clock, stage, stragglers, compile } = setUp();
  stragglers.add(compile(1_000));
  stragglers.add(compile());
  clock.advance(1_000 * ofExpected - 1);
  t.equal(stage.raced, 0);
  clock.advance(interval);
  t.equal(stage.raced, 1);
  clock.advance(100_000);
  t.equal(stage.raced, 1);
});

await t.test('not while others wait, and not where no host is idle', async (t) => {
  const { clock, stage, stragglers, compile } = setUp();
  stragglers.add(compile(1));
  stage.isIdle = false;
  clock.advance(2 * least);
  t.equal(stage.raced, 0);
  stage.isIdle = true;
  stage.hasRoom = false;
  clock.advance(interval);
  t.equal(stage.raced, 0);
  stage.hasRoom = true;
  clock.advance(interval);
  t.equal(stage.raced, 1);
});

await t.test('without history the median tells, once there is one', async (t) => {
  const { clock, stage, stragglers, compile } = setUp();
  for (let n = 1; n < leastSamples; n++) stragglers.took(1_000);
  stragglers.add(compile());
  clock.advance(1_000 * ofMedian + interval);
  t.equal(stage.raced, 0);
  stragglers.took(100_000);
  clock.advance(interval);
  t.equal(stage.raced, 1, 'one that took long does not matter');
});

await t.test('no timer without a compile', async (t) => {
  const { clock, stragglers, compile } = setUp();
  const one = compile(1_000);
  stragglers.add(one);
  t.equal(clock.pending, 1);
  stragglers.remove(one);
  t.equal(clock.pending, 0);
  stragglers.add(compile(1));
  clock.advance(2 * least);
  t.equal(clock.pending, 0, 'nor when all are raced');
});
