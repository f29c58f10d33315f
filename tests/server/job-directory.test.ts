import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import t from 'tap';
import { JobDirectories } from '../../src/server/job-directory.js';

await t.test('directories are private, empty and removed with all in them', async (t) => {
  const store = `${t.testdir({})}/deep/store`;
  const directories = await JobDirectories.open(store, (line) => t.fail(line));
  const [one, other] = [await directories.create(), await directories.create()];
  t.not(one.path, other.path);
  t.equal(statSync(one.path).mode & 0o777, 0o700);
  t.same(readdirSync(one.path), []);
  t.equal(one.add('tmp'), `${one.path}/tmp`);
  writeFileSync(`${one.path}/tmp/file`, 'x');
  mkdirSync(`${one.path}/locked`);
  await one.remove();
  await one.remove();
  t.throws(() => statSync(one.path), { code: 'ENOENT' });
  t.ok(statSync(other.path).isDirectory());
  await directories.close();
  t.same(readdirSync(`${store}/jobs`), []);
});

await t.test('what a crashed server left is swept, what a living one has is not', async (t) => {
  const store = t.testdir({});
  const living = await JobDirectories.open(store, (line) => t.fail(line));
  const job = await living.create();

  const crashed = spawn('sleep', ['1000']);
  const start = readFileSync(`/proc/${crashed.pid}/stat`, 'latin1').split(' ')[21];
  crashed.kill('SIGKILL');
  await once(crashed, 'exit');
  // One whose process is gone, one whose number is another process's now, and a stranger.
  const leftovers = [`${crashed.pid}-${start}-abc`, `${process.pid}-1-abc`];
  for (const name of [...leftovers, 'lost+found']) {
    mkdirSync(`${store}/jobs/${name}/7/tmp`, { recursive: true });
  }
  const log: string[] = [];
  const other = await JobDirectories.open(store, (line) => log.push(line));
  const names = readdirSync(`${store}/jobs`);
  for (const name of leftovers) t.notOk(names.includes(name), name);
  t.ok(names.includes('lost+found'));
  t.equal(names.length, 3);
  t.ok(statSync(job.path).isDirectory());
  t.equal(log.length, 2);
  await living.close();
  await other.close();
});

await t.test('a tree that is made to stay goes too', async (t) => {
  const store = t.testdir({});
  const directories = await JobDirectories.open(store, (line) => t.fail(line));
  const job = await directories.create();
  const deep = 'd/'.repeat(1_900);
  execFileSync('sh', ['-c', `for i in 1 2 3; do mkdir -p ${deep} && cd -P ${deep}; done`], {
    cwd: job.path,
  });
  await job.remove();
  t.throws(() => statSync(job.path), { code: 'ENOENT' });
  await directories.close();
});

await t.test('a server that is not root removes closed directories', async (t) => {
  const store = mkdtempSync(`${tmpdir()}/tscc-closed-`);
  t.teardown(() => rmSync(store, { recursive: true }));
  const [before, isRoot] = [process.geteuid?.() ?? 0, process.getuid?.() === 0];
  if (isRoot) {
    chmodSync(store, 0o777);
    process.seteuid?.(65534);
  }
  try {
    const directories = await JobDirectories.open(store, (line) => t.fail(line));
    const job = await directories.create();
    mkdirSync(`${job.path}/closed/in`, { recursive: true });
    chmodSync(`${job.path}/closed`, 0);
    await job.remove();
    t.throws(() => statSync(job.path), { code: 'ENOENT' });
    await directories.close();
  } finally {
    process.seteuid?.(before);
  }
});
