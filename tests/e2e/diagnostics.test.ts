/**
 * Messages and exit statuses: those of the local compiler, once, and no server is to blame for what
 * is wrong here (distcc#74, #121, #242).
 */
import t from 'tap';
import { testMode } from '../fixtures/test-mode.js';
import { without } from '../fixtures/tools.js';
import { Twins, type ExpectedFate, type TwinOptions } from '../fixtures/twins.js';

const twins = await Twins.start(t);

/** Files of one source. */
const of = (source: string): TwinOptions => ({ files: { 'x.c': source, 'inc/h.h': '' } });

await t.test('an error of the preprocessor is told once', async (t) => {
  for (const source of ['#include "absent.h"\n', '#error stop\n', '#if 1\nint x;\n']) {
    const fate = {
      plain: 'decline preprocess-diagnostics',
      pump: 'fallback compile-error',
    } as const;
    const { status, stderr } = await twins.compare(t, '$CC -MD -c x.c', fate, of(source));
    t.equal(status, 1);
    t.equal(stderr.match(/error:/g)?.length, 1);
  }
});

await t.test('an error of the compiler is told once, with one status', async (t) => {
  const fate = { plain: 'fallback plain-diagnostics', pump: 'fallback compile-error' } as const;
  const line = '$CC -MD -c x.c; echo $?';
  const { stdout, stderr } = await twins.compare(t, line, fate, of('int f(void) { return y; }\n'));
  t.equal(stdout, '1\n');
  t.equal(stderr.match(/error:/g)?.length, 1);
  const coloured = '$CC -fdiagnostics-color=always -Wall -Werror -c x.c';
  await twins.compare(t, coloured, fate, of('void f(void) { int unused; }\n'));
});

await t.test('comments that silence warnings do so', async (t) => {
  const source =
    'int f(int a) {\n  switch (a) {\n  case 1: a++; /* fallthrough */\n  case 2: a++;\n  }\n  return a;\n}\n';
  const line = '$CC -Werror -Wextra -Wimplicit-fallthrough=3 -c x.c';
  const { status, stderr } = await twins.compare(
    t,
    line,
    { plain: 'fallback plain-diagnostics', pump: 'pump' },
    of(source),
  );
  t.strictSame([status, stderr], [0, '']);
});

await t.test('lines of the files that a generated source came from', async (t) => {
  const text = 'int f(void) {\n  int unused;\n  return 0;\n}\n';
  const files = { 'x.c': `#line 1 "sub/x.y"\n${text}`, 'sub/x.y': text, 'inc/h.h': '' };
  const fate = { plain: 'fallback plain-diagnostics', pump: 'pump' } as const;
  const { stderr } = await twins.compare(t, '$CC -Wall -c x.c', fate, { files });
  t.match(stderr, /^sub\/x\.y:2:7: warning: unused.*\n +2 \|   int unused;\n/m);
  if (without('clang')) return;
  // Clang's notes of what there is to cover name them, as they are found or not.
  const covered = '$CC -g --coverage -frandom-seed=x -c x.c';
  const kept = { plain: 'decline coverage', pump: 'pump' } as const;
  await twins.compare(t, covered, kept, { files }, 'clang');
  await twins.compare(t, covered, kept, of(files['x.c']), 'clang');
});

await t.test('messages for programs', async (t) => {
  const fate = { plain: 'decline option:-fdiagnostics-format=', pump: 'pump' } as const;
  const source = 'int f(void) { int unused; return 0; }\n';
  const line = '$CC -Wall -fdiagnostics-format=json -c x.c';
  const { stderr } = await twins.compare(t, line, fate, of(source));
  t.match(stderr, '"option": "-Wunused-variable"');
  await twins.compare(t, '$CC -fdiagnostics-format=json -c x.c', fate, of('int x;\n'));
  const inFile = 'decline option:-fdiagnostics-format=';
  await twins.compare(t, '$CC -fdiagnostics-format=json-file -c x.c', inFile, of(source));
  const fixes = '$CC -fdiagnostics-parseable-fixits -fdiagnostics-generate-patch -c x.c';
  const kept = { plain: 'fallback plain-diagnostics', pump: 'pump' } as const;
  const misspelt = 'struct { int colour; } s;\nint f(void) { return s.color; }\n';
  const wrong = { plain: 'fallback plain-diagnostics', pump: 'fallback compile-error' } as const;
  await twins.compare(t, fixes, wrong, of(misspelt));
  await twins.compare(t, `${fixes} -Wall`, kept, of(source));
});

await t.test('directories of headers that are missing', async (t) => {
  const cases: [string, ExpectedFate, number][] = [
    ['-Werror -Wmissing-include-dirs -Iinc', 'sent', 0],
    ['-Werror -Iabsent -isystem absent', 'sent', 0],
    [
      '-Wmissing-include-dirs -Iabsent',
      { plain: 'decline preprocess-diagnostics', pump: 'pump' },
      0,
    ],
    [
      '-Werror -Wmissing-include-dirs -Iabsent',
      { plain: 'decline preprocess-diagnostics', pump: 'fallback compile-error' },
      1,
    ],
  ];
  for (const [words, fate, status] of cases) {
    const line = `$CC ${words} -c x.c`;
    t.match(await twins.compare(t, line, fate, of('int x;\n')), { status }, words);
  }
});

await t.test('plugins are for the compiler here', async (t) => {
  const fate = 'decline option:-fplugin=';
  const { status } = await twins.compare(t, '$CC -fplugin=./absent.so -c x.c', fate);
  t.equal(status, 1);
});

await t.test('a compiler killed by a signal is 128 and its number', async (t) => {
  const files = { 'x.c': 'int x;\n', crash: '#!/bin/sh\nulimit -c 0\nkill -SEGV $$\n' };
  const line = 'chmod +x crash && $CC -c x.c; echo $?';
  const fate = 'decline compiler-is-script';
  const { stdout } = await twins.compare(t, line, fate, { files }, './crash');
  t.equal(stdout, '139\n');
});

await t.test('none of it counts against the server', async (t) => {
  const { host } = twins;
  const env = { TSCC_FALLBACK: '0' };
  const line = `echo 'int x;' >work/x.c && tscc gcc -c work/x.c -o work/x.o`;
  const before = await host.status('twins');
  t.strictSame(await host.shell(line, { env }), { status: 0, stdout: '', stderr: '' });
  const { outcomes } = await host.status('twins');
  t.equal(outcomes[testMode], before.outcomes[testMode] + 1);
  t.match((await host.run('tscc', ['hosts', '--json'])).stdout, /"state": ?"up"/);
});

await t.test('how they ran', (t) => twins.checkFates(t, ['sent']));
