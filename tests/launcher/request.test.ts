import { readlinkSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { FakeDaemon } from '../fixtures/fake-daemon.js';
import {
  builtLauncher,
  type LauncherSandbox,
  type StartOptions,
} from '../fixtures/launcher-sandbox.js';
import { LAUNCHER_WIRE_VERSION, type RunRequest } from '../../src/protocol/launcher-wire.js';
import { launcherStage } from '../fixtures/launcher-stage.js';

/** Starts a launcher and gives the request it sends; the command itself fails at once. */
async function requestOf(
  sandbox: LauncherSandbox,
  daemon: FakeDaemon,
  args: readonly string[],
  options: StartOptions = {},
): Promise<RunRequest> {
  const launcher = sandbox.start(args, options);
  const { connection, request } = await daemon.acceptRun();
  connection.send({ kind: 'fail', status: 100, message: 'seen' });
  await launcher.ending;
  return request;
}

await t.test('RUN describes the command and its surroundings', async (t) => {
  const { sandbox, daemon } = await launcherStage(t);
  const compiler = sandbox.script('mycc', 'exit 0');
  const launcher = sandbox.start(['mycc', '-c', 'a b.c', '', '-DX="y"']);
  const { connection, request } = await daemon.acceptRun();
  connection.send({ kind: 'fail', status: 100, message: 'seen' });
  await launcher.ending;

  const rootDirectory = statSync('/', { bigint: true });
  t.match(request, {
    version: LAUNCHER_WIRE_VERSION,
    pid: launcher.pid,
    stderrIsTerminal: false,
    isAskedAgain: false,
    stdinColumns: 0,
    started: Number,
    cwd: sandbox.work,
    world: `${readlinkSync('/proc/self/ns/mnt')} ${rootDirectory.dev} ${rootDirectory.ino}`,
    compiler,
  });
  t.same(request.argv, ['mycc', '-c', 'a b.c', '', '-DX="y"']);
});

await t.test('its start is told: not before it was there, and not after', async (t) => {
  const { sandbox, daemon } = await launcherStage(t);
  sandbox.script('mycc', 'exit 0');
  const before = process.hrtime.bigint();
  const { started } = await requestOf(sandbox, daemon, ['mycc', '-c', 'a.c']);
  // The lowest bit says that it is told.
  const since = (time: bigint) => Number(BigInt.asIntN(32, BigInt(started) - time / 1000n));
  t.ok(since(before) >= -1, `${since(before)} µs`);
  t.ok(since(process.hrtime.bigint()) <= 1, `${since(process.hrtime.bigint())} µs`);
});

await t.test('arguments and variables are bytes, not text', async (t) => {
  const { sandbox, daemon } = await launcherStage(t);
  sandbox.script('mycc', 'exit 0');
  const request = await requestOf(
    sandbox,
    daemon,
    [
      '-c',
      `export LC_ODD="$(printf 'v\\377')"; exec ${builtLauncher} mycc "$(printf '\\377\\200.c')"`,
    ],
    { program: '/bin/sh' },
  );
  t.equal(request.argv[1], '\xff\x80.c');
  t.equal(request.environment.get('LC_ODD'), 'v\xff');
});

await t.test('the umask is told and kept', async (t) => {
  const { sandbox, daemon } = await launcherStage(t);
  sandbox.script('mycc', 'umask');
  const launcher = sandbox.start(['-c', `umask 027; exec ${builtLauncher} mycc`], {
    program: '/bin/sh',
  });
  const { connection, request } = await daemon.acceptRun();
  connection.send({ kind: 'exec' });
  t.equal(request.umask, 0o027);
  t.equal((await launcher.ending).stdout.toString(), '0027\n');
});

await t.test('of the environment only what matters is sent', async (t) => {
  const { sandbox, daemon } = await launcherStage(t);
  sandbox.script('mycc', 'exit 0');
  const wanted = { TSCC_MODE: 'plain', DISTCC_HOSTS: 'a', LC_ALL: 'C', CPATH: '/x=y', TZ: '' };
  const unwanted = { SECRET: '1', CPATHS: '1', LC: '1', TSCC: '1', XPATH: '1', EDITOR: 'vi' };
  const { environment } = await requestOf(sandbox, daemon, ['mycc'], {
    environment: { ...wanted, ...unwanted },
  });
  for (const [name, value] of Object.entries(wanted)) t.equal(environment.get(name), value, name);
  for (const name of Object.keys(unwanted)) t.notOk(environment.has(name), name);
  t.equal(environment.get('HOME'), sandbox.directory);
  t.notOk(environment.has('_TSCC_GUARD'), 'set only inside a compiler of tscc');
});

await t.test('the forms of a call', async (t) => {
  const { sandbox, daemon } = await launcherStage(t);
  const mine = sandbox.script('mycc', 'exit 0');
  const cc = sandbox.script('cc', 'exit 0');
  const link = join(sandbox.directory, 'mycc');
  symlinkSync(builtLauncher, link);
  sandbox.script('local-cc', 'exit 0', sandbox.work);

  const forms: [string, string[], StartOptions, string, string[]][] = [
    ['explicit', ['mycc', '-c', 'a.c'], {}, mine, ['mycc', '-c', 'a.c']],
    ['an absolute path', [mine, '-c'], {}, mine, [mine, '-c']],
    ['a relative path', ['./local-cc'], {}, `${sandbox.work}/./local-cc`, ['./local-cc']],
    ['left out before an option', ['-c', 'a.c'], {}, cc, ['cc', '-c', 'a.c']],
    ['left out before a source', ['dir.d/a.c++', '-c'], {}, cc, ['cc', 'dir.d/a.c++', '-c']],
    ['left out before an object', ['a.o', '-o', 'a'], {}, cc, ['cc', 'a.o', '-o', 'a']],
    ['masquerade', ['-c', 'a.c'], { program: link }, mine, [mine, '-c', 'a.c']],
    ['masquerade by name', ['status'], { program: link, argv0: 'mycc' }, mine, ['mycc', 'status']],
  ];
  for (const [name, args, options, compiler, argv] of forms) {
    const request = await requestOf(sandbox, daemon, args, options);
    t.equal(request.compiler, compiler, name);
    t.same(request.argv, argv, name);
  }
});

await t.test('a request above the limit is not sent: the compiler runs here', async (t) => {
  const { sandbox } = await launcherStage(t);
  sandbox.script('mycc', 'echo $#');
  // Just below what one exec takes in all, which is a quarter of the stack's limit.
  const ending = await sandbox.run(
    [
      '-c',
      'ulimit -s 65536; a=$(head -c 100000 /dev/zero | tr "\\0" x); ' +
        'set --; while [ $# -lt 44 ]; do set -- "$@" "$a"; done; exec "$LAUNCHER" mycc "$@"',
    ],
    { program: '/bin/sh', environment: { LAUNCHER: builtLauncher } },
  );
  t.match(ending, { status: 0, stderr: '' });
  t.equal(ending.stdout.toString(), '44\n');
});
