import { execFileSync } from 'node:child_process';
import t from 'tap';
import { findOutputTarget, temporaryBeside } from '../../src/client/output-target.js';
import { realFiles } from '../../src/platform/files.js';

const find = (path: string, cwd = '/') => findOutputTarget(path, cwd, realFiles);

await t.test('an absent or a regular file is itself', async (t) => {
  const cwd = t.testdir({ 'old.o': 'old' });
  t.match(find('new.o', cwd), { ok: true, value: `${cwd}/new.o` });
  t.match(find(`${cwd}/old.o`, '/elsewhere'), { ok: true, value: `${cwd}/old.o` });
});

await t.test('through a symbolic link: the file it points at', async (t) => {
  const cwd = t.testdir({
    real: { 'x.o': 'x' },
    'link.o': t.fixture('symlink', 'real/x.o'),
    'dangling.o': t.fixture('symlink', 'nowhere/x.o'),
    'null.o': t.fixture('symlink', '/dev/null'),
  });
  t.match(find('link.o', cwd), { ok: true, value: `${cwd}/real/x.o` });
  t.match(find('dangling.o', cwd), { ok: false, error: 'output-special' });
  t.match(find('null.o', cwd), { ok: false, error: 'output-special' });
});

await t.test('whatever is no file stays with the compiler', async (t) => {
  const cwd = t.testdir({ directory: {}, dev: t.fixture('symlink', '/dev') });
  execFileSync('mkfifo', [`${cwd}/fifo`]);
  for (const path of [
    '/dev/null',
    '/dev/new.o',
    '/proc/self/x.o',
    '-',
    '',
    'directory',
    'fifo',
    'dev/x.o',
    'x/',
  ]) {
    t.match(find(path, cwd), { ok: false, error: 'output-special' }, path);
  }
});

await t.test('a directory that is not there', async (t) => {
  t.match(find('no/such/x.o', t.testdir()), { ok: false, error: 'output-unwritable' });
});

await t.test('a temporary stands in the same directory and keeps the extension', async (t) => {
  t.equal(temporaryBeside('/a/b/x.o', 'u1'), '/a/b/.tscc-u1.o');
  t.equal(temporaryBeside('/x', 'u1'), '/.tscc-u1');
  t.equal(temporaryBeside(`/a/${'y'.repeat(255)}`, 'u1').length, '/a/.tscc-u1'.length);
});
