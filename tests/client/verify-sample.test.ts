import t from 'tap';
import { isSampled } from '../../src/client/verify-sample.js';

await t.test('about so many of a thousand, by session and output', async (t) => {
  const sampled = (n: number, session: string) =>
    Array.from({ length: 5_000 }, (_, i) => `/w/${i}.o`).filter((path) =>
      isSampled(n, session, path),
    );
  t.strictSame(sampled(0, 'a'), []);
  t.equal(sampled(1_000, 'a').length, 5_000);
  const some = sampled(100, 'a');
  t.ok(some.length > 400 && some.length < 600, String(some.length));
  t.strictSame(sampled(100, 'a'), some);
  t.notSame(sampled(100, 'b'), some);
  t.ok(
    some.every((path) => isSampled(200, 'a', path)),
    'a larger sample has the smaller one',
  );
});
