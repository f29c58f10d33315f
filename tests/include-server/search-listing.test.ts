import t from 'tap';
import { parseSearchListing } from '../../src/include-server/search-listing.js';

const listing = (...lines: string[]): ReturnType<typeof parseSearchListing> =>
  parseSearchListing(`${lines.join('\n')}\n`);
const QUOTE = '#include "..." search starts here:';
const ANGLE = '#include <...> search starts here:';
const END = 'End of search list.';

await t.test('all that is said', async (t) => {
  t.strictSame(
    listing(
      'Found candidate GCC installation: /usr/lib/gcc/x86_64-linux-gnu/12',
      'ignoring nonexistent directory "/with "quotes""',
      'ignoring duplicate directory "."',
      '  as it is a non-system directory that duplicates a system directory',
      QUOTE,
      ' a b',
      ANGLE,
      '  leading space',
      ' /usr/include',
      END,
      '# 1 "/dev/null"',
    ),
    {
      quote: ['a b'],
      angle: [' leading space', '/usr/include'],
      missing: ['/with "quotes"'],
      duplicates: ['.'],
      installations: ['/usr/lib/gcc/x86_64-linux-gnu/12'],
    },
  );
});

await t.test('nothing in it', async (t) => {
  t.match(listing(QUOTE, ANGLE, END), { quote: [], angle: [] });
  t.match(listing(QUOTE, END), { quote: [], angle: [] }, 'Clang leaves a line out');
  t.match(listing(QUOTE, ' a', END), { quote: ['a'], angle: [] });
});

await t.test('directories of #embed are others', async (t) => {
  const said = listing(
    QUOTE,
    ANGLE,
    ' /usr/include',
    '#embed <...> search starts here:',
    ' e',
    END,
  );
  t.strictSame(said?.angle, ['/usr/include']);
});

await t.test('what is no listing of plain directories', async (t) => {
  t.equal(listing(), undefined);
  t.equal(listing(QUOTE, ANGLE, ' /usr/include'), undefined, 'cut off');
  t.equal(listing(ANGLE, ' /usr/include', END), undefined);
  t.equal(listing(QUOTE, ANGLE, ' /Frameworks (framework directory)', END), undefined);
  t.equal(listing(QUOTE, ' x.hmap (headermap)', ANGLE, END), undefined);
  t.equal(listing(QUOTE, ANGLE, 'cc1: warning: something', END), undefined);
});

await t.test('what the compiler says besides', async (t) => {
  const full = [QUOTE, ANGLE, ' a', END] as const;
  t.equal(listing('cc1: error: x/y: Not a directory', ...full), undefined);
  t.equal(listing('cc1: warning: x: not a directory', ...full), undefined);
  const other = 'cc1: error: code model kernel does not support PIC mode';
  t.strictSame(listing(...full, other)?.angle, ['a'], 'of other options, and after the list');
});
