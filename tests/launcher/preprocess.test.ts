import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { FakeDaemon, type LauncherConnection } from '../fixtures/fake-daemon.js';
import { LauncherSandbox, type RunningLauncher } from '../fixtures/launcher-sandbox.js';
import { launcherStage, startLauncher, type WaitingLauncher } from '../fixtures/launcher-stage.js';

const TOKEN = '0123456789\0\xff\x80abc';

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
    socket: stage.daemon.socket,
    token: TOKEN,
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

await t.test('the preprocessed source comes on a second connection, byte for byte', async (t) => {
  const words = ['-E', '-MD', '-MF', 'a.d.tmp', 'a.c'];
  const { sandbox, daemon, launcher, connection } = await asked(t, 'gcc', words, ['a.d.tmp']);
  const second = await daemon.accept();
  t.equal((await second.expect('source')).token, TOKEN);
  const source = await second.rest();
  const { preprocessed } = await connection.expect('preprocessed');
  t.match(preprocessed, { status: 0, stderrBytes: 0 });
  t.ok(preprocessed.cpuMicroseconds > 0, 'the CPU time of the driver and of cc1');
  const expected = execFileSync('gcc', ['-E', 'a.c'], { cwd: sandbox.work, maxBuffer: 1 << 24 });
  t.ok(source.equals(expected));

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
});

await t.test('what it prints is counted and not shown; its status is told', async (t) => {
  const { daemon, launcher, connection } = await asked(t, 'gcc', ['-E', 'missing.c']);
  const second = await daemon.accept();
  await second.expect('source');
  t.equal((await second.rest()).length, 0);
  const { preprocessed } = await connection.expect('preprocessed');
  t.equal(preprocessed.status, 1);
  t.ok(preprocessed.stderrBytes > 10);
  connection.send({ kind: 'exec' });
  const ending = await launcher.ending;
  t.equal(ending.status, 0, 'the real command is another one');
  t.equal(ending.stderr, '');
});

await t.test('a flood on standard error does not stop it', async (t) => {
  const sandbox = new LauncherSandbox(t);
  const compiler = sandbox.script('flood', 'head -c 3000000 /dev/zero >&2; echo out');
  const { daemon, launcher, connection } = await asked(t, compiler, ['-E']);
  const second = await daemon.accept();
  await second.expect('source');
  t.equal((await second.rest()).toString(), 'out\n');
  t.equal((await connection.expect('preprocessed')).preprocessed.stderrBytes, 3_000_000);
  await finish(connection, launcher);
});

await t.test('death by a signal is 128+n; one that cannot be started 127', async (t) => {
  const sandbox = new LauncherSandbox(t);
  const endings: [string, number][] = [
    [sandbox.script('killed', 'kill -SEGV $$'), 139],
    [join(sandbox.directory, 'missing'), 127],
  ];
  for (const [compiler, status] of endings) {
    const { daemon, launcher, connection } = await asked(t, compiler, ['-E']);
    await (await daemon.accept()).expect('source');
    t.equal((await connection.expect('preprocessed')).preprocessed.status, status);
    await finish(connection, launcher);
  }
});

await t.test('it gets no input, no descriptor of ours, and the recursion guard', async (t) => {
  const sandbox = new LauncherSandbox(t);
  const compiler = sandbox.script(
    'probe',
    'cat; echo "guard $_TSCC_GUARD"; readlink /proc/$$/fd/0; exec sh -c "ls /proc/\\$\\$/fd"',
  );
  const { daemon, launcher, connection } = await asked(t, compiler, ['-E']);
  launcher.child.stdin?.write('not for the preprocessor');
  const second = await daemon.accept();
  await second.expect('source');
  const lines = (await second.rest()).toString().trim().split('\n');
  const expected = ['guard 1', '/dev/null', '0', '1', '2', ...sandbox.inheritedDescriptors()];
  t.same(lines.toSorted(), expected.toSorted());
  await connection.expect('preprocessed');
  await finish(connection, launcher);
});

await t.test('PREPROCESS may come again, but not while one runs', async (t) => {
  const { daemon, launcher, connection, sandbox } = await asked(t, 'gcc', ['-E', 'a.c']);
  const again = {
    kind: 'preprocess',
    socket: daemon.socket,
    token: TOKEN,
    argv: ['gcc', '-E', 'a.h'],
    temporaries: [join(sandbox.work, 'late.tmp')],
  } as const;
  await (await daemon.accept()).rest();
  await connection.expect('preprocessed');
  connection.send(again);
  t.match((await (await daemon.accept()).rest()).toString(), /from_header/);
  await connection.expect('preprocessed');

  const slow = sandbox.script('slow', 'echo started; exec sleep 600');
  const second = sandbox.start([slow]);
  const other = (await daemon.acceptRun()).connection;
  other.send(again, again);
  t.equal((await other.expect('leaving')).why, 'cannot-preprocess');
  second.child.kill('SIGKILL');
  await second.ending;
  await finish(connection, launcher);
});

await t.test('when it cannot be given a connection the compiler runs here', async (t) => {
  const sandbox = new LauncherSandbox(t);
  const daemon = await FakeDaemon.listen(sandbox);
  sandbox.script('mycc', 'echo local');
  const launcher = sandbox.start(['mycc']);
  const { connection } = await daemon.acceptRun();
  daemon.stopListening();
  connection.send({
    kind: 'preprocess',
    socket: daemon.socket,
    token: TOKEN,
    argv: ['mycc', '-E'],
    temporaries: [],
  });
  t.equal((await connection.expect('leaving')).why, 'cannot-preprocess');
  const ending = await launcher.ending;
  t.match(ending, { status: 0, stderr: '' });
  t.equal(ending.stdout.toString(), 'local\n');
  await daemon.close();
});

await t.test('what outlives it and holds its output does not hold the launcher', async (t) => {
  const sandbox = new LauncherSandbox(t);
  sandbox.script('mycc', 'test "$1" = -E || exec echo local\nsetsid sleep 600 & echo $!');
  const daemon = await FakeDaemon.listen(sandbox);
  t.teardown(() => daemon.close());
  const launcher = sandbox.start(['mycc']);
  const { connection } = await daemon.acceptRun();
  connection.send({
    kind: 'preprocess',
    socket: daemon.socket,
    token: TOKEN,
    argv: ['mycc', '-E'],
    temporaries: [],
  });
  const second = await daemon.accept();
  const left = Number((await second.firstBytes()).toString());
  t.teardown(() => process.kill(left, 'SIGKILL'));
  const beats = setInterval(() => connection.send({ kind: 'beat' }), 10);
  await connection.ended;
  clearInterval(beats);
  t.equal((await launcher.ending).stdout.toString(), 'local\n');
});

await t.test('it dies with a launcher that is killed', async (t) => {
  const sandbox = new LauncherSandbox(t);
  const compiler = sandbox.script('endless', 'echo $$; exec sleep 600');
  const { daemon, launcher, connection } = await asked(t, compiler, ['-E']);
  const second = await daemon.accept();
  const pid = Number((await second.firstBytes()).toString());
  t.ok(existsSync(`/proc/${pid}`));
  launcher.child.kill('SIGKILL');
  await second.ended;
  await connection.ended;
  t.pass('its connection ends, and only its death can end it');
});
