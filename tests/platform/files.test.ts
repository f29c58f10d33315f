import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import t from 'tap';
import { realFiles } from '../../src/platform/files.js';

/** A name that is no UTF-8: paths are bytes. */
const BYTES = 'caf\xe9';

await t.test('what a path is', async (t) => {
  const directory = t.testdir({
    file: 'four',
    'to-file': t.fixture('symlink', 'file'),
    'to-nothing': t.fixture('symlink', 'absent'),
    loop: t.fixture('symlink', 'loop'),
  });
  execFileSync('mkfifo', [`${directory}/fifo`]);
  const modified = new Date(1_700_000_000_000);
  utimesSync(`${directory}/file`, modified, modified);
  chmodSync(`${directory}/file`, 0o640);
  const { dev, ino } = statSync(`${directory}/file`);
  const file = {
    kind: 'file',
    id: `${dev}:${ino}`,
    size: 4,
    modified: modified.getTime(),
    mode: 0o640,
  };
  t.strictSame(realFiles.stat(`${directory}/file`), file);
  t.strictSame(realFiles.stat(`${directory}/to-file`), file, 'a link is followed');
  t.match(realFiles.lstat(`${directory}/to-file`), { kind: 'symlink' });
  t.match(realFiles.lstat(`${directory}/file`), { kind: 'file' });
  t.match(realFiles.stat(directory), { kind: 'directory' });
  t.match(realFiles.stat(`${directory}/fifo`), { kind: 'special' });
  t.match(realFiles.stat('/dev/null'), { kind: 'special' });
  for (const name of ['absent', 'to-nothing', 'file/below', 'loop']) {
    t.equal(realFiles.stat(`${directory}/${name}`), undefined, name);
  }
  t.match(realFiles.lstat(`${directory}/to-nothing`), { kind: 'symlink' });
});

await t.test('links', async (t) => {
  const directory = t.testdir({
    real: { file: '' },
    link: t.fixture('symlink', 'real'),
    loop: t.fixture('symlink', 'loop'),
  });
  t.equal(realFiles.realPath(`${directory}/link/../link/file`), `${directory}/real/file`);
  for (const name of ['absent', 'loop', 'real/file/below']) {
    t.equal(realFiles.realPath(`${directory}/${name}`), undefined, name);
  }
});

await t.test('what may be read and written', async (t) => {
  const directory = t.testdir({ file: '', closed: '' });
  chmodSync(`${directory}/closed`, 0o400);
  const isRoot = process.getuid?.() === 0;
  t.equal(realFiles.canRead(`${directory}/closed`), true);
  t.equal(realFiles.canWrite(`${directory}/closed`), isRoot, 'but root may always');
  t.equal(realFiles.canRead(`${directory}/file`), true);
  t.equal(realFiles.canWrite(`${directory}/file`), true);
  t.equal(realFiles.canRead(`${directory}/absent`), false);
  t.equal(realFiles.canWrite(`${directory}/absent`), false);
});

await t.test('paths are bytes', async (t) => {
  const directory = t.testdir({});
  const raw = (name: string) => Buffer.from(`${directory}/${name}`, 'latin1');
  writeFileSync(raw(BYTES), 'content');
  t.match(realFiles.stat(`${directory}/${BYTES}`), { size: 7 });
  t.equal(realFiles.realPath(`${directory}/${BYTES}`), `${directory}/${BYTES}`);
  t.equal(realFiles.read(`${directory}/${BYTES}`), 'content');
  t.strictSame(await realFiles.readBytes(`${directory}/${BYTES}`), Buffer.from('content'));
  t.strictSame(realFiles.newestFirst(directory), [BYTES]);
  await realFiles.writeNew(`${directory}/${BYTES}2`, Buffer.from('2'), 0o600);
  t.equal(readFileSync(raw(`${BYTES}2`), 'utf8'), '2');
  realFiles.remove(`${directory}/${BYTES}`);
  t.equal(existsSync(raw(BYTES)), false);
});

await t.test('content is read byte by byte', async (t) => {
  const directory = t.testdir({ file: Buffer.from([0xff, 0x00, 0xe9]) });
  t.equal(realFiles.read(`${directory}/file`), '\xff\0\xe9');
  t.throws(() => realFiles.read(`${directory}/absent`), { code: 'ENOENT' });
  await t.rejects(realFiles.readBytes(`${directory}/absent`), { code: 'ENOENT' });
  t.same([...(await realFiles.readBytes(`${directory}/file`))], [0xff, 0x00, 0xe9]);
  const large = Buffer.alloc(1 << 20, 'some more');
  writeFileSync(`${directory}/large`, large);
  t.same(await realFiles.readBytes(`${directory}/large`), large);
});

await t.test('a new file has exactly its mode, and is new', async (t) => {
  const directory = t.testdir({});
  const path = `${directory}/x.o`;
  const before = process.umask(0o077);
  t.teardown(() => process.umask(before));
  await realFiles.writeNew(path, Buffer.from('object'), 0o664);
  t.equal(statSync(path).mode & 0o777, 0o664, 'whatever the umask');
  t.equal(readFileSync(path, 'utf8'), 'object');
  await t.rejects(realFiles.writeNew(path, Buffer.from('another'), 0o664), { code: 'EEXIST' });
  t.equal(readFileSync(path, 'utf8'), 'object');
});

await t.test('removing what is gone already is fine, a directory is not', async (t) => {
  const directory = t.testdir({ file: '', sub: {} });
  realFiles.remove(`${directory}/file`);
  realFiles.remove(`${directory}/file`);
  t.throws(() => realFiles.remove(`${directory}/sub`), { code: /EISDIR|EPERM/ });
  t.strictSame(readdirSync(directory), ['sub']);
});

await t.test('appending makes directories and file, closed to others', async (t) => {
  const directory = t.testdir({});
  const path = `${directory}/a/b/log`;
  realFiles.append(path, 'one\n');
  chmodSync(path, 0o640);
  realFiles.append(path, 'two\n');
  t.equal(readFileSync(path, 'utf8'), 'one\ntwo\n');
  t.equal(statSync(path).mode & 0o777, 0o640, 'the mode of an older file is its own');
  t.equal(statSync(`${directory}/a/b`).mode & 0o777, 0o700);
  realFiles.append(`${directory}/a/other`, '');
  t.equal(statSync(`${directory}/a/other`).mode & 0o777, 0o600);
});

await t.test('the newest first', async (t) => {
  const directory = t.testdir({ old: '', new: '', middle: '' });
  for (const [name, second] of [
    ['old', 1],
    ['middle', 2],
    ['new', 3],
  ] as const) {
    utimesSync(`${directory}/${name}`, second, second);
  }
  t.strictSame(realFiles.newestFirst(directory), ['new', 'middle', 'old']);
  t.strictSame(realFiles.newestFirst(`${directory}/absent`), []);
});
