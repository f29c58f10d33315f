/** What make itself does with many compilers at once: sub-makes, -k, --output-sync. */
import { writeFileSync } from 'node:fs';
import t from 'tap';
import { assertSameBuild, BARE, ProjectHost, TSCC } from '../fixtures/project-host.js';

const RULES = `CFLAGS = -O2 -Wall -MMD
VPATH = $(SOURCES)
%.o: %.c
	$(CC) $(CFLAGS) -c -o $@ $<
%.o: %.cc
	$(CXX) $(CFLAGS) -c -o $@ $<
`;
/** As sub-makes are wont to; a make without the jobserver would say so on stderr. */
const RECURSIVE = `program: c cxx
	$(CC) -o $@ c/*.o cxx/*.o
c cxx:
	mkdir $@
	$(MAKE) -C $@ -f ../../sub.mk $@
`;
const UNUSED = Array.from({ length: 6 }, (_, n) => `unused${n}`);

const project = await ProjectHost.start(t, {
  'recursive.mk': RECURSIVE,
  'sub.mk': `SOURCES = ../..\n${RULES}c: greet.o sum.o main.o\ncxx: shape.o\n.PHONY: c cxx\n`,
  'broken.mk': `SOURCES = ..\nall: greet.o broken.o sum.o lacks.o shape.o main.o\n${RULES}`,
  'broken.c': '#include "project.h"\nint f(void) { return undeclared; }\n',
  'lacks.c': '#include "missing.h"\nint g;\n',
  'sync.mk': `SOURCES = ..\nall: greet.o sum.o ${UNUSED.map((u) => `${u}.o`).join(' ')}\n${RULES}`,
});

await t.test('recursive make with one jobserver', async (t) => {
  const line = 'make -f ../recursive.mk -j3';
  const bare = await project.build(line, BARE);
  const tscc = await project.build(line, TSCC);
  assertSameBuild(t, tscc, bare);
  t.equal(tscc.finished.stderr, '');
  t.equal(tscc.files.size, 9);
  await project.assertWentOut(t, tscc, 4, ['link']);
});

await t.test('make -k goes on, and tells of each broken unit once', async (t) => {
  const line = 'make -f ../broken.mk -k';
  const bare = await project.build(line, BARE);
  const tscc = await project.build(line, TSCC);
  assertSameBuild(t, tscc, bare, 2);
  t.equal(tscc.finished.stderr, bare.finished.stderr, 'in the same order');
  t.equal(tscc.finished.stderr.match(/^\S+broken\.c:2:\d+: error:/gm)?.length, 1);
  t.match(await project.status(tscc), {
    outcomes: { plain: 4, local: 2 },
    fallbacks: { 'plain-diagnostics': 1 },
    declines: { 'preprocess-diagnostics': 1 },
    other: {},
  });
});

await t.test('make --output-sync=target keeps together what a unit prints', async (t) => {
  for (const name of UNUSED)
    writeFileSync(`${project.sources}/${name}.c`, `int ${name}(void) { int u_${name}; }\n`);
  const line = 'make -f ../sync.mk --output-sync=target -j8 2>&1';
  const bare = await project.build(line, BARE);
  const tscc = await project.build(line, TSCC);
  assertSameBuild(t, tscc, bare);
  const mentioned = tscc.finished.stdout.match(/unused\d/g) ?? [];
  const blocks = mentioned.filter((name, n) => name !== mentioned[n - 1]);
  t.strictSame(blocks.toSorted(), UNUSED, 'one block each');
  const status = await project.status(tscc);
  t.strictSame(status.outcomes, { pump: 0, plain: 2, cache: 0, local: 6 });
  t.strictSame([status.declines, status.fallbacks], [{}, { 'plain-diagnostics': 6 }]);
});
