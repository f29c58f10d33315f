import t from 'tap';
import { ADMISSION } from '../../src/core/scheduling-limits.js';
import { MemoryRoom } from '../../src/server/memory-room.js';
import { ManualClock } from '../fixtures/manual-clock.js';

const { kept, growth, look, patience } = ADMISSION;
const SIZE = 100;

/** With room for so many compiles of SIZE bytes. */
function setUp(compiles: number) {
  const clock = new ManualClock();
  const stage = { clock, available: kept + compiles * SIZE, retries: 0 };
  const room = new MemoryRoom(
    () => stage.available,
    clock,
    () => stage.retries++,
  );
  return { stage, clock, room };
}

await t.test('as many as fit, counting what was promised a moment ago', async (t) => {
  const { room } = setUp(2);
  t.equal(room.enter({}, SIZE, 0), true);
  t.equal(room.enter({}, SIZE, 1), true);
  t.equal(room.enter({}, SIZE, 2), false);
});

await t.test('one is always let in, however large', async (t) => {
  const { room } = setUp(0);
  t.equal(room.enter({}, 1_000 * SIZE, 0), true);
  t.equal(room.enter({}, SIZE, 1), false);
});

await t.test('what has ended takes nothing any more', async (t) => {
  const { room } = setUp(1);
  const first = {};
  room.enter(first, SIZE, 0);
  t.equal(room.enter({}, SIZE, 1), false);
  room.leave(first);
  t.equal(room.enter({}, SIZE, 1), true);
});

await t.test('what runs for a while is in the figures', async (t) => {
  const { stage, clock, room } = setUp(1);
  room.enter({}, SIZE, 0);
  clock.advance(growth);
  t.equal(room.enter({}, SIZE, 1), true, 'it took less than was thought');
  stage.available = kept;
  clock.advance(growth);
  t.equal(room.enter({}, SIZE, 2), false);
});

await t.test('who is not let in is asked again, and in the end let in', async (t) => {
  const { stage, clock, room } = setUp(0);
  t.equal(room.enter({}, SIZE, 1), false);
  t.equal(room.enter({}, SIZE, 1), false);
  t.equal(clock.pending, 1, 'one timer for all');
  clock.advance(look);
  t.equal(stage.retries, 1);
  clock.advance(patience - look - 1);
  t.equal(room.enter({}, SIZE, 1), false);
  clock.advance(1);
  t.equal(room.enter({}, SIZE, 1), true);
  t.equal(room.enter({}, SIZE, 2), false, 'the next one waits as long');
  room.close();
  t.equal(clock.pending, 0);
});
