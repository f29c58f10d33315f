import t from 'tap';
import { IncludeBench } from '../fixtures/include-bench.js';
import { compareUnderEdits } from '../fixtures/random-includes.js';

for (const seed of [1, 2, 3]) {
  await t.test(`the answer is always a fresh server's: seed ${seed}`, async (t) => {
    const closures = await compareUnderEdits(new IncludeBench(t), seed, 100);
    t.ok(closures > 20, `${closures} of 100 answers are closures`);
  });
}
