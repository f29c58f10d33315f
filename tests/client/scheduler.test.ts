import t from 'tap';
import { chooseHost, type HostChoice } from '../../src/client/scheduler.js';

const host = (item: string, over: Partial<HostChoice<string>> = {}): HostChoice<string> => ({
  item,
  slots: 4,
  weight: 1,
  mine: 0,
  others: 0,
  ...over,
});

await t.test('the least loaded, counted per slot', async (t) => {
  t.equal(chooseHost([host('a', { mine: 2 }), host('b', { mine: 1 })]), 'b');
  t.equal(chooseHost([host('a', { mine: 2 }), host('b', { slots: 16, mine: 5 })]), 'b');
  t.equal(chooseHost([host('a', { others: 3 }), host('b', { mine: 2 })]), 'b');
});

await t.test('the first of equals, so that the order of the list is a preference', async (t) => {
  t.equal(chooseHost([host('a'), host('b')]), 'a');
});

await t.test('weight', async (t) => {
  t.equal(chooseHost([host('a'), host('b', { weight: 2 })]), 'b');
});

await t.test('one more than its slots, then it is full', async (t) => {
  t.equal(chooseHost([host('a', { mine: 4 })]), 'a');
  t.equal(chooseHost([host('a', { mine: 5 })]), undefined);
  t.equal(chooseHost([host('a', { slots: 0 })]), undefined);
  t.equal(chooseHost([]), undefined);
});
