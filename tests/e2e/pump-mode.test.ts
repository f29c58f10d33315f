/** Pump mode: each compile is made elsewhere as it would be made here, byte for byte. */
import t from 'tap';
import { without } from '../fixtures/tools.js';
import { Twins } from '../fixtures/twins.js';

const twins = await Twins.start(t, '127.0.0.1');
twins.host.env['TSCC_MODE'] = 'pump';
// Timestamps of headers matter to #pragma once, and nothing else here.
const C = `#include <stdio.h>
#include <errno.h>
#include "inc/a.h"
#pragma once_more
int main(int argc, char **argv)
{
  unsigned u = argc;
  for (int i = 0; i < u; i++) printf("%s %s %d\\n", argv[i], __FILE__, MINE(i));
  switch (argc) { case 1: puts("one"); /* fall through */ case 2: puts("two"); }
  return errno;
}
`;
const FILES = {
  'x.c': C,
  'inc/a.h': '#pragma once\n#include "b.h"\n#define MINE(x) B(x)\n',
  'inc/b.h': '#define B(x) ((x) + __LINE__)\n',
  'sub/y.cc':
    '#include <map>\n#include <string>\n#include "../inc/a.h"\nstd::map<std::string, int> m{{"a", MINE(1)}};\n',
  's.S': '#include "inc/b.h"\n.globl f\nf: mov $B(1), %eax\n.incbin "inc/a.h"\nret\n',
  'p.s': '.globl g\ng: ret\n.include "inc.s"\n',
  'inc.s': '.byte 1\n',
};

const lines = [
  '$CC -c x.c',
  '$CC -g -O2 -Wall -Wextra -c x.c -o out.o',
  '$CC -g3 -O2 -MD -c x.c',
  '$CC -O2 -MMD -MP -MT odd -MF deps/x.d -c x.c -o deps/x.o',
  '$CC -O2 -Wp,-MMD,deps/.x.o.d -c x.c -o deps/x.o',
  '$CC -S -fverbose-asm x.c',
  '$CC -g -grecord-gcc-switches -fdebug-prefix-map=$PWD=/src -c x.c',
  '$CC -O2 -fstack-usage -c x.c',
  '$CC --coverage -frandom-seed=1 -c x.c',
  '$CC -g -gsplit-dwarf -c x.c',
  '$CC -fsanitize=undefined,address -g -c x.c',
  '$CC -flto -frandom-seed=1 -c x.c',
  '$CC -DMORE=1 -I inc -include b.h -include inc/a.h -c x.c',
  '$CC -x c++ -fpermissive -w -c x.c -o as-c++.o',
  'cd sub && $CC -I.. -c ../x.c -o ../sub/x.o',
  'mkdir -p deep && ln -s ../inc deep/linked && $CC -Ideep/linked -g -c x.c',
  '$CC -g -c s.S',
  '$CC -g -c p.s',
  '$CC -Wa,--noexecstack -c p.s',
  'SOURCE_DATE_EPOCH=1 $CC -c x.c',
  'LC_ALL=C.UTF-8 $CC -Wall -Wextra -fdiagnostics-color=always -c x.c',
  'umask 077; $CC -MD -c x.c',
  '$CC -c $PWD/x.c',
];

for (const line of lines) {
  await t.test(line, async (t) => {
    const made = `mkdir -p deps && ${line}`;
    await twins.compare(t, made, 'pump', { files: FILES });
  });
}

await t.test('C++', async (t) => {
  for (const line of ['$CC -c sub/y.cc', '$CC -g -O2 -std=c++20 -MD -c sub/y.cc -o y.o']) {
    await twins.compare(t, line, 'pump', { files: FILES }, 'g++');
  }
});

await t.test('headers with equal contents are two files, one with two names is one', async (t) => {
  const twin = '#pragma once\nconst char *NAME(v, __COUNTER__) = __FILE__;\n';
  const x = '#define NAME_(a, b) a##b\n#define NAME(a, b) NAME_(a, b)\n';
  const includes = '#include "a/h.h"\n#include "b/h.h"\n';
  const files = { 'x.c': x + includes, 'a/h.h': twin, 'b/h.h': twin };
  const times = 'touch -d @1 a/h.h; touch -d @2 b/h.h';
  for (const [compiler, hardLinks] of [
    ['gcc', 'pump'],
    ['clang', 'decline hard-links'],
  ] as const) {
    if (without(compiler)) continue;
    for (const line of ['touch -d @1 */h.h', times, 'touch */h.h', 'ln -sf ../a/h.h b/h.h']) {
      await twins.compare(t, `${line}; $CC -g -MD -c x.c`, 'pump', { files }, compiler);
    }
    const linked = 'ln -f a/h.h b/h.h; $CC -g -MD -c x.c';
    await twins.compare(t, linked, hardLinks, { files }, compiler);
  }
});

await t.test('a compile that fails is told once, by the local compiler', async (t) => {
  const files = { 'x.c': '#include "missing.h"\n', 'y.c': 'int y = "text" * 2;\n' };
  await twins.compare(t, '$CC -c x.c', 'fallback compile-error', { files });
  await twins.compare(t, '$CC -c y.c', 'fallback compile-error', { files });
});

await t.test('what ties a result to a time is done here', async (t) => {
  const files = { 'x.c': '#include "t.h"\n', 't.h': 'char t[] = __TIMESTAMP__;\n' };
  await twins.compare(t, 'touch -d @1 t.h; $CC -c x.c', 'fallback date-time', { files });
  const unused = { ...files, 'x.c': '#if 0\n#include "t.h"\n#endif\nint x;\n' };
  await twins.compare(t, '$CC -c x.c', 'pump', { files: unused });
});

await t.test('all of them went out as said', async (t) => {
  await twins.checkFates(t);
});
