import t from 'tap';
import { asksForColumns, mayReadFiles } from '../../src/client/source-text.js';

await t.test('inline assembly that reads a file', async (t) => {
  for (const text of [
    'asm(".incbin \\"x\\"");',
    'asm(".include \\"x\\"");',
    'asm(".inc" "bin \\"x\\"");',
    'asm(".incb" "in \\"x\\"");',
    'asm(".incl" "ude \\"x\\"");',
    'asm(".inc\\\nbin");',
    'a.incomplete = 1; asm(".incbin");',
  ]) {
    t.equal(mayReadFiles(Buffer.from(text)), true, text);
  }
});

await t.test('ordinary text', async (t) => {
  for (const text of ['', 'x.increment();', 'p.inc = 1', '#include <a>', 'foo.inc', 'a.incident']) {
    t.equal(mayReadFiles(Buffer.from(text)), false, text);
  }
});

await t.test('what puts column numbers into the object', async (t) => {
  const call = 'static constexpr T current(P p = __builtin_source_location())';
  t.equal(asksForColumns(Buffer.from(call)), true);
  t.equal(asksForColumns(Buffer.from('int column;')), false);
});
