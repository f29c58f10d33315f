import t from 'tap';
import { LocalSlots } from '../../src/client/local-slots.js';

const never = new AbortController().signal;

await t.test('first come, first served, and never more than the limit', async (t) => {
  const slots = new LocalSlots({ compile: 1, preprocess: 1, other: 1 });
  const order: string[] = [];
  const first = await slots.acquire('compile', never);
  const second = slots.acquire('compile', never).then((slot) => {
    order.push('second');
    return slot;
  });
  const third = slots.acquire('compile', never).then((slot) => {
    order.push('third');
    return slot;
  });
  t.equal(slots.waiting('compile'), 2);
  t.equal(slots.tryAcquire('compile'), undefined);
  first.release();
  (await second).release();
  (await third).release();
  t.strictSame(order, ['second', 'third']);
  t.equal(slots.used('compile'), 0);
});

await t.test('pools do not starve each other', async (t) => {
  const slots = new LocalSlots({ compile: 1, preprocess: 1, other: 1 });
  await slots.acquire('compile', never);
  t.ok(slots.tryAcquire('preprocess'));
  t.ok(slots.tryAcquire('other'));
});

await t.test('releasing twice frees one slot', async (t) => {
  const slots = new LocalSlots({ compile: 2, preprocess: 1, other: 1 });
  const one = await slots.acquire('compile', never);
  await slots.acquire('compile', never);
  one.release();
  one.release();
  t.equal(slots.used('compile'), 1);
});

await t.test('who leaves the queue is not served', async (t) => {
  const slots = new LocalSlots({ compile: 1, preprocess: 1, other: 1 });
  const held = await slots.acquire('compile', never);
  const leaving = new AbortController();
  const left = slots.acquire('compile', leaving.signal);
  const stays = slots.acquire('compile', never);
  leaving.abort(new Error('gone'));
  await t.rejects(left, { message: 'gone' });
  held.release();
  (await stays).release();
  t.equal(slots.used('compile'), 0);
  await t.rejects(
    (async () => {
      await slots.acquire('compile', never);
      await slots.acquire('compile', leaving.signal);
    })(),
    { message: 'gone' },
    'a signal that was aborted before',
  );
});

await t.test('a larger limit serves who waits', async (t) => {
  const slots = new LocalSlots({ compile: 1, preprocess: 1, other: 1 });
  await slots.acquire('compile', never);
  const waiting = slots.acquire('compile', never);
  slots.setLimit('compile', 2);
  t.ok(await waiting);
  slots.setLimit('compile', undefined);
  t.equal(slots.tryAcquire('compile'), undefined, 'the usual limit again');
});
