import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { FakeDaemon, type LauncherConnection } from '../fixtures/fake-daemon.js';
import {
  builtLauncher,
  LauncherSandbox,
  type RunningLauncher,
} from '../fixtures/launcher-sandbox.js';

/** A launcher that waits for the daemon and knows one temporary. */
async function waiting(t: Test): Promise<{
  sandbox: LauncherSandbox;
  daemon: FakeDaemon;
  launcher: RunningLauncher;
  connection: LauncherConnection;
}> {
  const sandbox = new LauncherSandbox(t);
  const daemon = await FakeDaemon.listen(sandbox);
  t.teardown(() => daemon.close());
  // The child has the launcher's output, but no part in its life.
  sandbox.script('mycc', 'touch a.d.tmp; echo started; (trap "" TERM; sleep 600) & wait');
  const launcher = sandbox.start(['mycc']);
  const { connection } = await daemon.acceptRun();
  const temporary = join(sandbox.work, 'a.o.tmp');
  writeFileSync(temporary, 'half');
  connection.send({ kind: 'temporary', path: temporary });
  // What is printed after it proves that it has been seen.
  connection.send({ kind: 'stdout', bytes: Buffer.from('seen') });
  await launcher.printed('seen');
  return { sandbox, daemon, launcher, connection };
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
  const sandbox = new LauncherSandbox(t);
  const daemon = await FakeDaemon.listen(sandbox);
  t.teardown(() => daemon.close());
  sandbox.script('mycc', 'exit 0');
  const launcher = sandbox.start(['-c', `trap '' INT; exec ${builtLauncher} mycc`], {
    program: '/bin/sh',
  });
  const { connection } = await daemon.acceptRun();
  launcher.child.kill('SIGINT');
  connection.send({ kind: 'done', status: 4, renames: [] });
  t.match(await launcher.ending, { status: 4, signal: null });
});
