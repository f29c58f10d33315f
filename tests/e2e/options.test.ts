/** Options that distcc sends to where they mean something else, or refuses, or does not know. */
import t from 'tap';
import { without } from '../fixtures/tools.js';
import { Twins, type ExpectedFate } from '../fixtures/twins.js';

const twins = await Twins.start(t);

const FILES = {
  'x.c': '#include "q.h"\n#include <s.h>\nint x[] = {Q, S, I, M};\nconst char *f = __FILE__;\n',
  'quote/q.h': '#define Q 1\n',
  'system/s.h': '#define S 2\n',
  'i.h': '#define I 3\n',
  'm.h': '#define M 4\nthis is left out\n',
  'macros.s': '.macro nothing\n.endm\n',
  'data.bin': 'data',
  'reads.c': 'asm(".incbin \\"data.bin\\"");\n',
  'spells.c': 'asm(".inc" "lude \\"macros.s\\"");\n',
  'text.txt': 'int class;\n',
  'y.c': 'int y(int a) { return a + 1; }\n',
};

/** What x.c needs to find its headers. */
const SEARCH = '-iquote quote -isystem system -include i.h -imacros m.h';

const GCC: readonly (readonly [words: string, fate: ExpectedFate])[] = [
  // Read by the preprocessor here, and not sent.
  [`${SEARCH} -c x.c`, 'sent'],
  [`-iquotequote -idirafter system --include i.h --imacros=m.h -undef -c x.c`, 'sent'],
  [`-nostdinc -iprefix ./ -iwithprefix system ${SEARCH} -c x.c`, 'sent'],
  [`-ffile-prefix-map=x=y -fmacro-prefix-map=y=z ${SEARCH} -c x.c`, 'sent'],
  ['-g -fdebug-prefix-map="$PWD"=/elsewhere -c y.c', 'sent'],
  // The language in one word, in two, and taken back.
  ['-xc -c text.txt -o text.o', 'sent'],
  ['-xc++ -c y.c', 'sent'],
  ['-xc++ -x none -c y.c', 'sent'],
  // The assembler reads these here.
  ['-Wa,macros.s -c y.c', 'decline option:-Wa,'],
  ['-c reads.c', { plain: 'decline assembler-reads-file', pump: 'pump' }],
  ['-c spells.c', { plain: 'decline assembler-reads-file', pump: 'pump' }],
  // What depends on this machine, on files of it, or on the link.
  ['-march=native -c y.c', 'decline native-cpu'],
  ['-flto=auto -frandom-seed=1 -c y.c', { plain: 'decline lto', pump: 'pump' }],
  ['-flto -fno-lto -c y.c', 'sent'],
  ['-fprofile-use -Wno-missing-profile -c y.c', 'decline profile-use'],
  // Unknown, or of two words on other machines.
  ['-G 0 -c y.c', 'decline option:-G'],
  ['-arch x86_64 -arch i386 -c y.c', 'decline option:-arch'],
  ['-frepo -c y.c', 'decline option:-frepo'],
];

const CLANG: readonly (readonly [words: string, fate: ExpectedFate])[] = [
  [`${SEARCH} -c x.c`, 'sent'],
  ['--target=aarch64-linux-gnu -O2 -c y.c', 'sent'],
  ['-include-pch absent.pch -c y.c', 'decline pch'],
  ['-Xclang -fno-validate-pch -c y.c', 'decline option:-Xclang'],
  ['-flto=thin -c y.c', { plain: 'decline lto', pump: 'pump' }],
  ['-fprofile-instr-use=absent.profdata -c y.c', 'decline profile-use'],
  // The whole command as it was spelled gets into the object.
  ['-g -grecord-gcc-switches -c y.c', 'decline option:-grecord-gcc-switches'],
  [
    '-frecord-gcc-switches -c y.c',
    {
      plain: 'decline option:-frecord-gcc-switches',
      pump: 'decline option:-frecord-command-line',
    },
  ],
];

/** Another machine's compiler, by a name with the machine in it. */
const CROSS: readonly (readonly [words: string, fate: ExpectedFate])[] = [
  [`-mcpu=cortex-a72 -O2 ${SEARCH} -c x.c`, 'sent'],
  ['-mcpu=native -c y.c', 'decline native-cpu'],
];

for (const [compiler, cases] of [
  ['gcc', GCC],
  ['clang', CLANG],
  ['aarch64-linux-gnu-gcc', CROSS],
] as const) {
  await t.test(compiler, { skip: without(compiler) }, async (t) => {
    for (const [words, fate] of cases) {
      await twins.compare(t, `$CC ${words}`, fate, { files: FILES }, compiler);
    }
  });
}

/** distcc#62: the file beside the working directory, with another target. */
await t.test('dependency files', async (t) => {
  const files = { 'src/x.y.c': '#include "h.h"\nint x = N;\n', 'src/h.h': '#define N 1\n' };
  const cases: [line: string, file: string, fate?: ExpectedFate][] = [
    ['$CC -MD -c src/x.y.c', 'x.y.d'],
    ['$CC -MD -c src/x.y.c -o obj/o.o', 'obj/o.d'],
    ['cd obj && $CC -MMD -MP -S ../src/x.y.c -oo', 'obj/o.d'],
    ['$CC -MD -MF obj/f -MT "a b" -MQ "c\\$d" -c src/x.y.c', 'obj/f'],
    ['$CC -Wp,-MMD,obj/.o.o.d -c src/x.y.c -o obj/o.o', 'obj/.o.o.d'],
    ['DEPENDENCIES_OUTPUT=e $CC -c src/x.y.c', 'e', 'decline environment:DEPENDENCIES_OUTPUT'],
    ['$CC -MD -MF absent/x.d -c src/x.y.c', 'src/h.h', 'decline output-unwritable'],
    ['$CC -MD -MF /dev/stdout -c src/x.y.c', 'src/h.h', 'decline output-special'],
    [
      'echo old >x.y.d && $CC -MD -DN=y -c src/x.y.c',
      'x.y.d',
      { plain: 'decline preprocess-diagnostics', pump: 'pump' },
    ],
    [
      'echo old >x.y.d && $CC -MD -Dint=y -c src/x.y.c',
      'x.y.d',
      { plain: 'fallback plain-diagnostics', pump: 'fallback compile-error' },
    ],
  ];
  for (const [line, file, fate] of cases) {
    const run = await twins.compare(t, `mkdir obj && ${line}`, fate ?? 'sent', { files });
    t.ok(file in run.files, line);
  }
});

await t.test('how they ran', (t) => twins.checkFates(t));
