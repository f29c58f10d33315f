import t from 'tap';
import { MiB } from '../../src/core/byte-units.js';
import { ADMISSION } from '../../src/core/scheduling-limits.js';
import { memoryKeys, MemoryUse } from '../../src/server/memory-use.js';

const keys = (unit: string, kind = 'c -O2') => ({ unit, kind });

await t.test('the source, else its kind, else what is usual', async (t) => {
  const use = new MemoryUse();
  t.equal(use.predict(keys('a')), ADMISSION.unknown);
  use.learn(keys('a'), 100 * MiB);
  t.equal(use.predict(keys('a')), 100 * MiB * ADMISSION.room);
  t.equal(use.predict(keys('b')), 100 * MiB);
  t.equal(use.predict(keys('b', 'c++ -O2')), ADMISSION.unknown);
});

await t.test('a kind takes nearly as much as its largest of late', async (t) => {
  const use = new MemoryUse();
  for (const [unit, size] of Object.entries({ a: 50, b: 900, c: 40 })) {
    use.learn(keys(unit), size * MiB);
  }
  t.ok(use.predict(keys('d')) > 850 * MiB);
  for (let n = 0; n < 300; n++) use.learn(keys(`small${n}`), 40 * MiB);
  t.ok(use.predict(keys('d')) < 45 * MiB, 'and it is forgotten in the end');
  t.equal(use.predict(keys('b')), 900 * MiB * ADMISSION.room, 'which the source itself is not');
});

await t.test('bounded: what was not seen for long goes', async (t) => {
  const use = new MemoryUse();
  use.learn(keys('kept'), 10 * MiB);
  use.learn(keys('gone'), 20 * MiB);
  for (let n = 2; n < ADMISSION.units; n++) use.learn(keys(`${n}`), 10 * MiB);
  use.learn(keys('kept'), 10 * MiB);
  use.learn(keys('one more'), 10 * MiB);
  t.equal(use.predict(keys('kept')), 10 * MiB * ADMISSION.room);
  t.not(use.predict(keys('gone')), 20 * MiB * ADMISSION.room);
});

await t.test('kinds differ by language and by the options that matter', async (t) => {
  const kind = (options: [string, string | null][], language = 'c') =>
    memoryKeys('u', language, options).kind;
  t.equal(
    kind([['-O', '2']]),
    kind([
      ['-O', '2'],
      ['-Wall', null],
    ]),
  );
  t.not(kind([['-O', '2']]), kind([['-O', '0']]));
  t.not(
    kind([['-O', '2']]),
    kind([
      ['-O', '2'],
      ['-g', null],
    ]),
  );
  t.not(kind([]), kind([], 'c++'));
});
