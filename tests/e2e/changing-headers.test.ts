/**
 * Headers that come, change and go while a build runs: each compile sees what it would see here at
 * that moment, and none is done here for it.
 */
import t from 'tap';
import { Twins } from '../fixtures/twins.js';

const twins = await Twins.start(t, '127.0.0.1');
twins.host.env['TSCC_MODE'] = 'pump';

/** Two compiles of x.c with a change between them. */
const twice = (change: string, options = '') =>
  `$CC ${options} -c x.c -o 1.o && ${change} && $CC ${options} -c x.c -o 2.o`;

const INCLUDES = '#include "h.h"\nint x = X;\n';
const PROBES = '#if __has_include("h.h")\n#include "h.h"\n#else\n#define X 7\n#endif\nint x = X;\n';

const cases: readonly {
  readonly name: string;
  readonly line: string;
  readonly files: Readonly<Record<string, string>>;
  readonly compiles?: number;
}[] = [
  {
    name: 'created',
    line: '$CC -c a.c && echo "#define X 1" > h.h && $CC -c x.c',
    files: { 'a.c': 'int a;\n', 'x.c': INCLUDES },
  },
  {
    name: 'rewritten with equal size at once',
    line: twice('echo "#define X 2" > h.h'),
    files: { 'x.c': INCLUDES, 'h.h': '#define X 1\n' },
  },
  {
    name: 'rewritten with equal size and times',
    line: twice('cp -p h.h old && echo "#define X 2" > h.h && touch -r old h.h && rm old'),
    files: { 'x.c': INCLUDES, 'h.h': '#define X 1\n' },
  },
  {
    name: 'replaced by a rename, with equal size and times',
    line: twice('echo "#define X 2" > n && touch -r h.h n && mv n h.h'),
    files: { 'x.c': INCLUDES, 'h.h': '#define X 1\n' },
  },
  {
    name: 'shadowed by a new one',
    line: twice('mkdir -p a && echo "#define X 2" > a/h.h', '-Ia -Ib'),
    files: { 'x.c': '#include <h.h>\nint x = X;\n', 'b/h.h': '#define X 1\n', 'a/other.h': '' },
  },
  {
    name: 'shadowed in a directory that comes into being',
    line: twice('mkdir a && echo "#define X 2" > a/h.h', '-Ia -Ib'),
    files: { 'x.c': '#include <h.h>\nint x = X;\n', 'b/h.h': '#define X 1\n' },
  },
  {
    name: 'deleted, so that another is found',
    line: twice('rm a/h.h', '-Ia -Ib'),
    files: {
      'x.c': '#include <h.h>\nint x = X;\n',
      'a/h.h': '#define X 1\n',
      'b/h.h': '#define X 2\n',
    },
  },
  {
    name: 'deleted with its directory',
    line: twice('rm -r a', '-Ia -Ib'),
    files: {
      'x.c': '#include <h.h>\nint x = X;\n',
      'a/h.h': '#define X 1\n',
      'b/h.h': '#define X 2\n',
    },
  },
  {
    name: 'deleted, and probed for',
    line: twice('rm h.h'),
    files: { 'x.c': PROBES, 'h.h': '#define X 1\n' },
  },
  {
    name: 'renamed away and back, and probed for',
    line: `${twice('mv h.h g.h')} && mv g.h h.h && $CC -c x.c -o 3.o`,
    files: { 'x.c': PROBES, 'h.h': '#define X 1\n' },
    compiles: 3,
  },
  {
    name: 'probed for before it is there',
    line: twice('echo "#define X 1" > h.h'),
    files: { 'x.c': PROBES },
  },
  {
    name: 'moved to another directory',
    line: twice('mv a/h.h b/h.h', '-Ia -Ib'),
    files: {
      'x.c': '#include <h.h>\nint x = X + sizeof __FILE__;\n',
      'a/h.h': '#define X 1\nstatic const char *where = __FILE__;\n',
      'b/other.h': '',
    },
  },
  {
    name: 'replaced by a link to another',
    line: twice('ln -sf g.h h.h'),
    files: { 'x.c': INCLUDES, 'h.h': '#define X 1\n', 'g.h': '#define X 2\n' },
  },
  {
    name: 'a link that comes to lead elsewhere',
    line: `ln -s g.h h.h && ${twice('ln -sf f.h h.h')}`,
    files: { 'x.c': INCLUDES, 'f.h': '#define X 1\n', 'g.h': '#define X 2\n' },
  },
  {
    name: 'a directory that is replaced by a link, and comes back',
    line: `${twice('mv a c && ln -s b a', '-Ia')} && rm a && mv c a && $CC -Ia -c x.c -o 3.o`,
    files: {
      'x.c': '#include <h.h>\nint x = X;\n',
      'a/h.h': '#define X 1\n',
      'b/h.h': '#define X 2\n',
    },
    compiles: 3,
  },
  {
    name: 'an ancestor that is renamed',
    line: twice('mv p q && mkdir -p p/i && echo "#define X 2" > p/i/h.h', '-Ip/i'),
    files: { 'x.c': '#include <h.h>\nint x = X;\n', 'p/i/h.h': '#define X 1\n' },
  },
  {
    name: 'written through another name',
    line: `ln h.h other && ${twice('echo "#define X 2" > other')}`,
    files: { 'x.c': INCLUDES, 'h.h': '#define X 1\n' },
  },
  {
    name: 'by two generators at once, and both used',
    line: 'make -s -j4 CC="$CC"',
    files: {
      Makefile:
        'all: a.o b.o c.o\na.h: ; sleep 0.1; echo "#define A 1" > $@\n' +
        'b.h: ; sleep 0.1; echo "#define B 2" > $@\na.o: a.h\nb.o: b.h\nc.o: a.h b.h\n',
      'a.c': '#include "a.h"\nint a = A;\n',
      'b.c': '#include "b.h"\nint b = B;\n',
      'c.c': '#include "a.h"\n#include "b.h"\nint c = A + B;\n',
    },
    compiles: 3,
  },
  {
    name: 'by a generator that writes the same again while compiles are under way',
    line:
      '(for i in 1 2 3 4 5 6 7 8; do echo "#define X 1" > n; mv n h.h; done) & ' +
      'for i in 1 2 3 4; do $CC -c x.c -o $i.o || exit 1; done; wait',
    files: { 'x.c': INCLUDES, 'h.h': '#define X 1\n' },
    compiles: 4,
  },
];

for (const { name, line, files, compiles = 2 } of cases) {
  await t.test(name, async (t) => {
    const fates = Array.from({ length: compiles }, () => 'pump' as const);
    await twins.compare(t, line, fates, { files });
  });
}

await t.test('none of them was done here, or in another mode', async (t) => {
  await twins.checkFates(t);
  const status = await twins.host.status();
  t.match(status, { outcomes: { plain: 0, local: 0 }, fallbacks: {}, demotions: {} });
});
