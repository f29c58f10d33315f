import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { LauncherSandbox } from '../fixtures/launcher-sandbox.js';
import { without } from '../fixtures/tools.js';
import { launcherStage } from '../fixtures/launcher-stage.js';
import { firstBytesOf } from '../fixtures/until.js';

const NO_NODE = '-DTSCC_NODE="/nowhere/node"';

/** No daemon can be had, and node is not found either. */
function alone(t: Test): { sandbox: LauncherSandbox; bases: () => void } {
  const sandbox = new LauncherSandbox(t);
  return { sandbox, bases: () => mkdirSync(join(sandbox.runtime, 'tscc'), { mode: 0o750 }) };
}

await t.test('a silent daemon is left, and the compiler runs', async (t) => {
  const { sandbox, daemon } = await launcherStage(t);
  const program = sandbox.compileLauncher([NO_NODE, '-DTSCC_SILENCE_MS=300']);
  sandbox.script('mycc', 'echo local; exit 2');
  const launcher = sandbox.start(['mycc'], { program });
  const { connection } = await daemon.acceptRun();
  connection.send({ kind: 'beat' });
  t.equal((await connection.expect('leaving')).why, 'daemon-silent');
  const ending = await launcher.ending;
  t.match(ending, { status: 2, stderr: '' });
  t.equal(ending.stdout.toString(), 'local\n');
  t.equal(daemon.unaccepted, 0, 'it is not asked again');
});

await t.test('silence during preprocessing ends the preprocessor first', async (t) => {
  const { sandbox, daemon } = await launcherStage(t);
  const program = sandbox.compileLauncher([NO_NODE, '-DTSCC_SILENCE_MS=300']);
  sandbox.script(
    'mycc',
    'case $1 in -E) touch a.d.tmp; echo started; while :; do echo noise >&2; done;; esac\n' +
      'test -e a.d.tmp || echo "clean"',
  );
  const launcher = sandbox.start(['mycc'], { program });
  const { connection } = await daemon.acceptRun();
  connection.send({
    kind: 'preprocess',
    into: join(sandbox.directory, 'source'),
    argv: ['mycc', '-E'],
    temporaries: [join(sandbox.work, 'a.d.tmp')],
  });
  await firstBytesOf(join(sandbox.directory, 'source'));
  t.equal((await connection.expect('leaving')).why, 'daemon-silent');
  t.equal((await launcher.ending).stdout.toString(), 'clean\n');
});

await t.test('beats keep a launcher waiting beyond the limit', async (t) => {
  const { sandbox, daemon } = await launcherStage(t);
  const program = sandbox.compileLauncher([NO_NODE, '-DTSCC_SILENCE_MS=1000']);
  sandbox.script('mycc', 'echo local');
  const start = performance.now();
  const launcher = sandbox.start(['mycc'], { program });
  const { connection } = await daemon.acceptRun();
  const beats = setInterval(() => connection.send({ kind: 'beat' }), 100);
  t.teardown(() => clearInterval(beats));
  while (performance.now() - start < 1500) await new Promise((resolve) => setTimeout(resolve, 50));
  connection.send({ kind: 'done', status: 9, renames: [] });
  t.match(await launcher.ending, { status: 9, stderr: '' });
});

await t.test('a connection that ends is tried once more', async (t) => {
  const { sandbox, daemon } = await launcherStage(t);
  sandbox.script('mycc', 'echo local');

  const first = sandbox.start(['mycc']);
  (await daemon.acceptRun()).connection.close();
  const another = await daemon.acceptRun();
  t.equal(another.request.isAskedAgain, false, 'none had it');
  another.connection.send({ kind: 'done', status: 6, renames: [] });
  t.match(await first.ending, { status: 6, stderr: '' });

  const second = sandbox.start(['mycc']);
  (await daemon.acceptRun()).connection.close();
  (await daemon.acceptRun()).connection.close();
  t.equal((await second.ending).stdout.toString(), 'local\n', 'and not twice');

  const third = sandbox.start(['mycc']);
  const { connection } = await daemon.acceptRun();
  connection.send({ kind: 'beat' }, { kind: 'stdout', bytes: Buffer.from('half ') });
  await third.printed('half');
  connection.close();
  const next = await daemon.acceptRun();
  t.equal(next.request.isAskedAgain, true);
  next.connection.send({ kind: 'beat' });
  next.connection.close();
  t.equal((await third.ending).stdout.toString(), 'half local\n', 'nor when both had it');
  t.equal(daemon.unaccepted, 0);
});

await t.test('a killed daemon whose socket is still there does not count twice', async (t) => {
  const { sandbox, daemon } = await launcherStage(t);
  sandbox.script('mycc', 'echo local');
  const launcher = sandbox.start(['mycc']);
  const first = (await daemon.acceptRun()).connection;
  first.send({ kind: 'stdout', bytes: Buffer.from('had it ') });
  await launcher.printed('had it');
  first.close();
  (await daemon.acceptRun()).connection.close();
  const { connection, request } = await daemon.acceptRun();
  t.equal(request.isAskedAgain, true);
  connection.send({ kind: 'done', status: 6, renames: [] });
  t.match(await launcher.ending, { status: 6, stderr: '' });
});

await t.test('a daemon that dies meanwhile takes the preprocessor with it', async (t) => {
  const { sandbox, daemon } = await launcherStage(t);
  sandbox.script('mycc', 'touch a.d.tmp; echo started; exec sleep 60');
  const launcher = sandbox.start(['mycc']);
  const [source, list] = [join(sandbox.directory, 'source'), join(sandbox.work, 'a.d.tmp')];
  const preprocess = {
    kind: 'preprocess',
    into: source,
    argv: ['mycc', '-E'],
    temporaries: [list],
  } as const;
  const first = (await daemon.acceptRun()).connection;
  first.send(preprocess);
  await firstBytesOf(source);
  first.close();
  const { connection, request } = await daemon.acceptRun();
  t.equal(request.isAskedAgain, true);
  t.notOk(existsSync(source) || existsSync(list), 'nothing is left');
  sandbox.script('mycc', 'echo again; exit 3');
  connection.send(preprocess);
  t.equal((await connection.expect('preprocessed')).preprocessed.status, 3, 'and it may run again');
  t.equal(readFileSync(source, 'utf8'), 'again\n');
  connection.send({ kind: 'done', status: 0, renames: [] });
  t.match(await launcher.ending, { status: 0, stderr: '' });
});

await t.test('a directory of sockets that is open to others is refused', async (t) => {
  const { sandbox, daemon } = await launcherStage(t);
  sandbox.script('mycc', 'echo local');
  for (const mode of [0o710, 0o705, 0o720]) {
    chmodSync(join(sandbox.runtime, 'tscc'), mode);
    const ending = await sandbox.run(['mycc'], { environment: { TSCC_VERBOSE: '1' } });
    t.equal(ending.stdout.toString(), 'local\n');
    t.match(ending.stderr, /^tscc: '.*\/tscc' is not a directory of yours/);
  }
  t.equal(daemon.unaccepted, 0);
});

await t.test('so is a link, even to a directory of ours', async (t) => {
  const { sandbox } = alone(t);
  symlinkSync(sandbox.state, join(sandbox.runtime, 'tscc'));
  sandbox.script('mycc', 'echo local');
  t.equal((await sandbox.run(['mycc'])).stdout.toString(), 'local\n');
  t.same(sandbox.list(sandbox.state), ['slots']);
});

await t.test(
  'and one of another user',
  { skip: process.getuid?.() !== 0 && 'needs root' },
  async (t) => {
    const { sandbox, bases } = alone(t);
    bases();
    chmodSync(join(sandbox.runtime, 'tscc'), 0o700);
    execFileSync('chown', ['12345', join(sandbox.runtime, 'tscc')]);
    sandbox.script('mycc', 'echo local');
    const ending = await sandbox.run(['mycc'], { environment: { TSCC_VERBOSE: '1' } });
    t.match(ending.stderr, /not a directory of yours/);
    t.equal(ending.stdout.toString(), 'local\n');
  },
);

await t.test(
  'as many run at once as there are cores, the others wait',
  { skip: without('flock') },
  async (t) => {
    const { sandbox, bases } = alone(t);
    bases();
    sandbox.script('mycc', 'echo "running $1"; read line; echo "ended $1"');
    const cores = availableParallelism();
    const running = Array.from({ length: cores }, (_, i) =>
      sandbox.start(['mycc', String(i)], { input: 'pipe' }),
    );
    for (const launcher of running) await launcher.printed('running');
    t.equal(sandbox.list(join(sandbox.state, 'slots')).length, cores);

    const late = sandbox.start(['mycc', 'late'], { input: 'pipe' });
    const lateStarts = late.printed('running');
    const first = await Promise.race([
      lateStarts.then(() => 'late'),
      // flock(1) sees the slots as the launcher does: it fails while they are taken.
      sandbox
        .run(['-n', join(sandbox.state, 'slots/0'), 'true'], { program: 'flock' })
        .then(({ status }) => `flock ${status}`),
    ]);
    t.equal(first, 'flock 1', 'all slots are taken');
    running[0]?.child.kill('SIGKILL');
    await lateStarts;
    t.pass('a slot is free when its compiler was killed');
    // The one that was killed reads no more.
    for (const launcher of [...running.slice(1), late]) launcher.child.stdin?.end('\n');
    await Promise.all([...running, late].map((launcher) => launcher.ending));
  },
);

await t.test(
  'a pipeline of two and a compiler inside another never wait for each other',
  { skip: without('taskset') },
  async (t) => {
    const { sandbox, bases } = alone(t);
    bases();
    sandbox.script('front', 'echo source');
    sandbox.script('back', 'cat');
    sandbox.script('outer', '"$TSCC" back </dev/null; echo outer');
    const program = sandbox.compileLauncher([NO_NODE]);
    const environment = { TSCC: program };
    // With one core there is one slot.
    const shell = (script: string): Promise<{ stdout: Buffer }> =>
      sandbox.run(['-c', '0', 'sh', '-c', script], { program: 'taskset', environment });
    const piped = await shell(
      '"$TSCC" back -x c - < /dev/null; "$TSCC" front | "$TSCC" back -x c -',
    );
    t.equal(piped.stdout.toString(), 'source\n');
    t.equal((await shell('"$TSCC" outer')).stdout.toString(), 'outer\n');
  },
);

await t.test('the state directory', async (t) => {
  const sandbox = new LauncherSandbox(t);
  sandbox.script('mycc', 'echo local');
  const program = sandbox.compileLauncher([NO_NODE]);
  const at = (name: string): string => join(sandbox.directory, name);
  const base = join(sandbox.runtime, 'tscc');
  const PATH = sandbox.bin + ':/bin';
  const nothing = { TSCC_DIR: undefined, XDG_STATE_HOME: undefined, HOME: undefined, PATH };
  const cases: [string, Record<string, string | undefined>, string][] = [
    ['TSCC_DIR', { TSCC_DIR: at('a/b') }, at('a/b')],
    ['XDG_STATE_HOME', { XDG_STATE_HOME: at('c') }, at('c/tscc')],
    ['HOME', { HOME: at('home') }, at('home/.local/state/tscc')],
    ['empty is unset', { TSCC_DIR: '', HOME: at('home2') }, at('home2/.local/state/tscc')],
    ['no HOME', {}, join(base, 'state')],
    ['not a directory', { TSCC_DIR: '/dev/null/x' }, join(base, 'state')],
  ];
  for (const [name, variables, state] of cases) {
    const ending = await sandbox.run(['mycc'], {
      program,
      environment: { ...nothing, ...variables },
    });
    t.match(ending, { status: 0, stderr: '' }, name);
    t.ok(existsSync(join(state, 'slots/0')) || existsSync(join(state, 'slots/1')), name);
  }
});
