/**
 * What an object knows of where, when and how it was made: in pump mode it is what the local
 * compiler would have written, or the compile stays here by a name.
 */
import t from 'tap';
import { without } from '../fixtures/tools.js';
import { Twins, type ExpectedFate, type TwinOptions } from '../fixtures/twins.js';

const twins = await Twins.start(t);
twins.host.env['TSCC_MODE'] = 'pump';

type Case = readonly [line: string, fate?: ExpectedFate];

/** Runs each line as it is and through tscc; all of them succeed. */
async function compareAll(
  name: string,
  cases: readonly Case[],
  options: TwinOptions,
  compiler = 'gcc',
): Promise<void> {
  await t.test(name, { skip: without(compiler) }, async (t) => {
    for (const [line, fate = 'pump'] of cases) {
      t.match(await twins.compare(t, line, fate, options, compiler), { status: 0 }, line);
    }
  });
}

const CLOCK = {
  files: {
    'date.c': 'const char *d = __DATE__;\n',
    'time.c': '#include "time.h"\nconst char *d = NOW;\n',
    'time.h': '#define NOW __TIME__\n',
    'stamp.c': '#include "time.h"\nconst char *d = __TIMESTAMP__;\n',
    // Neither the word in a comment nor a file that is only probed asks for the time.
    'none.c': '#if __has_include("time.h")\nint x;\n#endif\n',
    'unread.c': '#ifdef NEVER\n#include "time.h"\n#endif\nint x;\n',
  },
};

await compareAll(
  'the time of the compile',
  [
    // Two runs differ, so only that it was done here can be compared.
    ['$CC -c date.c && rm date.o', 'fallback date-time'],
    ['$CC -c time.c && rm time.o', 'fallback date-time'],
    ['touch -d @1000000000 stamp.c && $CC -c stamp.c', 'fallback date-time'],
    ['SOURCE_DATE_EPOCH=1 $CC -c date.c'],
    ['SOURCE_DATE_EPOCH=1000000000 TZ=Asia/Tokyo $CC -c time.c'],
    ['touch -d @1 stamp.c && SOURCE_DATE_EPOCH=9 $CC -c stamp.c', 'fallback date-time'],
    ['$CC -c none.c'],
    ['$CC -MD -c unread.c'],
    ['$CC -MMD -c unread.c', 'fallback date-time'],
  ],
  CLOCK,
);

const TREE = {
  files: {
    'src/x.c':
      '#include "h.h"\n#include <s.h>\n#include "../inc/./h2.h"\nextern int printf(const char *, ...);\n' +
      'const char *f[] = {__FILE__, __BASE_FILE__, H, S, H2};\nint g(int a) { return a + 1; }\n',
    'src/h.h': '#pragma once\n#define H __FILE__\n',
    'inc/h.h': '#pragma once\n#define OTHER 1\n',
    'inc/h2.h': '#define H2 __FILE__ "2"\n',
    'sys/s.h': '#define S __FILE__\n',
    'o/.keep': '',
  },
};
const SEARCH = '-isystem sys -Iinc';

await compareAll(
  'names of files and directories',
  [
    [`$CC -g ${SEARCH} -c src/x.c -o o/x.o`],
    [`$CC -g -isystem $PWD/sys/../sys -c "$PWD"/src/../src/x.c -o o/x.o`],
    [`cd o && $CC -g -isystem ../sys -c ../src/x.c`],
    [`ln -s src link && $CC -g ${SEARCH} -c link/x.c -o o/x.o`],
    [`ln -s . here && cd here/here && $CC -g ${SEARCH} -c src/x.c -o o/x.o`],
    [`ln -s "$PWD" o/there && cd o/there && $CC -g3 ${SEARCH} -c "$PWD/src/x.c" -o o/x.o`],
    [`TMPDIR=$PWD/o $CC -g -pipe ${SEARCH} -c src/x.c -o o/x.o`],
  ],
  TREE,
);

await compareAll(
  'prefix maps and recorded switches',
  [
    [`$CC -g ${SEARCH} -fdebug-prefix-map=$PWD=. -c src/x.c`],
    [`$CC -g ${SEARCH} -ffile-prefix-map=src=/a -ffile-prefix-map=$PWD=/b -c src/x.c`],
    [`$CC -g ${SEARCH} -fmacro-prefix-map=sys=/m -c src/x.c`],
    [`$CC -g -gno-record-gcc-switches ${SEARCH} -c src/x.c`],
    [`$CC -g -frecord-gcc-switches -mtune=generic ${SEARCH} -c src/x.c`],
    [`$CC -g -gsplit-dwarf -fdebug-prefix-map=$PWD=/b ${SEARCH} -c src/x.c -o o/x.y.o`],
    [`$CC -g -gsplit-dwarf ${SEARCH} -c "$PWD/src/x.c"`],
  ],
  TREE,
);

await compareAll(
  'instrumented code',
  [
    [`$CC --coverage -frandom-seed=7 ${SEARCH} -c src/x.c -o o/x.o`],
    [`$CC --coverage -fprofile-abs-path -frandom-seed=7 ${SEARCH} -c src/x.c`],
    [`$CC -fprofile-arcs -fprofile-dir=o -frandom-seed=7 ${SEARCH} -c src/x.c`],
    [`$CC -fprofile-arcs -fprofile-prefix-map=$PWD=/b -frandom-seed=7 ${SEARCH} -c src/x.c`],
    [`$CC -flto -frandom-seed=7 -O2 ${SEARCH} -c src/x.c`],
    [`$CC -flto -ffat-lto-objects -frandom-seed=7 -g ${SEARCH} -c src/x.c`],
    [`$CC -fsanitize=address,undefined -fno-sanitize-recover=all ${SEARCH} -c src/x.c`],
    [`$CC -pg -finstrument-functions ${SEARCH} -c src/x.c`],
  ],
  TREE,
);

await compareAll(
  'once is once, by time and content',
  [
    [`touch -d @5 src/h.h inc/h2.h inc/h.h && $CC -g ${SEARCH} -include inc/h.h -c src/x.c`],
    [`cp src/h.h inc/h.h && touch -d @5 */h.h && $CC -include inc/h.h ${SEARCH} -c src/x.c`],
    [`cp src/h.h inc/h.h && touch -d @6 inc/h.h && $CC -include inc/h.h ${SEARCH} -c src/x.c`],
    [`ln -sf ../src/h.h inc/h.h && $CC -include inc/h.h ${SEARCH} -c src/x.c`],
  ],
  TREE,
);

await compareAll(
  'directories, machines and nothing at all',
  [
    [`$CC -Wmissing-include-dirs -Iabsent -isystem absent2 ${SEARCH} -c src/x.c`],
    [`touch file && $CC -I file ${SEARCH} -c src/x.c`, 'decline preprocess-diagnostics'],
    [`$CC -include /dev/null -MD ${SEARCH} -c src/x.c`],
    [`$CC -m32 -march=i686 ${SEARCH} -c src/x.c`],
    [`$CC -O2 -mtune=native ${SEARCH} -c src/x.c`, 'decline native-cpu'],
  ],
  TREE,
);

await compareAll(
  'lists of what sanitizers leave alone',
  [
    [
      '$CC -fsanitize=address -fsanitize-ignorelist=list -c x.c',
      'decline option:-fsanitize-ignorelist=',
    ],
    ['$CC -fsanitize=address -g -c x.c'],
  ],
  { files: { list: 'fun:g\n', 'x.c': 'int g(int *a) { return a[1]; }\n' } },
  'clang',
);

await t.test('how they ran', (t) => twins.checkFates(t));
