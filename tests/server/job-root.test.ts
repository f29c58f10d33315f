import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import t, { type Test } from 'tap';
import { JobRoots, type JobRoot } from '../../src/server/job-root.js';
import { NO_PROGRAMS } from '../fixtures/no-programs.js';

const LOOK = { mode: 0o644, mtime: 1_000_000_000 };

/** A root whose upper directory has a link out of it at /link, and what the link leads to. */
async function setUp(t: Test): Promise<{ root: JobRoot; outside: string }> {
  const store = `${t.testdir({ outside: { file: 'outside' } })}/store`;
  const roots = await JobRoots.open(store, NO_PROGRAMS);
  mkdirSync(`${store}/job`);
  const root = roots.create({ path: `${store}/job` }, ['/layer']);
  const outside = store.replace(/store$/, 'outside');
  symlinkSync(outside, `${root.spec.upper}/link`);
  return { root, outside };
}

const refusal = (message: RegExp) => ({ name: 'JobRefused', code: 'failed', message });

async function read(root: JobRoot, path: string, limit = 1000): Promise<string | undefined> {
  const content = await root.openOutput(path, limit, 'output');
  let text = '';
  for await (const piece of content?.pieces ?? []) text += Buffer.from(piece).toString('latin1');
  await content?.close();
  return content && text;
}

await t.test('the bottom layer has what is mounted on', async (t) => {
  const { root } = await setUp(t);
  const [first, bottom] = root.spec.layers;
  t.equal(first, '/layer');
  for (const name of ['null', 'zero', 'urandom']) t.ok(statSync(`${bottom}/dev/${name}`).isFile());
  t.ok(statSync(`${bottom}/.tscc`).isDirectory());
  const { seal } = root.spec;
  const made = seal.kind === 'namespaces' ? [seal.work, seal.mount] : [];
  t.equal(made.length, 2, 'the best is what it begins with');
  for (const path of made) t.ok(statSync(path).isDirectory());
  await JobRoots.open(bottom?.replace(/\/root-1$/, '') ?? '', NO_PROGRAMS);
});

await t.test('files are put with mode and time, directories made on the way', async (t) => {
  const { root } = await setUp(t);
  root.putFile('/a/b\xe9/x.c', Buffer.from('int x;'), { mode: 0o4211, mtime: 1_234_567_890 });
  const path = Buffer.from(`${root.spec.upper}/a/b\xe9/x.c`, 'latin1');
  const stats = statSync(path);
  t.equal(readFileSync(path, 'latin1'), 'int x;');
  t.equal(stats.mtimeMs, 1_234_567_890_000);
  t.equal(stats.mode & 0o7777, 0o611, 'no set-user-id, and readable');
  root.putDirectory('/a/out/deep');
  root.putDirectory('/a/out');
  root.putDirectory('/');
  t.ok(statSync(`${root.spec.upper}/a/out/deep`).isDirectory());
  t.equal(await read(root, '/a/b\xe9/x.c'), 'int x;');
  t.throws(() => root.putFile('/a/out', Buffer.from(''), LOOK), { code: 'EEXIST' });

  writeFileSync(root.placeFor('/s/y.c'), 'y', { flag: 'wx' });
  root.setLook('/s/y.c', LOOK);
  t.equal(statSync(`${root.spec.upper}/s/y.c`).mtimeMs, 1_000_000_000_000);
});

await t.test('no path leads out', async (t) => {
  const { root, outside } = await setUp(t);
  const put = (path: string) => () => root.putFile(path, Buffer.from('new'), LOOK);
  const wrong = ['', 'a', '/a/../../x', '/..', '/a/./b', '//a', '/a/', '/a\0b'];
  for (const path of wrong) {
    t.throws(put(path), refusal(/^the path '.*' (has|is)/s), JSON.stringify(path));
    t.throws(() => root.putDirectory(path), refusal(/^the path/));
    await t.rejects(root.openOutput(path, 1, 'output'), refusal(/^the path/));
  }
  t.throws(put('/'), refusal(/no name of a file/));
  t.throws(put(`/${'x'.repeat(300)}/y`), refusal(/ENAMETOOLONG/));
  await t.rejects(read(root, `/${'x'.repeat(300)}/y`), refusal(/ENAMETOOLONG/));

  t.throws(put('/link/file'), refusal(/through something that is no directory/));
  t.throws(put('/link/new'), refusal(/through something that is no directory/));
  t.throws(() => root.putDirectory('/link/d'), refusal(/no directory/));
  t.throws(() => root.putDirectory('/link'), refusal(/no directory/));
  t.throws(put('/link'), { code: 'EEXIST' });
  t.throws(() => root.setLook('/link', LOOK), refusal(/no regular file/));
  t.throws(() => root.setLook('/link/file', LOOK), refusal(/no regular file/));
  t.equal(readFileSync(`${outside}/file`, 'utf8'), 'outside');
  t.notOk(existsSync(`${outside}/new`) || existsSync(`${outside}/d`));
});

await t.test('only regular files are outputs', async (t) => {
  const { root, outside } = await setUp(t);
  const { upper } = root.spec;
  mkdirSync(`${upper}/directory`);
  writeFileSync(`${upper}/large`, 'x'.repeat(11));
  execFileSync('mkfifo', [`${upper}/pipe`]);
  execFileSync('mknod', [`${upper}/removed`, 'c', '0', '0']);
  symlinkSync(`${outside}/file`, `${upper}/leak`);

  t.equal(await read(root, '/none'), undefined);
  t.equal(await read(root, '/none/x'), undefined);
  t.equal(await read(root, '/large/x'), undefined);
  t.equal(await read(root, '/link/file'), undefined, 'a link on the way');
  t.ok(lstatSync(`${upper}/removed`).isCharacterDevice());
  t.equal(await read(root, '/removed'), undefined);
  await t.rejects(read(root, '/leak'), refusal(/cannot open the output: ELOOP/));
  await t.rejects(read(root, '/pipe'), refusal(/is not a regular file/));
  await t.rejects(read(root, '/directory'), refusal(/is not a regular file/));
  await t.rejects(read(root, '/large', 10), { code: 'limit', message: /11 bytes; 10 are/ });
  t.equal(await read(root, '/large', 11), 'x'.repeat(11));
});
