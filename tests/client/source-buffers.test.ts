import t from 'tap';
import { SourceBuffers } from '../../src/client/source-buffers.js';
import { DAEMON } from '../../src/core/limits.js';

await t.test('a buffer that was given back is taken again, where it is large enough', async (t) => {
  const buffers = new SourceBuffers();
  const first = buffers.take(300_000);
  t.equal(first.length, 300_000);
  buffers.give(first);
  const larger = buffers.take(600_000);
  t.not(larger.buffer, first.buffer);
  const again = buffers.take(10);
  t.equal(again.buffer, first.buffer);
  t.equal(again.length, 10);
  t.not(buffers.take(10).buffer, first.buffer, 'it is in use');
});

await t.test('what is not ours is not given to others', async (t) => {
  const buffers = new SourceBuffers();
  const foreign = Buffer.from('part of a pool that others use as well');
  buffers.give(foreign);
  t.not(buffers.take(10).buffer, foreign.buffer);
});

await t.test('only so much is kept', async (t) => {
  const buffers = new SourceBuffers();
  const half = [1, 2, 3].map(() => buffers.take(DAEMON.freeSourceBytes / 2));
  for (const buffer of half) buffers.give(buffer);
  const taken = new Set(half.map(() => buffers.take(1).buffer));
  t.equal(half.filter(({ buffer }) => taken.has(buffer)).length, 2);
});
