import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { LentTokens } from '../../src/client/lent-tokens.js';
import { DONATION } from '../../src/core/limits.js';
import { ManualClock } from '../fixtures/manual-clock.js';

/** A jobserver of which `tokens` are in the pipe, the others with jobs. */
function setUp() {
  const clock = new ManualClock();
  const state = { tokens: 0, isGone: false, isFull: false, closed: 0, even: 0 };
  const pipe = {
    put() {
      if (!state.isFull) state.tokens++;
      return !state.isFull;
    },
    take() {
      if (state.isGone) return 'gone' as const;
      if (state.tokens === 0) return 'none' as const;
      state.tokens--;
      return 'taken' as const;
    },
    close: () => void state.closed++,
  };
  const lent = new LentTokens(pipe, clock, () => void state.even++);
  return { clock, state, lent };
}

const ALIVE = new AbortController().signal;

/** Whether it has resolved by now. */
async function isSettled(promise: Promise<void>): Promise<boolean> {
  let settled = false;
  void promise.then(() => (settled = true));
  await setImmediate();
  return settled;
}

await t.test('lent, and back at once where nobody took it', async (t) => {
  const { lent, state, clock } = setUp();
  lent.lend();
  t.match([state, lent.lent, lent.debt], [{ tokens: 1, closed: 0 }, 1, 0]);
  t.equal(await isSettled(lent.takeBack(ALIVE)), true);
  t.match(state, { tokens: 0, closed: 1, even: 1 });
  t.equal(clock.pending, 0);
});

await t.test(
  'one leaves with a debt while another lends, and the next lender pays it',
  async (t) => {
    const { lent, state, clock } = setUp();
    lent.lend();
    lent.lend();
    state.tokens = 0; // make has started two jobs
    t.equal(await isSettled(lent.takeBack(ALIVE)), true);
    t.strictSame([lent.lent, lent.debt], [2, 1]);
    lent.lend();
    t.match([state, lent.lent, lent.debt], [{ tokens: 0 }, 2, 0], 'nothing was written');
    t.equal(clock.pending, 0);
    state.tokens = 2; // both jobs have ended
    t.equal(await isSettled(lent.takeBack(ALIVE)), true);
    t.match([state, lent.debt], [{ tokens: 1 }, 0]);
    t.equal(await isSettled(lent.takeBack(ALIVE)), true);
    t.match(state, { tokens: 0, closed: 1, even: 1 });
  },
);

await t.test('a debt is paid as soon as a token is seen', async (t) => {
  const { lent, state, clock } = setUp();
  lent.lend();
  lent.lend();
  state.tokens = 0;
  await lent.takeBack(ALIVE);
  state.tokens = 1;
  t.equal(lent.debt, 1);
  clock.advance(DONATION.lookWhileLent);
  t.match([state, lent.lent, lent.debt], [{ tokens: 0, closed: 0 }, 1, 0]);
  t.equal(clock.pending, 0, 'nobody looks any more');
});

await t.test('the last one waits for its token', async (t) => {
  const { lent, state, clock } = setUp();
  lent.lend();
  state.tokens = 0;
  const back = lent.takeBack(ALIVE);
  clock.advance(DONATION.patience - DONATION.look);
  t.equal(await isSettled(back), false);
  state.tokens = 1;
  clock.advance(DONATION.look);
  t.equal(await isSettled(back), true);
  t.match(state, { tokens: 0, closed: 1, even: 1 });
  t.equal(clock.pending, 0);
});

await t.test('but not longer than that: the token is owed then', async (t) => {
  const { lent, state, clock } = setUp();
  lent.lend();
  state.tokens = 0;
  const back = lent.takeBack(ALIVE);
  clock.advance(DONATION.patience);
  t.equal(await isSettled(back), true);
  t.match([state, lent.debt], [{ closed: 0 }, 1]);
  state.tokens = 3;
  clock.advance(DONATION.look);
  t.match([state, lent.debt], [{ tokens: 2, closed: 1, even: 1 }, 0]);
  t.equal(clock.pending, 0);
});

await t.test('nor when another one lends meanwhile', async (t) => {
  const { lent, state, clock } = setUp();
  lent.lend();
  state.tokens = 0;
  const back = lent.takeBack(ALIVE);
  t.equal(await isSettled(back), false);
  lent.lend();
  t.equal(await isSettled(back), true);
  t.match([state, lent.lent, lent.debt], [{ tokens: 0 }, 1, 0]);
  t.equal(clock.pending, 0);
});

await t.test('a launcher that is killed waits for nothing; what it lent is owed', async (t) => {
  const { lent, state, clock } = setUp();
  const dead = AbortSignal.abort();
  lent.lend();
  lent.lend();
  state.tokens = 0;
  t.equal(await isSettled(lent.takeBack(dead)), true);
  t.equal(await isSettled(lent.takeBack(dead)), true);
  t.equal(lent.debt, 2);
  state.tokens = 2;
  clock.advance(DONATION.look);
  t.match([state, lent.debt], [{ tokens: 0, even: 1 }, 0]);
});

await t.test('killed while it waits', async (t) => {
  const { lent, state } = setUp();
  const gone = new AbortController();
  lent.lend();
  state.tokens = 0;
  const back = lent.takeBack(gone.signal);
  t.equal(await isSettled(back), false);
  gone.abort();
  t.equal(await isSettled(back), true);
  t.equal(lent.debt, 1);
});

await t.test('make has ended: nothing is owed', async (t) => {
  const { lent, state, clock } = setUp();
  lent.lend();
  state.tokens = 0;
  const back = lent.takeBack(ALIVE);
  state.isGone = true;
  clock.advance(DONATION.look);
  t.equal(await isSettled(back), true);
  t.match(state, { closed: 1, even: 1 });
  t.equal(clock.pending, 0);
});

await t.test('what cannot be put is not taken', async (t) => {
  const { lent, state } = setUp();
  state.isFull = true;
  lent.lend();
  t.equal(lent.lent, 0);
  state.tokens = 2;
  t.equal(await isSettled(lent.takeBack(ALIVE)), true);
  t.match(state, { tokens: 2, closed: 1 });
});
