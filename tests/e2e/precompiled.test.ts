/**
 * Precompiled headers: servers make their own from the recipe of the one that stands here, so that
 * what uses it goes out and is the same; one whose recipe nobody knows is for the compiler here.
 */
import t from 'tap';
import { Twins } from '../fixtures/twins.js';

const twins = await Twins.start(t);
twins.host.env['TSCC_MODE'] = 'pump';

const FILES = {
  'p.h':
    '#include "deep.h"\n#include <stddef.h>\nstatic inline int twice(int a) { return 2 * a; }\n',
  'deep.h': '#define DEEP sizeof(size_t)\nextern const char *where;\n',
  'x.c': '#include "p.h"\nint x(void) { return twice(DEEP); }\nconst char *f = __FILE__;\n',
  'y.c': 'int y(void) { return twice(DEEP) + 1; }\n',
  'inc/.keep': '',
};
/** What is in them differs from run to run. */
const REMOVE = '; s=$?; rm -f *.gch */*.gch; exit $s';

await t.test('a header beside its precompiled one', async (t) => {
  for (const [make, use] of [
    ['$CC -g p.h', '$CC -g -MD -Winvalid-pch -c x.c'],
    ['$CC -O2 -x c-header p.h -o inc/p.h.gch', '$CC -O2 -Iinc -I. -include p.h -MMD -c y.c'],
    ['$CC -O2 -MD -MF p.d -c p.h -o p.h.gch', '$CC -O2 -include ./p.h -S y.c'],
    // Not for these options: each compiler says so, and reads the header.
    ['$CC -O2 p.h', '$CC -O2 -fPIC -g -DMORE -Winvalid-pch -c x.c'],
  ] as const) {
    const line = `${make} && ${use} && ls . inc${REMOVE}`;
    const { status, stdout } = await twins.compare(t, line, ['decline pch', 'pump'], {
      files: FILES,
    });
    t.match({ status, stdout }, { status: 0, stdout: /p\.h\.gch/ }, line);
  }
});

await t.test('it is made again when a header has changed', async (t) => {
  const make = '$CC -O1 p.h && $CC -O1 -c x.c -o';
  const line = `${make} 1.o && echo '#define twice(a) (3 * (a))' >>p.h && ${make} 2.o${REMOVE}`;
  const fates = ['decline pch', 'pump', 'decline pch', 'pump'] as const;
  const { files } = await twins.compare(t, line, fates, { files: FILES });
  t.not(files['1.o'], files['2.o']);
});

await t.test('it is known to a daemon that has not seen it made', async (t) => {
  const stop = 'case $CC in tscc*) tscc stop >/dev/null;; esac';
  const line = `$CC -O2 p.h && ${stop}; $CC -O2 -MD -c x.c && $CC -O2 -c x.c -o y.o${REMOVE}`;
  const fates = ['decline pch', 'pump', 'pump'] as const;
  t.match(await twins.compare(t, line, fates, { files: FILES }), { status: 0 });
  const changed = `$CC -O2 p.h && ${stop}; echo 'int new;' >>deep.h; $CC -O2 -c x.c${REMOVE}`;
  const here = ['decline pch', 'decline pch-present'] as const;
  t.match(await twins.compare(t, changed, here, { files: FILES }), { status: 0 });
  const swapped = `$CC -O2 p.h && ${stop}; gcc -O2 -DN p.h; $CC -O2 -DN -c x.c${REMOVE}`;
  t.match(await twins.compare(t, swapped, here, { files: FILES }), { status: 0 });
});

await t.test('whoever uses one that is out of date gets what is in it', async (t) => {
  const make = '$CC -O1 p.h && echo "#error new" >>deep.h && ';
  const line = `${make}$CC -O1 -c x.c${REMOVE}`;
  const fates = ['decline pch', 'decline pch-present'] as const;
  t.match(await twins.compare(t, line, fates, { files: FILES }), { status: 0 });
});

await t.test('one that tscc has not seen made', async (t) => {
  for (const make of [
    'gcc -O1 p.h',
    'echo nonsense >p.h.gch',
    'mkdir p.h.gch && gcc -O1 p.h -o p.h.gch/a',
  ]) {
    const line = `${make} && $CC -O1 -c x.c; s=$?; rm -r p.h.gch; exit $s`;
    t.match(await twins.compare(t, line, 'decline pch-present', { files: FILES }), { status: 0 });
  }
  const swapped = `$CC -O1 p.h && gcc -O1 -Dtwice=thrice p.h && $CC -O1 -Dtwice=thrice -c x.c${REMOVE}`;
  const fates = ['decline pch', 'decline pch-present'] as const;
  t.match(await twins.compare(t, swapped, fates, { files: FILES }), { status: 0 });
});

await t.test('one with the time in it is the one that was made here', async (t) => {
  const files = { ...FILES, 'deep.h': 'static const char *when = __TIME__;\n#define DEEP *when\n' };
  const line = `$CC p.h && $CC -c x.c && rm x.o${REMOVE}`;
  const fates = ['decline pch', 'decline pch-present'] as const;
  t.match(await twins.compare(t, line, fates, { files }), { status: 0 });
  const fixed = `export SOURCE_DATE_EPOCH=9; $CC p.h && $CC -c x.c${REMOVE}`;
  t.match(await twins.compare(t, fixed, ['decline pch', 'pump'], { files }), { status: 0 });
});

await t.test('headers that cannot be compiled', async (t) => {
  const files = { 'p.h': '#error stop\n', 'x.c': 'int x;\n' };
  const line = '$CC p.h; s=$?; $CC -c x.c && rm -f *.gch; exit $s';
  t.match(await twins.compare(t, line, ['decline pch', 'pump'], { files }), { status: 1 });
});

await t.test('how they ran', (t) => twins.checkFates(t));
