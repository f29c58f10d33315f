/** Commands that compile no file, and sources out of the ordinary: as without tscc, byte for byte. */
import t from 'tap';
import { Twins, type ExpectedFate } from '../fixtures/twins.js';

const twins = await Twins.start(t);

await t.test('standard input', async (t) => {
  const input = 'int main(void) { return 3; }\n';
  const fate = 'other stdin';
  await twins.compare(t, '$CC -x c -c - -o x.o', fate, { input });
  await twins.compare(t, '$CC -O2 -xc -S - -o -', fate, { input });
  await twins.compare(t, '$CC -x c -c -MD -MF x.d - -o x.o', fate, { input });
  await twins.compare(t, '$CC -x c - -o x && ./x', fate, { input });
  await twins.compare(t, 'echo "int y;" | $CC -xc -c -o y.o -', fate);
  await twins.compare(t, '$CC -c -', fate, { input: 'gcc wants to be told the language\n' });
  await twins.compare(t, '$CC -E -dM -x c - | sort | head -50', 'other preprocess', { input });
  await twins.compare(
    t,
    '$CC -E -x c - | $CC -x cpp-output -c - -o x.o',
    ['other preprocess', fate],
    { input },
  );
});

await t.test('questions', async (t) => {
  const files = { 'x.c': '#include "h.h"\nint x = N;\n', 'h.h': '#define N 1\n' };
  const cases: [string, ExpectedFate][] = [
    ['$CC --version', 'other query'],
    ['$CC -v', 'other query'],
    ['$CC -dumpversion', 'other query'],
    ['$CC -print-search-dirs', 'other query'],
    ['$CC -print-prog-name=as', 'other query'],
    ['$CC -print-multi-lib -c x.c', 'other query'],
    // Names of temporaries differ from run to run.
    ["$CC -### -O2 -c x.c 2>&1 | sed 's|/tmp/cc[^ .]*|TEMPORARY|g'", 'other query'],
    ['$CC -E x.c', 'other preprocess'],
    ['$CC -E -P -o x.i x.c', 'other preprocess'],
    ['$CC -M -MF x.d x.c', 'other dependencies'],
    ['$CC -fsyntax-only x.c', 'decline option:-fsyntax-only'],
    ['$CC', 'other no-input'],
    ['$CC -c', 'other no-input'],
    ['$CC -c absent.c', 'decline unreadable-input'],
    ['$CC -c x.c -o absent/x.o', 'decline output-unwritable'],
  ];
  for (const [line, fate] of cases) await twins.compare(t, line, fate, { files });
});

const SOURCES: readonly (readonly [what: string, source: string])[] = [
  ['empty', ''],
  ['200,000 lines', 'extern int x;\n'.repeat(200_000)],
  ['one line of a megabyte', `const char s[] = "${'x'.repeat(1_000_000)}";\n`],
  ['carriage returns', '#define X \\\r\n 1\r\nint x = X;\r\n'],
  ['text that is not UTF-8', '/* caf\xe9 */ const char *s = "\xff\xc3\xa9\x80";\n'],
  // distcc 3.4 encodes it twice in pump mode.
  ['text that is', 'const char *s = "\xc3\xa9\xe2\x82\xac"; int *w = (int *)L"\xc3\xa9";\n'],
  ['a mark of byte order', '\xef\xbb\xbfint x;\n'],
  ['line markers of its own', '#line 7 "/y.c"\nconst char *f = __FILE__; int l = __LINE__;\n'],
];

await t.test('sources', async (t) => {
  for (const [what, source] of SOURCES) {
    await t.test(what, async (t) => {
      const files = { 'x.c': source };
      t.match(await twins.compare(t, '$CC -c -MD x.c', 'sent', { files }), { status: 0 });
    });
  }
});

await t.test('a source with a NUL is warned of, by the compiler', async (t) => {
  const files = { 'x.c': 'int x;\0\n' };
  const { stderr } = await twins.compare(
    t,
    '$CC -c x.c',
    { plain: 'decline preprocess-diagnostics', pump: 'pump' },
    {
      files,
    },
  );
  t.match(stderr, /null character/);
});

await t.test('sources by relative and absolute paths, and headers beside them', async (t) => {
  const files = {
    'src/x.c': '#include "h.h"\n#include "../top.h"\nconst char *f[] = {__FILE__, H, TOP};\n',
    'src/h.h': '#define H __FILE__\n',
    'top.h': '#define TOP __FILE__\n',
    'obj/.keep': '',
  };
  for (const line of [
    '$CC -MMD -c src/x.c',
    '$CC -MMD -c ./src/../src/x.c -o obj/x.o',
    '$CC -MMD -c "$PWD/src/x.c" -o "$PWD/obj/x.o"',
    'cd src && $CC -MMD -c x.c -o ../obj/x.o',
    'cd obj && $CC -MMD -c ../src/x.c',
    'cd obj && $CC -MMD -c "$OLDPWD/src/x.c"',
    'ln -s src link && $CC -MMD -c link/x.c -o obj/x.o',
    'ln -s obj link && $CC -MMD -c src/x.c -o link/x.o',
    'ln -s src/x.c y.c && $CC -Isrc -Iobj -MMD -c y.c',
  ]) {
    t.match(await twins.compare(t, line, 'sent', { files }), { status: 0 });
  }
});

await t.test('fifty at once', async (t) => {
  const names = Array.from({ length: 50 }, (_, n) => `x${n}`);
  const files = Object.fromEntries(
    names.map((name, n) => [`${name}.c`, `int ${name}(int a) { return a + ${n}; }\n`]),
  );
  // Each status counts, and the order in which they end does not.
  const line = 'for c in *.c; do { $CC -S $c || echo "$c fails"; } & done; wait; ls *.s | wc -l';
  const fates = names.map(() => 'sent' as const);
  t.match(await twins.compare(t, line, fates, { files }), { stdout: '50\n', stderr: '' });
});

await t.test('how they ran', (t) => twins.checkFates(t));
