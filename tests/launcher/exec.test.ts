import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { builtLauncher } from '../fixtures/launcher-sandbox.js';
import { launcherStage, startLauncher, type WaitingLauncher } from '../fixtures/launcher-stage.js';

/** A compiler that was told to run in place; `script` is its body. */
async function executing(t: Test, script: string): Promise<WaitingLauncher> {
  const stage = await launcherStage(t);
  stage.sandbox.script('mycc', script);
  const waiting = await startLauncher(stage, ['mycc', 'a', 'b c'], { input: 'pipe' });
  waiting.connection.send({ kind: 'beat' }, { kind: 'exec' });
  return waiting;
}

await t.test('the compiler has the pid, the input and the arguments', async (t) => {
  const { launcher } = await executing(t, 'echo "$$ $*"; cat; exit 5');
  launcher.child.stdin?.end('from make');
  const ending = await launcher.ending;
  t.match(ending, { status: 5, stderr: '' });
  t.equal(ending.stdout.toString(), `${launcher.pid} a b c\nfrom make`);
});

await t.test('the slot is held until the compiler ends, even by SIGKILL', async (t) => {
  const { launcher, connection } = await executing(t, 'echo running; exec cat');
  await launcher.printed('running');
  let isFree = false;
  void connection.ended.then(() => (isFree = true));
  await new Promise(setImmediate);
  t.notOk(isFree, 'held while it runs');
  launcher.child.kill('SIGKILL');
  t.equal((await launcher.ending).signal, 'SIGKILL');
  await connection.ended;
  t.pass('free when it is dead');
});

await t.test('only the slot is inherited, and out of the way', async (t) => {
  const { sandbox, launcher } = await executing(t, 'ls -l /proc/$$/fd; exit 0');
  const known = new Set(['0', '1', '2', ...sandbox.inheritedDescriptors()]);
  const links = [...(await launcher.ending).stdout.toString().matchAll(/ (\d+) -> (\S+)/g)]
    .filter(([, number, target]) => !known.has(number ?? '') && !target?.endsWith('/mycc'))
    .map(([, number, target]) => `${number} ${target}`);
  t.equal(links.length, 1, 'one descriptor');
  t.match(links[0], /^\d{3,} socket:/, 'and not where a jobserver may be');
});

await t.test('descriptors that make hands on stay as they are', async (t) => {
  const { sandbox, daemon } = await launcherStage(t);
  sandbox.script('mycc', 'cat <&3; echo seen >&4');
  const launcher = sandbox.start(
    ['-c', `exec 3<"$0" 4>&1; exec ${builtLauncher} mycc`, sandbox.script('tokens', 'token')],
    { program: '/bin/sh' },
  );
  const { connection } = await daemon.acceptRun();
  connection.send({ kind: 'exec' });
  t.match((await launcher.ending).stdout.toString(), /token\nseen\n$/);
});

await t.test('the compiler has the signals of make', async (t) => {
  const { sandbox, daemon } = await launcherStage(t);
  sandbox.script('mycc', 'exec grep -E "^Sig(Blk|Ign|Cgt)" /proc/self/status');
  const show = 'grep -E "^Sig(Blk|Ign|Cgt)" /proc/self/status';
  const before = execFileSync('/bin/sh', ['-c', `trap '' HUP; ${show}`], { encoding: 'utf8' });
  const launcher = sandbox.start(['-c', `trap '' HUP; exec ${builtLauncher} mycc`], {
    program: '/bin/sh',
  });
  const { connection } = await daemon.acceptRun();
  connection.send({ kind: 'beat' }, { kind: 'exec' });
  t.equal((await launcher.ending).stdout.toString(), before);
});

await t.test('a compiler that cannot be run is one line and exit 110', async (t) => {
  const { sandbox, daemon } = await launcherStage(t);
  const broken = join(sandbox.work, 'no-such-cc');
  const launcher = sandbox.start([broken]);
  const { connection } = await daemon.acceptRun();
  connection.send({ kind: 'exec' });
  const ending = await launcher.ending;
  t.equal(ending.status, 110);
  t.equal(
    ending.stderr,
    `tscc: cannot run '${broken}' (No such file or directory): correct the command\n`,
  );
});
