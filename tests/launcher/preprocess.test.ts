import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { LAUNCHER } from '../../src/core/limits.js';
import { FakeDaemon, type LauncherConnection } from '../fixtures/fake-daemon.js';
import { LauncherSandbox, type RunningLauncher } from '../fixtures/launcher-sandbox.js';
import { firstBytesOf, processGone } from '../fixtures/until.js';
import { launcherStage, startLauncher, type WaitingLauncher } from '../fixtures/launcher-stage.js';

/** Where the daemon wants the preprocessor's output. */
const sourceIn = (sandbox: LauncherSandbox) => join(sandbox.directory, 'source');

async function asked(
  t: Test,
  compiler: string,
  words: readonly string[],
  temporaries: readonly string[] = [],
): Promise<WaitingLauncher> {
  const stage = await launcherStage(t);
  const { sandbox } = stage;
  writeFileSync(join(sandbox.work, 'a.h'), 'int from_header;\n');
  writeFileSync(
    join(sandbox.work, 'a.c'),
    '#include "a.h"\nint big[] = {\n' + '1,\n'.repeat(50_000) + '};\n',
  );
  const waiting = await startLauncher(stage, [compiler, '-c', 'a.c'], { input: 'pipe' });
  waiting.connection.send({
    kind: 'preprocess',
    into: sourceIn(sandbox),
    argv: [compiler, ...words],
    temporaries: temporaries.map((name) => join(sandbox.work, name)),
  });
  return waiting;
}

/** Lets the compile fail at once, so that nothing is left running. */
async function finish(connection: LauncherConnection, launcher: RunningLauncher): Promise<void> {
  connection.send({ kind: 'fail', status: 100, message: 'over' });
  await launcher.ending;
}

await t.test(
  'the preprocessed source stands in the file that was named, byte for byte',
  async (t) => {
    const words = ['-E', '-MD', '-MF', 'a.d.tmp', 'a.c'];
    const { sandbox, launcher, connection } = await asked(t, 'gcc', words, ['a.d.tmp']);
    const { preprocessed } = await connection.expect('preprocessed');
    t.match(preprocessed, { status: 0, stderrBytes: 0 });
    t.ok(preprocessed.cpuMicroseconds > 0, 'the CPU time of the driver and of cc1');
    const expected = execFileSync('gcc', ['-E', 'a.c'], { cwd: sandbox.work, maxBuffer: 1 << 24 });
    t.ok(readFileSync(sourceIn(sandbox)).equals(expected));
    t.equal(statSync(sourceIn(sandbox)).mode & 0o777, 0o600);

    writeFileSync(join(sandbox.work, 'a.o.tmp'), 'object');
    const at = (name: string): string => join(sandbox.work, name);
    connection.send({ kind: 'temporary', path: at('a.o.tmp') });
    connection.send({
      kind: 'done',
      status: 0,
      renames: [
        { temporary: at('a.d.tmp'), target: at('a.d') },
        { temporary: at('a.o.tmp'), target: at('a.o') },
      ],
    });
    t.equal((await connection.expect('committed')).errno, 0);
    t.match(await launcher.ending, { status: 0, stderr: '' });
    t.same(sandbox.list(), ['a.c', 'a.d', 'a.h', 'a.o']);
    t.match(readFileSync(at('a.d'), 'utf8'), /a\.h/);
    t.notOk(existsSync(sourceIn(sandbox)));
  },
);

await t.test('what it prints is handed over and not shown; its status is told', async (t) => {
  const { sandbox, launcher, connection } = await asked(t, 'gcc', ['-E', 'missing.c']);
  const { preprocessed } = await connection.expect('preprocessed');
  t.equal(readFileSync(sourceIn(sandbox)).length, 0);
  t.equal(preprocessed.status, 1);
  t.ok(preprocessed.stderrBytes > 10);
  t.equal(preprocessed.stderr.length, preprocessed.stderrBytes);
  t.match(String(preprocessed.stderr), 'missing.c: No such file');
  connection.send({ kind: 'exec' });
  const ending = await launcher.ending;
  t.equal(ending.status, 0, 'the real command is another one');
  t.equal(ending.stderr, '');
});

await t.test('a flood on standard error does not stop it', async (t) => {
  const scripts = new LauncherSandbox(t);
  const compiler = scripts.script('flood', 'head -c 3000000 /dev/zero >&2; echo out');
  const { sandbox, launcher, connection } = await asked(t, compiler, ['-E']);
  const { preprocessed } = await connection.expect('preprocessed');
  t.equal(preprocessed.stderrBytes, 3_000_000);
  t.ok(preprocessed.stderr.length > 100_000 && preprocessed.stderr.length <= LAUNCHER.frameBytes);
  t.equal(readFileSync(sourceIn(sandbox), 'utf8'), 'out\n');
  await finish(connection, launcher);
});

await t.test('death by a signal is 128+n; one that cannot be started 127', async (t) => {
  const sandbox = new LauncherSandbox(t);
  const endings: [string, number][] = [
    [sandbox.script('killed', 'kill -SEGV $$'), 139],
    [join(sandbox.directory, 'missing'), 127],
  ];
  for (const [compiler, status] of endings) {
    const { launcher, connection } = await asked(t, compiler, ['-E']);
    t.equal((await connection.expect('preprocessed')).preprocessed.status, status);
    await finish(connection, launcher);
  }
});

await t.test('it gets no input, no descriptor of ours, and the recursion guard', async (t) => {
  const scripts = new LauncherSandbox(t);
  const compiler = scripts.script(
    'probe',
    'cat; echo "guard $_TSCC_GUARD"; readlink /proc/$$/fd/0; exec sh -c "ls /proc/\\$\\$/fd"',
  );
  const { sandbox, launcher, connection } = await asked(t, compiler, ['-E']);
  launcher.child.stdin?.write('not for the preprocessor');
  await connection.expect('preprocessed');
  const lines = readFileSync(sourceIn(sandbox), 'utf8').trim().split('\n');
  const expected = ['guard 1', '/dev/null', '0', '1', '2', ...sandbox.inheritedDescriptors()];
  t.same(lines.toSorted(), expected.toSorted());
  await finish(connection, launcher);
});

await t.test('PREPROCESS may come again, but not while one runs', async (t) => {
  const { daemon, launcher, connection, sandbox } = await asked(t, 'gcc', ['-E', 'a.c']);
  const again = {
    kind: 'preprocess',
    into: sourceIn(sandbox),
    argv: ['gcc', '-E', 'a.h'],
    temporaries: [join(sandbox.work, 'late.tmp')],
  } as const;
  await connection.expect('preprocessed');
  rmSync(sourceIn(sandbox));
  connection.send(again);
  await connection.expect('preprocessed');
  t.match(readFileSync(sourceIn(sandbox), 'utf8'), /from_header/);

  const slow = sandbox.script('slow', 'echo started; exec sleep 600');
  const second = sandbox.start([slow]);
  const other = (await daemon.acceptRun()).connection;
  rmSync(sourceIn(sandbox));
  other.send(again, again);
  t.equal((await other.expect('leaving')).why, 'cannot-preprocess');
  second.child.kill('SIGKILL');
  await second.ending;
  await finish(connection, launcher);
});

await t.test('when the file cannot be made the compiler runs here', async (t) => {
  const sandbox = new LauncherSandbox(t);
  const daemon = await FakeDaemon.listen(sandbox);
  sandbox.script('mycc', 'echo local');
  const launcher = sandbox.start(['mycc']);
  const { connection } = await daemon.acceptRun();
  const into = join(sandbox.directory, 'taken');
  writeFileSync(into, 'of somebody else');
  connection.send({ kind: 'preprocess', into, argv: ['mycc', '-E'], temporaries: [] });
  t.equal((await connection.expect('leaving')).why, 'cannot-preprocess');
  const ending = await launcher.ending;
  t.match(ending, { status: 0, stderr: '' });
  t.equal(ending.stdout.toString(), 'local\n');
  await daemon.close();
});

await t.test('what outlives it and holds its messages does not hold the launcher', async (t) => {
  const sandbox = new LauncherSandbox(t);
  sandbox.script('mycc', 'test "$1" = -E || exec echo local\nsetsid sleep 600 & echo $!');
  const daemon = await FakeDaemon.listen(sandbox);
  t.teardown(() => daemon.close());
  const launcher = sandbox.start(['mycc']);
  const { connection } = await daemon.acceptRun();
  const into = sourceIn(sandbox);
  connection.send({ kind: 'preprocess', into, argv: ['mycc', '-E'], temporaries: [] });
  const left = Number(await firstBytesOf(into));
  t.teardown(() => process.kill(left, 'SIGKILL'));
  const beats = setInterval(() => connection.send({ kind: 'beat' }), 10);
  await connection.ended;
  clearInterval(beats);
  t.equal((await launcher.ending).stdout.toString(), 'local\n');
});

await t.test('it dies with a launcher that is killed', async (t) => {
  const scripts = new LauncherSandbox(t);
  const compiler = scripts.script('endless', 'echo $$; exec sleep 600');
  const { sandbox, launcher, connection } = await asked(t, compiler, ['-E']);
  const pid = Number(await firstBytesOf(sourceIn(sandbox)));
  t.ok(existsSync(`/proc/${pid}`));
  launcher.child.kill('SIGKILL');
  await connection.ended;
  await processGone(pid);
  t.pass('it is gone');
});
