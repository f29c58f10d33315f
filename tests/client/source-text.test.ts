import t from 'tap';
import { mayReadFiles, needsFullExpansion } from '../../src/client/source-text.js';

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

await t.test('macros that must be expanded here', async (t) => {
  t.equal(needsFullExpansion(Buffer.from('puts(__DATE__);')), true);
  t.equal(needsFullExpansion(Buffer.from('puts(__BASE_FILE__);')), true);
  t.equal(needsFullExpansion(Buffer.from('puts(__FILE__);')), false);
});
