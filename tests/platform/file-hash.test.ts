import t from 'tap';
import { mkdirSync, renameSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '../../src/core/digest.js';
import { FileHashes, fileStamp, readStart } from '../../src/platform/file-hash.js';
import { scratchDirectory } from '../fixtures/commands.js';

const directory = scratchDirectory();
const file = join(directory, 'file');

await t.test('a stamp tells one content from another', async (t) => {
  writeFileSync(file, 'one');
  utimesSync(file, 1, 1);
  const first = fileStamp(file);
  t.type(first, 'string');
  t.equal(fileStamp(file), first);
  writeFileSync(join(directory, 'new'), 'two');
  utimesSync(join(directory, 'new'), 1, 1);
  renameSync(join(directory, 'new'), file);
  t.not(fileStamp(file), first, 'same size and time, another file');
});

await t.test('no stamp for what is no regular file', async (t) => {
  t.equal(fileStamp(join(directory, 'absent')), undefined);
  mkdirSync(join(directory, 'folder'));
  t.equal(fileStamp(join(directory, 'folder')), undefined);
  symlinkSync('file', join(directory, 'link'));
  t.equal(fileStamp(join(directory, 'link')), fileStamp(file), 'a link leads to its file');
});

await t.test('a file is hashed once for one stamp', async (t) => {
  const hashes = new FileHashes();
  const stamp = fileStamp(file) ?? '';
  const [a, b] = await Promise.all([hashes.hash(file, stamp), hashes.hash(file, stamp)]);
  t.equal(a, digestOf('two'));
  t.equal(b, a);
  t.equal(await hashes.hash(join(directory, 'absent'), stamp), a, 'known without reading');
});

await t.test('a failure is not remembered', async (t) => {
  const hashes = new FileHashes();
  await t.rejects(hashes.hash(join(directory, 'later'), 's'), { code: 'ENOENT' });
  writeFileSync(join(directory, 'later'), 'x');
  t.equal(await hashes.hash(join(directory, 'later'), 's'), digestOf('x'));
});

await t.test('names are bytes', async (t) => {
  const name = '\xff\xe9';
  writeFileSync(Buffer.from(`${directory}/${name}`, 'latin1'), 'abc');
  t.type(fileStamp(`${directory}/${name}`), 'string');
  t.equal((await readStart(`${directory}/${name}`, 2)).toString(), 'ab');
  t.equal((await readStart(`${directory}/${name}`, 99)).toString(), 'abc');
});
