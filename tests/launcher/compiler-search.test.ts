import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { EXIT } from '../../src/core/errors.js';
import { builtLauncher, LauncherSandbox } from '../fixtures/launcher-sandbox.js';

/** No daemon: its directory of sockets is open to others, and so refused. */
function withoutDaemon(sandbox: LauncherSandbox): void {
  mkdirSync(join(sandbox.runtime, 'tscc'), { mode: 0o755 });
}

await t.test('tscc and other wrappers along PATH are passed over', async (t) => {
  const sandbox = new LauncherSandbox(t);
  withoutDaemon(sandbox);
  const wrapper = sandbox.script('ccache', 'echo wrapper', join(sandbox.directory, 'w'));
  const compiler = sandbox.script('mycc', 'echo compiler', join(sandbox.directory, 'real'));
  const own = sandbox.compileLauncher([`-DTSCC_NODE="/nowhere"`]);

  const links: [string, (path: string) => void][] = [
    ['a link to tscc', (path) => symlinkSync(builtLauncher, path)],
    ['a link to another tscc', (path) => symlinkSync(own, path)],
    ['a link to ccache', (path) => symlinkSync(wrapper, path)],
    ['a directory', (path) => mkdirSync(path)],
    ['a file that is not executable', (path) => writeFileSync(path, 'x', { mode: 0o644 })],
    ['a link to nothing', (path) => symlinkSync('/nowhere/at-all', path)],
  ];
  for (const [name, make] of links) {
    const directory = join(sandbox.directory, name.replaceAll(' ', '-'));
    mkdirSync(directory);
    make(join(directory, 'mycc'));
    const PATH = `${directory}:${join(compiler, '..')}:/bin:/usr/bin`;
    const ending = await sandbox.run(['mycc'], { environment: { PATH } });
    t.match(ending, { status: 0, stderr: '' }, name);
    t.equal(ending.stdout.toString(), 'compiler\n', name);
  }

  const hard = join(sandbox.directory, 'hard');
  mkdirSync(hard);
  linkSync(own, join(hard, 'mycc'));
  const ending = await sandbox.run(['mycc'], {
    program: own,
    environment: { PATH: `${hard}:${join(compiler, '..')}:/bin:/usr/bin` },
  });
  t.equal(ending.stdout.toString(), 'compiler\n', 'a hard link to this tscc');
});

await t.test('a wrapper that is asked for by name is run', async (t) => {
  const sandbox = new LauncherSandbox(t);
  withoutDaemon(sandbox);
  sandbox.script('ccache', 'shift; echo "wrapper $*"');
  const ending = await sandbox.run(['ccache', 'gcc', '-v']);
  t.equal(ending.stdout.toString(), 'wrapper -v\n');
});

await t.test('an empty entry of PATH is the working directory', async (t) => {
  const sandbox = new LauncherSandbox(t);
  withoutDaemon(sandbox);
  sandbox.script('mycc', 'echo here', sandbox.work);
  const ending = await sandbox.run(['mycc'], { environment: { PATH: ':/bin' } });
  t.equal(ending.stdout.toString(), 'here\n');
});

await t.test('a compiler that is not there is one line and exit 110', async (t) => {
  const sandbox = new LauncherSandbox(t);
  withoutDaemon(sandbox);
  const alongPath = await sandbox.run(['no-such-cc', '-c', 'a.c']);
  t.equal(alongPath.status, EXIT.compilerMissing);
  t.equal(
    alongPath.stderr,
    "tscc: compiler 'no-such-cc' not found along PATH: install it or correct the command\n",
  );
  const byPath = await sandbox.run(['./no-such-cc', '-c', 'a.c']);
  t.equal(byPath.status, EXIT.compilerMissing);
  t.match(byPath.stderr, /^tscc: .*'\.\/no-such-cc'.*\n$/);
  t.equal((await sandbox.run(['tscc'])).status, EXIT.compilerMissing, 'tscc tscc');
});

await t.test('tscc before tscc is once too often, and passed over', async (t) => {
  const sandbox = new LauncherSandbox(t);
  withoutDaemon(sandbox);
  sandbox.script('mycc', 'echo "$*"');
  for (const before of [['tscc'], ['tscc', '/somewhere/bin/tscc']]) {
    const ending = await sandbox.run([...before, 'mycc', '-c', 'a.c']);
    t.match(ending, { status: 0, stderr: '' });
    t.equal(ending.stdout.toString(), '-c a.c\n');
  }
});

await t.test('tscc named by path is a recursion: exit 111', async (t) => {
  const sandbox = new LauncherSandbox(t);
  const link = join(sandbox.work, 'gcc');
  symlinkSync(builtLauncher, link);
  const ending = await sandbox.run(['./gcc', '-c', 'a.c']);
  t.equal(ending.status, EXIT.recursion);
  t.match(ending.stderr, /^tscc: '\.\/gcc' leads back to tscc: .*\n$/);
});

await t.test('a loop through a script ends, nesting without one works', async (t) => {
  const sandbox = new LauncherSandbox(t);
  withoutDaemon(sandbox);
  sandbox.script('loop', `exec ${builtLauncher} loop`);
  const loop = await sandbox.run(['loop']);
  t.equal(loop.status, EXIT.recursion);
  t.match(loop.stderr, /^tscc: 'loop' leads back to tscc: .*\n$/);

  sandbox.script('inner', 'echo "depth $_TSCC_GUARD"');
  sandbox.script('outer', `${builtLauncher} inner`);
  const nested = await sandbox.run(['outer']);
  t.match(nested, { status: 0, stderr: '' });
  t.equal(nested.stdout.toString(), 'depth 2\n');
});

await t.test('without a command: usage and exit 101', async (t) => {
  const sandbox = new LauncherSandbox(t);
  const ending = await sandbox.run([]);
  t.equal(ending.status, EXIT.badArguments);
  t.match(ending.stderr, /^tscc: usage: .*\n$/);
});
