import t from 'tap';
import { digestOf } from '../../src/core/digest.js';
import { checkEntry, isShowable } from '../../src/server/tree-entry-check.js';

const file = { kind: 'file', digest: digestOf(''), size: 0, mtime: 0, mode: 0o644 } as const;

await t.test('paths are real ones', async (t) => {
  const good = ['/a', '/a/b.h', '/.../..a/.b', '/a b\n/\xff', `/${'n'.repeat(255)}/x`];
  for (const path of good) t.doesNotThrow(() => checkEntry({ ...file, path }), path);
  const bad = ['', 'a', 'a/b', '//a', '/a/', '/a//b', '/.', '/a/./b', '/a/..', '/../a', '/a\0b'];
  for (const path of [...bad, `/${'n'.repeat(256)}`, `/${'ab/'.repeat(1365)}c`]) {
    t.throws(() => checkEntry({ ...file, path }), { name: 'MalformedFrame' }, path);
  }
});

await t.test('the root directory is a directory', async (t) => {
  t.doesNotThrow(() => checkEntry({ kind: 'directory', path: '/' }));
  t.throws(() => checkEntry({ kind: 'absent', path: '/' }), { name: 'MalformedFrame' });
  t.throws(() => checkEntry({ ...file, path: '/' }), { name: 'MalformedFrame' });
});

await t.test('links lead somewhere, numbers are whole', async (t) => {
  for (const target of ['', 'a\0b', 'x'.repeat(4096)]) {
    const link = { kind: 'symlink', path: '/l', target } as const;
    t.throws(() => checkEntry(link), { name: 'MalformedFrame' });
  }
  t.doesNotThrow(() => checkEntry({ kind: 'symlink', path: '/l', target: '../..//x/' }));
  t.doesNotThrow(() => checkEntry({ ...file, path: '/f', mtime: -1 }), 'before 1970');
  for (const more of [{ size: -1 }, { size: 0.5 }, { mtime: 0.5 }, { mtime: NaN }, { mode: NaN }]) {
    t.throws(() => checkEntry({ ...file, path: '/f', ...more }), { name: 'MalformedFrame' });
  }
});

await t.test('what every job root has by itself cannot be the client’s', async (t) => {
  for (const path of ['/dev', '/dev/null', '/dev/zero', '/.tscc', '/.tscc/cc1.s']) {
    t.notOk(isShowable({ ...file, path }), path);
  }
  t.ok(isShowable({ kind: 'directory', path: '/dev' }));
  t.ok(isShowable({ ...file, path: '/dev/shm/build/x.h' }), 'some build there');
  t.ok(isShowable({ ...file, path: '/dev/nullx' }));
});
