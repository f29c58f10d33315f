import t from 'tap';
import { hashText, mix32 } from '../../src/core/text-hash.js';

await t.test('safe integers, all different for texts that are alike', async (t) => {
  const seen = new Set<number>();
  for (let n = 0; n < 20_000; n++) {
    const hash = hashText(`/home/builder/project\0src/module-${n}.o`);
    if (!Number.isSafeInteger(hash) || hash < 0) t.fail(`${hash} is no safe integer`);
    seen.add(hash);
  }
  t.equal(seen.size, 20_000);
});

await t.test('the same in every process', async (t) => {
  t.equal(hashText('/src\0a.o'), hashText(['/src', 'a.o'].join('\0')));
  t.not(hashText('ab'), hashText('ba'));
});

await t.test('mixing spreads over all bits', async (t) => {
  const ones = Array.from({ length: 32 }, () => 0);
  for (let n = 0; n < 2_000; n++) {
    const bits = mix32(n);
    for (let bit = 0; bit < 32; bit++) ones[bit] = (ones[bit] ?? 0) + ((bits >>> bit) & 1);
  }
  for (const count of ones) t.ok(count > 800 && count < 1_200, `${count} of 2000`);
});
