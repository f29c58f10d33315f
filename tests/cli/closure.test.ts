import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import type { ClosureReport } from '../../src/cli/closure.js';
import { digestOf } from '../../src/core/digest.js';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

function setUp(t: Test) {
  const cwd = t.testdir({
    'x.c': '#include "a.h"\n#if __has_include(<none.h>)\n#endif\n',
    'a.h': '#include <b.h>\n#include_next <b.h>\n',
    i: { 'b.h': '' },
    j: { 'b.h': '#include_next <b.h>\n' },
  });
  // Without tap's hook, as in RUN_TSCCD.
  const node = ['-u', 'NODE_OPTIONS', process.execPath, MAIN, 'closure'];
  const run = (...words: string[]) =>
    spawnSync('/usr/bin/env', [...node, ...words], { cwd, encoding: 'utf8' });
  return { cwd, run };
}

await t.test('files as a tree, each below the one that names it', async (t) => {
  const { cwd, run } = setUp(t);
  const { status, stdout, stderr } = run('x.c', '-nostdinc', '-Ij', '-Ii');
  t.match({ status, stderr }, { status: 0, stderr: '' });
  t.ok(stdout.startsWith(`${cwd}/x.c\n  ${cwd}/a.h  #include "a.h"\n    ${cwd}/j/b.h`), stdout);
  t.match(stdout, `      ${cwd}/i/b.h  #include_next <b.h>\n`);
  t.match(stdout, /^4 files, \d+ directories\n$/m);
});

await t.test('--json: digests, who names a file, absences; a file stands there once', async (t) => {
  const { cwd, run } = setUp(t);
  const report = JSON.parse(
    run('--json', 'x.c', '-nostdinc', '-Ij', '-Ii').stdout,
  ) as ClosureReport;
  t.match(report, { schema: 1, source: `${cwd}/x.c`, symlinks: {} });
  const paths = report.files.map(({ path }) => path).toSorted();
  t.strictSame(
    paths,
    ['a.h', 'i/b.h', 'j/b.h', 'x.c'].map((name) => `${cwd}/${name}`),
  );
  const header = report.files.find(({ path }) => path.endsWith('/a.h'));
  t.match(header, { namedBy: `${cwd}/x.c`, as: '#include "a.h"' });
  t.equal(header?.digest, digestOf('#include <b.h>\n#include_next <b.h>\n'));
  t.same(
    report.absent.filter((path) => path.endsWith('none.h')),
    [`${cwd}/i/none.h`, `${cwd}/j/none.h`],
  );
});

await t.test('what cannot be told is one line, with a status', async (t) => {
  const { run } = setUp(t);
  t.match(run('none.c'), {
    status: 100,
    stderr: /^tscc: not covered: unreadable-input: .*none\.c\n$/,
  });
  t.match(run(), { status: 101, stderr: /^tscc: usage: tscc closure / });
  t.match(run('--compiler=no-such-cc', 'x.c'), { status: 110, stderr: /'no-such-cc' not found/ });
  t.match(run('x.c', '-save-temps', '-fplugin=x.so'), { status: 100, stderr: /stays local: / });
});
