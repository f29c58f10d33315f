import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { builtLauncher } from '../fixtures/launcher-sandbox.js';
import { launcherStage, startLauncher, type WaitingLauncher } from '../fixtures/launcher-stage.js';

/** A launcher that waits for the daemon and knows one temporary. */
async function waiting(t: Test): Promise<WaitingLauncher> {
  const stage = await launcherStage(t);
  const { sandbox } = stage;
  // The child has the launcher's output, but no part in its life.
  sandbox.script('mycc', 'touch a.d.tmp; echo started; (trap "" TERM; sleep 600) & wait');
  const waiting = await startLauncher(stage, ['mycc']);
  const { launcher, connection } = waiting;
  const temporary = join(sandbox.work, 'a.o.tmp');
  writeFileSync(temporary, 'half');
  connection.send({ kind: 'temporary', path: temporary });
  // What is printed after it proves that it has been seen.
  connection.send({ kind: 'stdout', bytes: Buffer.from('seen') });
  await launcher.printed('seen');
  return waiting;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  await t.test(`${signal} while waiting`, async (t) => {
    const { sandbox, launcher, connection } = await waiting(t);
    launcher.child.kill(signal);
    t.equal((await connection.expect('leaving')).why, 'interrupted');
    t.match(await launcher.ending, { status: null, signal, stderr: '' });
    t.same(sandbox.list(), [], 'no temporaries are left');
  });

  await t.test(`${signal} while preprocessing`, async (t) => {
    const { sandbox, daemon, launcher, connection } = await waiting(t);
    connection.send({
      kind: 'preprocess',
      socket: daemon.socket,
      token: 'x'.repeat(16),
      argv: ['mycc', '-E'],
      temporaries: [join(sandbox.work, 'a.d.tmp')],
    });
    const second = await daemon.accept();
    await second.firstBytes();
    t.ok(existsSync(join(sandbox.work, 'a.d.tmp')));
    launcher.child.kill(signal);
    t.equal((await connection.expect('leaving')).why, 'interrupted');
    t.match(await launcher.ending, { status: null, signal });
    await second.ended;
    t.same(sandbox.list(), [], 'no temporaries are left, and no process holds the connection');
  });
}

await t.test('a signal that make ignores is ignored', async (t) => {
  const { sandbox, daemon } = await launcherStage(t);
  sandbox.script('mycc', 'exit 0');
  const launcher = sandbox.start(['-c', `trap '' INT; exec ${builtLauncher} mycc`], {
    program: '/bin/sh',
  });
  const { connection } = await daemon.acceptRun();
  launcher.child.kill('SIGINT');
  connection.send({ kind: 'done', status: 4, renames: [] });
  t.match(await launcher.ending, { status: 4, signal: null });
});
