import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { errnoCode } from '../../src/core/errors.js';
import { without } from '../fixtures/tools.js';
import { TreeBench } from '../fixtures/tree-bench.js';

const isRoot = process.getuid?.() === 0;

/** What the kernel makes of a path, in the words of `Walked`. */
function kernel(path: string): string {
  try {
    const stat = statSync(path);
    if (stat.isFile()) return `file ${realpathSync.native(path)}`;
    return stat.isDirectory() ? `directory ${realpathSync.native(path)}` : 'unreadable';
  } catch (error) {
    const code = errnoCode(error);
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'absent' : 'unreadable';
  }
}

await t.test('a path leads where the kernel says', async (t) => {
  const root = t.testdir({
    state: {},
    'x.h': 'x',
    a: {
      'x.h': 'ax',
      b: { 'y.h': 'y' },
      up: t.fixture('symlink', '..'),
      file: t.fixture('symlink', 'x.h'),
      slashed: t.fixture('symlink', 'b/'),
      'file-slashed': t.fixture('symlink', 'x.h/'),
      through: t.fixture('symlink', 'up/a/./b/../slashed'),
    },
    far: t.fixture('symlink', 'a/b'),
    me: t.fixture('symlink', 'me'),
    ping: t.fixture('symlink', 'pong'),
    pong: t.fixture('symlink', 'ping'),
    nowhere: t.fixture('symlink', 'none/x.h'),
    dot: t.fixture('symlink', '.'),
  });
  symlinkSync(`${root}/a`, `${root}/absolute`);
  symlinkSync('x.h', `${root}/chain0`);
  for (let link = 1; link <= 41; link++) symlinkSync(`chain${link - 1}`, `${root}/chain${link}`);
  execFileSync('mkfifo', [`${root}/fifo`]);
  const bench = new TreeBench(root, 'stat');
  const parts = ['a', 'b', 'x.h', 'y.h', '.', '..', '', 'up', 'file', 'slashed', 'file-slashed'];
  parts.push('through', 'far', 'me', 'ping', 'nowhere', 'dot', 'absolute', 'none', 'fifo');
  parts.push('chain38', 'chain39', 'chain40', 'n'.repeat(255), 'n'.repeat(256));
  const paths = parts.flatMap((one) => [
    one,
    ...parts.flatMap((two) => [`${one}/${two}`, ...parts.map((end) => `${one}/${two}/${end}`)]),
  ]);
  const wrong = paths.filter((path) => {
    const walked = bench.tree.walk(`${root}/${path}`);
    const said =
      walked.kind === 'file'
        ? `file ${walked.file.path}`
        : walked.kind === 'directory'
          ? `directory ${walked.path}`
          : walked.kind;
    return said !== kernel(`${root}/${path}`);
  });
  t.ok(paths.length > 15_000);
  t.strictSame(wrong, []);
});

await t.test('odd paths', async (t) => {
  const root = t.testdir({ state: {}, 'x.h': 'x', 'caf\u00e9.h': 'coffee' });
  const bench = new TreeBench(root, 'stat');
  t.match(bench.see('caf\xc3\xa9.h'), /^file .*coffee/, 'bytes beyond ASCII');
  t.match(bench.see('x.h\0.c'), /^file x.h: x/, 'a NUL ends a path, as for the kernel');
  t.match(bench.see(`x.h/${'../'.repeat(2000)}`), /^unreadable/, 'longer than PATH_MAX');
  t.match(bench.tree.walk('/../../..'), { kind: 'directory', path: '/' });
  t.throws(() => bench.tree.walk('x.h'), /not absolute/);
});

await t.test('the trail names directories and links on the way', async (t) => {
  const root = t.testdir({
    a: { up: t.fixture('symlink', '../b'), 'x.h': '' },
    b: { 'y.h': '', c: {} },
  });
  const { tree } = new TreeBench(root, 'stat');
  const above = root.split('/').map((_, at, all) => all.slice(0, at + 1).join('/') || '/');
  const directories = (path: string) =>
    tree.walk(`${root}/${path}`).trail.directories.map((directory) => directory.path);
  t.strictSame(directories('a/up/c/../y.h'), [...above, `${root}/a`, `${root}/b`, `${root}/b/c`]);
  t.strictSame(tree.walk(`${root}/a/up/c/../y.h`).trail.symlinks, [
    { kind: 'symlink', path: `${root}/a/up`, target: '../b' },
  ]);
  t.strictSame(directories('a/none.h'), [...above, `${root}/a`]);
  t.match(tree.walk(`${root}/a/none/x.h`), { kind: 'absent', at: `${root}/a/none` });
  t.match(tree.walk(`${root}/a/x.h/x.h`), { kind: 'absent', at: `${root}/a/x.h` });
});

await t.test(
  'what an unprivileged user may not read',
  { skip: isRoot ? without('setpriv') : false },
  async (t) => {
    // Not in t.testdir: it may lie below a directory that is closed to others.
    const root = mkdtempSync(`${tmpdir()}/tscc-tree-`);
    t.teardown(() => rmSync(root, { recursive: true }));
    chmodSync(root, 0o755);
    for (const directory of ['state', 'closed', 'unlisted', 'open']) {
      mkdirSync(`${root}/${directory}`);
      writeFileSync(`${root}/${directory}/x.h`, directory, { mode: 0o644 });
    }
    chmodSync(`${root}/state`, 0o777);
    const fixture = fileURLToPath(new URL('../fixtures/tree-questions.js', import.meta.url));
    for (const mode of ['watched', 'stat']) {
      chmodSync(`${root}/open/x.h`, 0o600);
      chmodSync(`${root}/closed`, 0o600);
      chmodSync(`${root}/unlisted`, 0o711);
      const user = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
      // Without tap's hook, which writes where this user may not.
      const node = ['/usr/bin/env', '-u', 'NODE_OPTIONS', process.execPath];
      const [program, ...words] = [...(isRoot ? user : []), ...node, fixture, root, mode];
      const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'inherit'] });
      const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
      const ask = async (...paths: string[]): Promise<unknown> => {
        child.stdin.write(`${JSON.stringify(paths)}\n`);
        return JSON.parse(String((await lines.next()).value));
      };
      const all = ['open/x.h', 'closed/x.h', 'closed', 'unlisted/x.h', 'unlisted/none.h'];
      t.match(
        await ask(...all),
        ['unreadable open/x.h', 'unreadable closed', 'directory closed', /^file/, /^absent/],
        mode,
      );
      chmodSync(`${root}/open/x.h`, 0o604);
      chmodSync(`${root}/closed`, 0o705);
      chmodSync(`${root}/unlisted`, 0o700);
      t.match(
        await ask(...all),
        [/^file/, /^file/, 'directory closed', 'unreadable unlisted', 'unreadable unlisted'],
        mode,
      );
      chmodSync(`${root}/closed`, 0o600);
      chmodSync(`${root}/unlisted`, 0o701);
      writeFileSync(`${root}/unlisted/none.h`, '', { mode: 0o644 });
      t.match(
        await ask(...all),
        [/^file/, 'unreadable closed', 'directory closed', /^file/, /^file/],
        mode,
      );
      rmSync(`${root}/unlisted/none.h`);
      child.stdin.end();
      await once(child, 'close');
    }
  },
);
