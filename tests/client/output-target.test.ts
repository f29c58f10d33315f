import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import t from 'tap';
import { findOutputTarget, temporaryBeside } from '../../src/client/output-target.js';
import { realFiles } from '../../src/platform/files.js';

const find = (path: string, cwd = '/') => findOutputTarget(path, cwd, 'object', 'gcc', realFiles);

await t.test('an absent or a regular file is itself', async (t) => {
  const cwd = t.testdir({ 'old.o': 'old' });
  t.match(find('new.o', cwd), { ok: true, value: { path: `${cwd}/new.o` } });
  t.match(find(`${cwd}/old.o`, '/elsewhere'), { ok: true, value: { path: `${cwd}/old.o` } });
});

await t.test('through a symbolic link, where the compiler would write through it', async (t) => {
  const cwd = t.testdir({
    real: { 'x.o': '', 'full.o': 'x' },
    'link.o': t.fixture('symlink', 'real/x.o'),
    'full.o': t.fixture('symlink', 'real/full.o'),
    'dangling.o': t.fixture('symlink', 'nowhere/x.o'),
    'null.o': t.fixture('symlink', '/dev/null'),
  });
  t.match(find('link.o', cwd), { ok: true, value: { path: `${cwd}/real/x.o` } });
  t.match(find('full.o', cwd), { ok: false, error: 'output-special' }, 'as would replace it');
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

await t.test('the mode of a file stays where its compiler writes into it', async (t) => {
  const cwd = t.testdir({ full: 'old', empty: '', link: t.fixture('symlink', 'full') });
  for (const name of ['full', 'empty']) chmodSync(`${cwd}/${name}`, 0o751);
  for (const [name, kind, family, keptMode] of [
    ['full', 'object', 'gcc', undefined],
    ['empty', 'object', 'gcc', 0o751],
    ['full', 'assembly', 'gcc', 0o751],
    ['full', 'dependencies', 'gcc', 0o751],
    ['link', 'dependencies', 'gcc', 0o751],
    ['empty', 'object', 'clang', undefined],
    ['full', 'assembly', 'clang', undefined],
    ['full', 'dependencies', 'clang', 0o751],
    ['new', 'dependencies', 'gcc', undefined],
  ] as const) {
    const target = findOutputTarget(name, cwd, kind, family, realFiles);
    t.match(target, { ok: true, value: { keptMode } }, `${name} ${kind} ${family}`);
  }
});

await t.test('a file that may not be written is for the compiler to judge', async (t) => {
  const cwd = t.testdir({ 'x.o': 'old' });
  const files = { ...realFiles, canWrite: (path: string) => path === cwd };
  const target = findOutputTarget('x.o', cwd, 'object', 'gcc', files);
  t.match(target, { ok: false, error: 'output-unwritable' });
});

await t.test('a directory that is not there', async (t) => {
  t.match(find('no/such/x.o', t.testdir()), { ok: false, error: 'output-unwritable' });
});

await t.test('a temporary stands in the same directory and keeps the extension', async (t) => {
  t.equal(temporaryBeside('/a/b/x.o', 'u1'), '/a/b/.tscc-u1.o');
  t.equal(temporaryBeside('/x', 'u1'), '/.tscc-u1');
  t.equal(temporaryBeside(`/a/${'y'.repeat(255)}`, 'u1').length, '/a/.tscc-u1'.length);
});
