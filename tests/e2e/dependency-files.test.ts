/** Dependency files are the compiler's own, in its place (distcc#62: beside the working directory). */
import t from 'tap';
import { Twins, type Fate } from '../fixtures/twins.js';

const twins = await Twins.start(t);

const FILES = {
  'src/x.y.c': '#include <stddef.h>\n#include "h.h"\nsize_t x = N;\n',
  'src/h.h': '#define N 1\n',
  'obj/.keep': '',
};

await t.test('content, name and place', async (t) => {
  const cases: [line: string, file: string, fate?: Fate][] = [
    ['$CC -MD -c src/x.y.c', 'x.y.d'],
    ['$CC -MD -c src/x.y.c -o obj/o.o', 'obj/o.d'],
    ['$CC -MMD -MP -c src/x.y.c -oobj/o', 'obj/o.d'],
    ['cd obj && $CC -MMD -c ../src/x.y.c', 'obj/x.y.d'],
    ['cd obj && $CC -MD -S ../src/x.y.c -o ../o.s', 'o.d'],
    ['$CC -MD -MF obj/f -MT "a b" -MQ "c\\$d" -c src/x.y.c', 'obj/f'],
    ['$CC -Wp,-MMD,obj/.o.o.d -c src/x.y.c -o obj/o.o', 'obj/.o.o.d'],
    ['$CC -Wp,-MD,obj/w -MT q -c src/x.y.c -o obj/o.o', 'obj/w'],
    [
      'DEPENDENCIES_OUTPUT=obj/e $CC -c src/x.y.c',
      'obj/e',
      'decline environment:DEPENDENCIES_OUTPUT',
    ],
    [
      'SUNPRO_DEPENDENCIES="obj/e o" $CC -c src/x.y.c',
      'obj/e',
      'decline environment:SUNPRO_DEPENDENCIES',
    ],
  ];
  for (const [line, file, fate] of cases) {
    const { files } = await twins.compare(t, line, fate ?? 'plain', { files: FILES });
    t.ok(file in files, line);
  }
});

await t.test('a compile that fails leaves what the compiler leaves', async (t) => {
  const files = { 'x.c': 'int x = y;\n', 'z.c': '#include "absent.h"\n', 'x.d': 'old' };
  await twins.compare(t, '$CC -MD -c x.c', 'fallback plain-diagnostics', { files });
  await twins.compare(t, '$CC -MD -MF x.d -c z.c', 'decline preprocess-diagnostics', { files });
});

await t.test('what makes no sense', async (t) => {
  const cases: [string, Fate][] = [
    ['-MF x.d', 'decline option:-MF'],
    ['-MG -MD', 'decline option:-MG'],
    ['-MD -MF absent/x.d', 'decline output-unwritable'],
    ['-MD -MF /dev/stdout', 'decline output-special'],
  ];
  for (const [words, fate] of cases) await twins.compare(t, `$CC ${words} -c x.c`, fate);
});

await t.test('how they ran', (t) => twins.checkFates(t));
