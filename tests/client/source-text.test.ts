import t from 'tap';
import { asksForColumns, mayReadFiles, withName } from '../../src/client/source-text.js';

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

await t.test('a source that came preprocessed keeps its name', async (t) => {
  const named = (source: string, name: string) =>
    withName(Buffer.from(source), name).toString('latin1');
  t.equal(named('int x;', 'dir/x.i'), '# 1 "dir/x.i"\nint x;');
  t.equal(named('int x;', 'a"b\\c.i'), '# 1 "a\\"b\\\\c.i"\nint x;');
  t.equal(named('# 0 "x.c"\nint x;', 'x.i'), '# 0 "x.c"\nint x;');
});
