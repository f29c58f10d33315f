/** What make itself does with many compilers at once: sub-makes, -k, --output-sync. */
import { writeFileSync } from 'node:fs';
import t from 'tap';
import { BY_CC, ProjectHost } from '../fixtures/same-build.js';

const RULES = `CFLAGS = -O2 -Wall -MMD
VPATH = $(SOURCES)
%.o: %.c
	$(CC) $(CFLAGS) -c -o $@ $<
%.o: %.cc
	$(CXX) $(CFLAGS) -c -o $@ $<
`;

await t.test('recursive make with one jobserver', async (t) => {
  const project = await ProjectHost.start(t, {
    'Makefile': `all: program
program: c cxx
	$(CC) -o $@ c/*.o cxx/*.o
c cxx:
	mkdir $@
	$(MAKE) -C $@ -f ../../sub.mk $@
.PHONY: all
`,
    'sub.mk': `SOURCES = ../..\n${RULES}c: greet.o sum.o main.o\ncxx: shape.o\n.PHONY: c cxx\n`,
  });
  const { tscc } = await project.sameBuild({ line: 'make -f ../Makefile -j3', ...BY_CC });
  t.equal(tscc.files.size, 9);
  await project.told(4, ['link']);
});

await t.test('make -k goes on, and tells of the broken unit once', async (t) => {
  const all = 'all: greet.o broken.o sum.o wrong.o shape.o main.o\n';
  const project = await ProjectHost.start(t, { Makefile: `SOURCES = ..\n${all}${RULES}` });
  writeFileSync(`${project.sources}/broken.c`, '#include "project.h"\nint f(void) { return y; }\n');
  writeFileSync(`${project.sources}/wrong.c`, '#include "missing.h"\nint g;\n');
  const { bare, tscc } = await project.sameBuild({
    line: 'make -f ../Makefile -k',
    ...BY_CC,
    status: 2,
  });
  t.equal(tscc.finished.stderr, bare.finished.stderr, 'in the same order');
  t.equal(tscc.finished.stderr.match(/error: 'y' undeclared|error: ‘y’ undeclared/g)?.length, 1);
  t.match(await project.host.status(), {
    outcomes: { plain: 4, local: 2 },
    fallbacks: { 'plain-diagnostics': 1 },
    declines: { 'preprocess-diagnostics': 1 },
    other: {},
  });
});

await t.test('make --output-sync=target keeps what a unit prints together', async (t) => {
  const units = Array.from({ length: 6 }, (_, n) => `warns${n}`);
  const all = `all: greet.o sum.o ${units.map((unit) => `${unit}.o`).join(' ')}\n`;
  const project = await ProjectHost.start(t, { Makefile: `SOURCES = ..\n${all}${RULES}` });
  for (const unit of units)
    writeFileSync(`${project.sources}/${unit}.c`, `int ${unit}(void) { int ${unit}_unused; }\n`);
  const { tscc } = await project.sameBuild({
    line: 'make -f ../Makefile --output-sync=target -j8 2>&1',
    ...BY_CC,
  });
  // A command and its warnings are one block: nobody else's line is between them.
  for (const unit of units) {
    const mentions = tscc.finished.stdout.split('\n').map((line) => line.includes(unit));
    const block = mentions.slice(mentions.indexOf(true), mentions.lastIndexOf(true));
    t.ok(block.length > 4, unit);
    const others = tscc.finished.stdout
      .split('\n')
      .slice(mentions.indexOf(true), mentions.lastIndexOf(true))
      .filter((line) => units.some((other) => other !== unit && line.includes(other)));
    t.strictSame(others, [], unit);
  }
  const status = await project.host.status();
  t.strictSame(status.outcomes, { pump: 0, plain: 2, cache: 0, local: 6 });
  t.strictSame([status.declines, status.fallbacks], [{}, { 'plain-diagnostics': 6 }]);
});
