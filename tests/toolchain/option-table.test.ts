import t from 'tap';
import * as families from '../../src/toolchain/options/families.generated.js';
import { optionTable, REMOTE_OPTIONS } from '../../src/toolchain/options/option-table.js';
import { runIn } from '../fixtures/commands.js';

await t.test('the longest name wins', async (t) => {
  const table = optionTable('gcc');
  const match = (word: string): unknown => {
    const found = table.match(word);
    return found && [found.spec.name, found.value, found.takesNextWord];
  };
  t.strictSame(match('-Wall'), ['-W', 'all', false]);
  t.strictSame(match('-W'), ['-W', '', false]);
  t.strictSame(match('-Wa,-x'), ['-Wa,', '-x', false]);
  t.strictSame(match('-o'), ['-o', undefined, true]);
  t.strictSame(match('-oa=b'), ['-o', 'a=b', false]);
  t.strictSame(match('-includeh.h'), ['-include', 'h.h', false]);
  t.strictSame(match('-idirafter'), ['-idirafter', undefined, true]);
  t.strictSame(match('-fno-builtin-memcpy'), ['-fno-builtin-', 'memcpy', false]);
  t.strictSame(match('-fno-builtin'), ['-fno-builtin', undefined, false]);
  t.strictSame(match('-mno-sse'), ['-mno-sse', undefined, false]);
  t.strictSame(match('-dumpversion'), ['-dumpversion', undefined, false]);
  t.strictSame(match('-dumpdir'), ['-dumpdir', undefined, true]);
  t.strictSame(match('-dD'), ['-d', 'D', false]);
  t.strictSame(match('-ffoo'), undefined);
  t.strictSame(match('-Xclang'), undefined, 'Clang has it, GCC does not');
  t.strictSame(match('--optimize'), ['-O', '', false]);
  t.strictSame(match('--all-warnings'), ['-W', 'all', false]);
});

await t.test('an option means the same to either compiler', async (t) => {
  const different = optionTable('clang')
    .specs()
    .filter(({ name, value }) => {
      const other = optionTable('gcc').spec(name);
      return REMOTE_OPTIONS.has(name) && other !== undefined && other.value !== value;
    });
  t.strictSame(different, [], 'values are checked in one way');
});

await t.test('the generated families are sorted and hold no path or program', async (t) => {
  for (const [name, list] of Object.entries(families)) {
    const words = list.trim().split(/\s+/);
    t.strictSame(
      words,
      [...new Set(words)].toSorted((a, b) => (a < b ? -1 : 1)),
      name,
    );
    if (name === 'GCC_PARAMETERS') continue;
    const doubtful =
      /plugin|module|profile|dump|-file=|-dir(?!ect)|(?:^f|-)lto|record-gcc|report|^f?wrapper|native/;
    t.strictSame(
      words.filter((word) => doubtful.test(word)),
      [],
      name,
    );
  }
});

await t.test('each GCC option that may be sent is one that GCC has', async (t) => {
  const flags = [...REMOTE_OPTIONS.values()].filter(
    ({ name, value }) =>
      value === 'none' && /^-f(?!no-)/.test(name) && optionTable('gcc').spec(name),
  );
  t.ok(flags.length > 300, `${flags.length} flags`);
  // One run of the driver names all that it does not know. It may refuse a combination besides.
  const { stderr } = runIn('/', [
    'gcc',
    '-###',
    '-c',
    '-x',
    'c',
    '/dev/null',
    ...flags.map((f) => f.name),
  ]);
  const unknown = [...stderr.matchAll(/unrecognized command-line option '([^']+)'/g)].map(
    (m) => m[1],
  );
  // GCC 11 had these and GCC 12 has not, or the other way round.
  t.ok(unknown.length <= 10, unknown.join(' '));
});
