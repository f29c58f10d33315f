/** A configure script with automake and libtool: probes, a shared library, distclean. */
import t from 'tap';
import { BY_CC, ProjectHost } from '../fixtures/same-build.js';
import { without } from '../fixtures/tools.js';

const BUILD_FILES = {
  'configure.ac': `AC_INIT([small], [1])
AC_CONFIG_AUX_DIR([aux])
AC_CONFIG_HEADERS([config.h])
AM_INIT_AUTOMAKE([foreign subdir-objects])
AM_SILENT_RULES([no])
AC_PROG_CC
LT_INIT
AC_CHECK_HEADERS([stdint.h no-such.h])
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

const skip =
  without('autoreconf') || without('automake') || without('libtoolize') || without('make');

await t.test('configure, automake and libtool', { skip }, async (t) => {
  const project = await ProjectHost.start(t, BUILD_FILES);
  const prepared = await project.host.run('autoreconf', ['-i'], { cwd: project.sources });
  t.equal(prepared.status, 0, prepared.stderr);

  // The cache makes the second configure a quick one.
  const line = '../configure --cache-file=cache CFLAGS=-O2 && make -j4';
  const { bare, tscc } = await project.sameBuild({ line, ...BY_CC });
  for (const name of ['.libs/greet.o', 'greet.o', 'greet.lo', '.libs/libparts.so.0.0.0'])
    t.ok(tscc.files.has(name), name);
  t.match(tscc.finished.stdout, /libtool: compile: +tscc gcc .*-fPIC -DPIC/);
  // Two units twice each, as position-independent code and not, and main.c.
  const first = await project.told(5, ['compile-and-link', 'link', 'preprocess', 'probe', 'query']);

  const again = await project.continue(`make -s distclean && ${line}`, BY_CC.tscc);
  t.equal(again.finished.status, 0);
  t.equal(again.finished.stderr, tscc.finished.stderr);
  project.sameFiles(again, bare);
  const second = await project.host.status();
  t.match(second, { outcomes: { plain: 10, local: 0 }, declines: {}, fallbacks: {} });
  t.ok((second.other.link ?? 0) > (first.other.link ?? 0));
});
