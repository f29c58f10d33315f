import t from 'tap';
import { layersToMerge } from '../../src/server/tree-merge.js';

// What layers show after merging is compared in client-tree-random.test.ts.

/** Layers of one file each, pushed and merged as a tree does. */
function push(count: number, most: number) {
  let sizes: number[] = [600];
  let [deepest, written] = [0, 0];
  for (let pushed = 0; pushed < count; pushed++) {
    sizes = [1, ...sizes];
    const merged = layersToMerge(sizes, most);
    const sum = sizes.slice(0, merged).reduce((all, size) => all + size, 0);
    written += sum;
    if (merged > 0) sizes = [sum, ...sizes.slice(merged)];
    deepest = Math.max(deepest, sizes.length);
  }
  return { sizes, deepest, writtenPerEntry: written / count };
}

await t.test('few layers do for many entries, and each is written a few times', async (t) => {
  for (const count of [10, 100, 1000, 10_000]) {
    const { deepest, sizes, writtenPerEntry } = push(count, 6);
    t.ok(deepest <= 6, `${count} entries: ${sizes.join(' ')}`);
    t.equal(
      sizes.reduce((all, size) => all + size),
      600 + count,
    );
    t.ok(writtenPerEntry < 3 * Math.log2(count), `${writtenPerEntry} times`);
  }
});

await t.test('as many as may stay do stay', async (t) => {
  t.equal(layersToMerge([1, 1, 1], 3), 0);
  t.equal(layersToMerge([1, 1, 1], 2), 3);
  t.equal(layersToMerge([1, 1, 1000], 2), 2);
  t.equal(layersToMerge([1000, 1, 1], 2), 3, 'a large one on small ones takes them in');
});
