/** A configure script with automake and libtool: probes, a shared library, distclean. */
import t from 'tap';
import { assertSameBuild, ProjectHost, TSCC } from '../fixtures/project-host.js';
import { without } from '../fixtures/tools.js';

const BUILD_FILES = {
  'configure.ac': `AC_INIT([small], [1])
AC_CONFIG_AUX_DIR([build-aux])
AM_INIT_AUTOMAKE([foreign])
AM_SILENT_RULES([no])
AC_PROG_CC
LT_INIT
AC_CHECK_FUNCS([printf])
AC_CONFIG_FILES([Makefile])
AC_OUTPUT
`,
  'Makefile.am': `lib_LTLIBRARIES = libparts.la
libparts_la_SOURCES = greet.c sum.c project.h
bin_PROGRAMS = program
program_SOURCES = main.c
program_LDADD = libparts.la
`,
};

const skip = without('autoreconf', 'automake', 'libtoolize');

await t.test('configure, automake and libtool', { skip }, async (t) => {
  const project = await ProjectHost.start(t, BUILD_FILES);
  const prepared = await project.host.run('autoreconf', ['-i'], { cwd: project.sources });
  t.equal(prepared.status, 0, prepared.stderr);

  const configured = await project.build('../configure CFLAGS=-O2', TSCC);
  t.match(configured.finished, { status: 0, stderr: '' });
  t.notMatch(configured.finished.stdout, /^tscc/m);
  const probing = await project.status(configured);
  t.strictSame(probing.outcomes, { pump: 0, plain: 0, cache: 0, local: 0 });
  t.match(probing.other, { probe: Number, query: Number, link: Number });

  // One configured tree for both: configure is what takes the time.
  const bare = await project.continue('make -j4 CC=gcc', {});
  const tscc = await project.continue('make -s clean >/dev/null; make -j4', {});
  assertSameBuild(t, tscc, bare);
  for (const name of ['.libs/greet.o', 'greet.o', 'greet.lo', '.libs/libparts.so.0.0.0'])
    t.ok(tscc.files.has(name), name);
  t.match(tscc.finished.stdout, /libtool: compile: +tscc gcc .*-fPIC -DPIC/);
  // Two units twice each, as position-independent code and not, and main.c.
  await project.assertWentOut(t, tscc, 5, ['link']);

  // What configure found is kept for the second time.
  const again = await project.continue(
    `cp config.status kept; make -s distclean >/dev/null
     mv kept config.status; ./config.status -q && make -j4`,
    TSCC,
  );
  assertSameBuild(t, again, bare);
  t.match(await project.status(again), {
    outcomes: { plain: 5, local: 0 },
    declines: {},
    fallbacks: {},
    other: { link: 2 },
  });
});
