import { statSync } from 'node:fs';
import t from 'tap';
import { makeDirectory } from '../../src/platform/make-directory.js';

await t.test('makes what is missing, for the user alone', async (t) => {
  const root = t.testdir({ file: '' });
  await makeDirectory(`${root}/a/b/c`);
  for (const path of ['a', 'a/b', 'a/b/c']) {
    t.equal(statSync(`${root}/${path}`).mode & 0o777, 0o700, path);
  }
  await makeDirectory(`${root}/a/b/c`);
  await Promise.all([makeDirectory(`${root}/x/y`), makeDirectory(`${root}/x/z`)]);
});

await t.test('says why it cannot', async (t) => {
  const root = t.testdir({ file: '' });
  await t.rejects(makeDirectory(`${root}/file/a`), { code: 'ENOTDIR' });
  await t.rejects(makeDirectory('/proc/no-such/directory'), { code: 'ENOENT' });
});
