import t from 'tap';
import { Breaker } from '../../src/client/breaker.js';
import { BREAKER } from '../../src/core/scheduling-limits.js';

const even = () => new Breaker(() => 0.5);

function opened(now = 0): Breaker {
  const breaker = even();
  for (let n = 0; n < BREAKER.faults; n++) breaker.fault('nonsense', now);
  return breaker;
}

await t.test('closed: opens after faults in a row, and a job done between forgives', async (t) => {
  const breaker = even();
  for (let n = 1; n < BREAKER.faults; n++) t.equal(breaker.fault('nonsense', 0), false);
  t.equal(breaker.success(), false, 'it was not open');
  for (let n = 1; n < BREAKER.faults; n++) t.equal(breaker.fault('nonsense', 0), false);
  t.strictSame([breaker.state, breaker.why, breaker.until], ['closed', undefined, undefined]);
  t.equal(breaker.mayTry(0), true);
  t.equal(breaker.fault('nonsense', 0), true);
  t.strictSame([breaker.state, breaker.until], ['open', BREAKER.pauseFirst]);
  t.equal(breaker.why, `${BREAKER.faults} faults in a row: nonsense`);
});

await t.test('closed: opens at once when nobody is there', async (t) => {
  const breaker = even();
  breaker.lost('connection refused', 100);
  t.strictSame([breaker.state, breaker.until], ['open', 100 + BREAKER.pauseFirst]);
  t.equal(breaker.why, 'connection refused');
});

await t.test('open: nothing is tried, and what jobs from before say does not count', async (t) => {
  const breaker = opened();
  t.equal(breaker.mayTry(BREAKER.pauseFirst - 1), false);
  t.equal(breaker.fault('nonsense', 10), false);
  t.equal(breaker.success(), false);
  breaker.lost('gone', 10);
  t.strictSame([breaker.state, breaker.until], ['open', BREAKER.pauseFirst]);
});

await t.test('half-open: a probe that succeeds closes it', async (t) => {
  const breaker = opened();
  t.equal(breaker.mayTry(BREAKER.pauseFirst), true);
  t.equal(breaker.state, 'half-open');
  t.match(breaker.why, /nonsense/);
  t.equal(breaker.mayTry(BREAKER.pauseFirst), true, 'asked again');
  t.equal(breaker.success(), true);
  t.equal(breaker.state, 'closed');
});

await t.test('half-open: one fault is enough, and the pause is twice as long', async (t) => {
  const breaker = opened();
  let now = 0;
  let pause: number = BREAKER.pauseFirst;
  for (let n = 0; n < 10; n++) {
    now += pause;
    breaker.mayTry(now);
    t.equal(breaker.fault('again', now), true);
    pause = Math.min(2 * pause, BREAKER.pauseLast);
    t.equal(breaker.until, now + pause);
  }
  t.equal(pause, BREAKER.pauseLast);
  now += pause;
  breaker.mayTry(now);
  breaker.success();
  breaker.lost('gone', now);
  t.equal(breaker.until, now + BREAKER.pauseFirst, 'a job done makes it short again');
});

await t.test('half-open: a greeting closes it, and does not forget the pause', async (t) => {
  const breaker = even();
  breaker.lost('gone', 0);
  breaker.mayTry(BREAKER.pauseFirst);
  breaker.greeted();
  t.equal(breaker.state, 'closed');
  breaker.lost('gone', 1_000);
  t.equal(breaker.until, 1_000 + 2 * BREAKER.pauseFirst, 'it comes and goes');
});

await t.test('pauses differ from client to client, within bounds', async (t) => {
  const untils = [0, 0.5, 1].map((lot) => {
    const breaker = new Breaker(() => lot);
    breaker.lost('gone', 0);
    return breaker.until ?? 0;
  });
  const { pauseFirst, jitter } = BREAKER;
  t.strictSame(untils, [pauseFirst * (1 - jitter), pauseFirst, pauseFirst * (1 + jitter)]);
});
