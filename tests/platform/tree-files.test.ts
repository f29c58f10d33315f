import { execFileSync } from 'node:child_process';
import { symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { realTreeFiles as files } from '../../src/platform/tree-files.js';

const root = t.testdir({ d: {}, 'x.h': 'x', empty: '' });
symlinkSync('x.h', `${root}/link`);
symlinkSync('EACCES', `${root}/odd`);
execFileSync('mkfifo', [`${root}/fifo`]);

await t.test('reads files of any size', async (t) => {
  t.match(files.read(`${root}/x.h`), { bytes: Buffer.from('x'), stats: { size: 1 } });
  t.match(files.read(`${root}/empty`), { bytes: Buffer.alloc(0) });
  // Around what files share a piece of memory for, and what is left of it.
  for (const size of [16_383, 16_384, 50_000, 10_000, 1, 3_000_000]) {
    const bytes = Buffer.alloc(size, String(size));
    writeFileSync(`${root}/large`, bytes);
    const opened = files.read(`${root}/large`);
    t.ok(typeof opened !== 'string' && opened.bytes.equals(bytes), String(size));
  }
  const process = files.read('/proc/self/status');
  t.ok(typeof process !== 'string' && process.bytes.length > 100, 'without a size');
});

await t.test('what was read stays as it was', async (t) => {
  writeFileSync(`${root}/one`, '1'.repeat(1000));
  writeFileSync(`${root}/two`, '2'.repeat(1000));
  const [one, two] = [files.read(`${root}/one`), files.read(`${root}/two`)];
  truncateSync(`${root}/one`);
  t.match(one, { bytes: Buffer.from('1'.repeat(1000)) });
  t.match(two, { bytes: Buffer.from('2'.repeat(1000)) });
});

await t.test('says why it does not', async (t) => {
  t.equal(files.read(`${root}/none`), 'ENOENT');
  t.equal(files.read(`${root}/x.h/none`), 'ENOTDIR');
  t.equal(files.read(`${root}/link`), 'ELOOP');
  t.equal(files.read(`${root}/d`), 'EINVAL');
  t.equal(files.read(`${root}/fifo`), 'EINVAL', 'without waiting for a writer');
  t.equal(files.lstat(`${root}/none`), 'ENOENT');
  t.equal(files.lstat(`${root}/${'n'.repeat(256)}`), 'ENAMETOOLONG');
  t.equal(files.list(`${root}/x.h`), 'ENOTDIR');
  t.throws(() => files.lstat('a\0b'), { code: 'ERR_INVALID_ARG_VALUE' }, 'mistakes are thrown');
});

await t.test('links, directories, file systems', async (t) => {
  t.equal(files.readLink(`${root}/odd`), 'EACCES', 'a target may be called as an error is');
  t.equal(files.readLink(`${root}/x.h`), undefined);
  t.strictSame(files.list(`${root}/d`), []);
  t.equal(files.maySearch(root), true);
  t.equal(files.maySearch(`${root}/none`), false);
  t.equal(files.fileSystem('/proc'), 0x9fa0);
  t.equal(files.fileSystem(`${root}/none`), 0);
});
