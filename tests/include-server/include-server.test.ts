import { chmodSync, linkSync, rmSync } from 'node:fs';
import t from 'tap';
import { INCLUDES } from '../../src/core/include-limits.js';
import { IncludeBench } from '../fixtures/include-bench.js';

await t.test('all branches of all conditionals count', async (t) => {
  const bench = new IncludeBench(t).write({
    'x.c': '#if 0\n#include "a.h"\n#else\n#include <b.h>\n#endif\n',
    'a.h': '#include "missing.h"\n',
    'i/b.h': '#include "c.h"\n',
    'i/c.h': '#include "b.h"\n',
  });
  t.same(await bench.files('x.c -Ii'), ['a.h', 'i/b.h', 'i/c.h', 'x.c']);
});

await t.test('"x" is looked for beside its includer, <x> is not', async (t) => {
  const bench = new IncludeBench(t).write({
    'x.c': '#include <a.h>\n',
    'a.h': '',
    'i/a.h': '#include "b.h"\n#include <b.h>\n',
    'i/b.h': '',
    'j/b.h': '',
  });
  t.same(await bench.files('x.c -iquote. -Ij -Ii'), ['i/a.h', 'i/b.h', 'j/b.h', 'x.c']);
});

await t.test('#include_next goes on where the file was found', async (t) => {
  const bench = new IncludeBench(t).write({
    'x.c': '#include <a.h>\n',
    'i/a.h': '#include_next <a.h>\n',
    'j/a.h': '#include_next <a.h>\n',
    'k/a.h': '',
  });
  t.same(await bench.files('x.c -Ii -Ij -Ik'), ['i/a.h', 'j/a.h', 'k/a.h', 'x.c']);
  t.same(await bench.files('x.c -Ij -Ik'), ['j/a.h', 'k/a.h', 'x.c']);
});

await t.test('what is only probed is there, and what it names is not', async (t) => {
  const bench = new IncludeBench(t).write({
    'x.c': '#if __has_include("a.h")\nint a;\n#endif\n',
    'a.h': '#include "b.h"\n',
    'b.h': '',
  });
  t.same(await bench.files('x.c'), ['a.h', 'x.c']);
});

await t.test('names that macros decide, in as many rounds as it takes', async (t) => {
  const bench = new IncludeBench(t).write({
    'x.c': '#include FIRST\n#include SECOND\n#include NEVER_DEFINED\n',
    'config.h': '#define SECOND <names.h>\n#define DIRECTORY sub\n',
    'i/names.h': '#define NAME(x) #x\n#define PATH(d) NAME(d/deep.h)\n#include PATH(DIRECTORY)\n',
    'i/sub/deep.h': '',
  });
  t.same(await bench.files('x.c -Ii -DFIRST="config.h"'), [
    'config.h',
    'i/names.h',
    'i/sub/deep.h',
    'x.c',
  ]);
});

await t.test('what the command line includes', async (t) => {
  const bench = new IncludeBench(t).write({
    'x.c': '',
    'pre.h': '',
    'i/macros.h': '#include "more.h"\n',
    'i/more.h': '',
  });
  t.same(await bench.files('x.c -Ii -include pre.h -imacros macros.h'), [
    'i/macros.h',
    'i/more.h',
    'pre.h',
    'x.c',
  ]);
});

await t.test('files that the assembler reads', async (t) => {
  const bench = new IncludeBench(t).write({
    'x.c': 'asm(".incbin \\"data.bin\\"");\nasm(".include \\"more.s\\"");\n',
    'data.bin': '#include "not.h"\n',
    'i/more.s': '.incbin "deep.bin"\n',
    'deep.bin': '',
    'not.h': '',
    'y.c': '#define NAME(x) asm(".incbin " #x)\nNAME(data.bin);\n',
  });
  t.same(await bench.files('x.c -Ii'), ['data.bin', 'deep.bin', 'i/more.s', 'x.c']);
  t.equal(await bench.files('y.c'), 'assembler-reads-file');
});

await t.test('files whose lines messages show, from the working directory alone', async (t) => {
  const bench = new IncludeBench(t).write({
    'x.c': '#include "i/a.h"\n#line 1 "x.y"\n#line 1 "absent.y"\n#line 1 "i"\n',
    'i/a.h': '# 1 "b.y" 1\n',
    'i/b.y': '',
    'b.y': '#include "not.h"\n',
    'x.y': '',
    'not.h': '',
  });
  t.same(await bench.files('x.c -Ii'), ['b.y', 'i/a.h', 'x.c', 'x.y']);
});

await t.test('symbolic links and .. on the way', async (t) => {
  const bench = new IncludeBench(t).write({
    'x.c': '#include "link/../up.h"\n#include <a.h>\n',
    'far/away/in.h': '',
    'far/up.h': '',
    link: '@far/away',
    include: '@far/headers',
    'far/headers/a.h': '@real.h',
    'far/headers/real.h': '',
  });
  const answer = await bench.ask(bench.server(false), 'x.c -Iinclude');
  if (answer.kind !== 'closure') return t.fail(answer.why.reason);
  const { files, symlinks, directories } = answer.closure;
  t.same([...files.keys()].map((path) => bench.below(path)).toSorted(), [
    'far/headers/real.h',
    'far/up.h',
    'x.c',
  ]);
  t.same([...symlinks].map(([link, target]) => `${bench.below(link)} ${target}`).toSorted(), [
    'far/headers/a.h real.h',
    'include far/headers',
    'link far/away',
  ]);
  t.ok(directories.has(`${bench.root}/far/away`), 'link/.. leads through it');
  return undefined;
});

await t.test('paths where a name was looked for in vain', async (t) => {
  const bench = new IncludeBench(t).write({
    'x.c': '#include "a.h"\n#include "none.h"\n',
    'i/keep': '',
    'j/a.h': '',
  });
  const answer = await bench.ask(bench.server(false), 'x.c -Ii -Ij');
  if (answer.kind !== 'closure') return t.fail(answer.why.reason);
  const absent = [...answer.closure.absences].map((path) => bench.below(path)).toSorted();
  t.same(absent, ['a.h', 'i/a.h', 'i/none.h', 'j/none.h', 'none.h']);
  return undefined;
});

await t.test('what stands in the way', async (t) => {
  const bench = new IncludeBench(t).write({
    'x.c': '#include "a.h"\n',
    'a.h': '',
    'a.h.gch/c++': '',
    'y.c': '#include __FILE__\n#define F(x) <x __COUNTER__>\n#include F(a)\n',
  });
  t.equal(await bench.files('x.c'), 'pch-present');
  t.equal(await bench.files('y.c'), 'computed-include');
  t.equal(await bench.files('none.c'), 'unreadable-input');
  rmSync(`${bench.root}/a.h.gch`, { recursive: true });
  t.same(await bench.files('x.c'), ['a.h', 'x.c']);
});

await t.test('precompiled headers that the compiler may open', async (t) => {
  const bench = new IncludeBench(t).write({
    'x.c': '#include <a.h>\n#include <b.h>\n',
    'i/a.h.gch': '',
    'j/a.h': '#include "b.h"\n',
    'j/b.h': '',
    'real.gch': '',
    'j/b.h.gch': '@../real.gch',
  });
  for (const watched of [false, true]) {
    const answer = await bench.ask(bench.server(watched), 'x.c -Ii -Ij');
    if (answer.kind !== 'closure') return t.fail(answer.why.reason);
    const { precompiled, files, symlinks } = answer.closure;
    t.same(precompiled.map((path) => bench.below(path)).toSorted(), ['i/a.h.gch', 'real.gch']);
    t.same([...files.keys()].map((path) => bench.below(path)).toSorted(), [
      'j/a.h',
      'j/b.h',
      'x.c',
    ]);
    t.same([...symlinks.values()], ['../real.gch']);
  }
  return undefined;
});

await t.test('headers that are one file', async (t) => {
  const bench = new IncludeBench(t).write({ 'x.c': '#include "a.h"\n#include "b.h"\n', 'a.h': '' });
  linkSync(`${bench.root}/a.h`, `${bench.root}/b.h`);
  t.same(await bench.files('x.c'), ['a.h', 'b.h', 'x.c'], 'GCC goes by their names');
  t.equal(await bench.files('x.c', bench.server(false), 'clang'), 'hard-links', 'Clang does not');
});

await t.test('a header that comes between two questions', async (t) => {
  for (const watched of [true, false]) {
    const bench = new IncludeBench(t).write({
      'x.c': '#include "a.h"\n#include <b.h>\n',
      'j/b.h': '',
    });
    const server = bench.server(watched);
    t.same(await bench.files('x.c -Ii -Ij', server), ['j/b.h', 'x.c']);
    bench.write({ 'a.h': '#include "c.h"\n' });
    t.same(await bench.files('x.c -Ii -Ij', server), ['a.h', 'j/b.h', 'x.c']);
    bench.write({ 'c.h': '', 'i/b.h': '' });
    t.same(await bench.files('x.c -Ii -Ij', server), ['a.h', 'c.h', 'i/b.h', 'x.c']);
    bench.write({ 'a.h': '' });
    t.same(await bench.files('x.c -Ii -Ij', server), ['a.h', 'i/b.h', 'x.c']);
  }
});

await t.test('an unreadable header is a reason', { skip: process.getuid?.() === 0 }, async (t) => {
  const bench = new IncludeBench(t).write({ 'x.c': '#include "a.h"\n', 'a.h': '' });
  chmodSync(`${bench.root}/a.h`, 0);
  t.equal(await bench.files('x.c'), 'unreadable-input');
});

await t.test('many headers that are new are read in several turns of the event loop', async (t) => {
  const count = 5 * INCLUDES.newInTurn;
  const names = Array.from({ length: count }, (_, n) => `${n}.h`);
  const wanted = [...names, 'last.h', 'x.c'].toSorted();
  const headers = Object.fromEntries(
    names.map((name, n) => [name, n + 1 < count ? `#include "${n + 1}.h"\n` : '#include LAST\n']),
  );
  for (const watched of [true, false]) {
    const bench = new IncludeBench(t).write({
      'x.c': '#include "0.h"\n#define LAST "last.h"\n',
      'y.c': '',
      'last.h': '',
      ...headers,
    });
    const server = bench.server(watched);
    // The compiler is asked for its directories once, which takes turns as well.
    t.same(await bench.files('y.c', server), ['y.c']);
    let turns = 0;
    const counter = () => {
      turns++;
      turning = setImmediate(counter);
    };
    let turning = setImmediate(counter);
    t.teardown(() => clearImmediate(turning));
    t.same(await bench.files('x.c', server), wanted);
    const first = turns;
    t.same(await bench.files('x.c', server), wanted);
    clearImmediate(turning);
    t.ok(first >= count / INCLUDES.newInTurn - 2, `${first} turns for ${count} headers`);
  }
});
