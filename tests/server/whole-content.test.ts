import t from 'tap';
import { WholeContent } from '../../src/server/whole-content.js';

const never = new AbortController().signal;

await t.test('arrives in any pieces, before or after it is waited for', async (t) => {
  const content = new WholeContent(6, 'too much');
  content.add(Buffer.from('ab'));
  const arrived = content.arrived(never);
  content.add(Buffer.alloc(0));
  content.add(Buffer.from('cdef'));
  t.equal(Buffer.from(await arrived).toString(), 'abcdef');
  t.equal((await content.arrived(never)).length, 6);
  t.same(await new WholeContent(0, '').arrived(never), Buffer.alloc(0));
});

await t.test('more than was announced is an offence', async (t) => {
  const content = new WholeContent(2, 'more source than announced');
  content.add(Buffer.from('ab'));
  t.throws(() => content.add(Buffer.from('c')), /more source than announced/);
});

await t.test('who waits is told of an abort', async (t) => {
  const stop = new AbortController();
  const arrived = new WholeContent(2, '').arrived(stop.signal);
  stop.abort();
  await t.rejects(arrived, { name: 'AbortError' });
});
