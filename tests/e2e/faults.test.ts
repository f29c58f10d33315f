/** Interrupts and deaths, with a compiler that waits for the test's orders. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { processStart } from '../../src/platform/process-table.js';
import { OWN_STORE } from '../../benchmarks/servers.js';
import { BuildHost, finish } from '../fixtures/build-host.js';
import { FakeCompiler, UNSEALED, type Invocation } from '../fixtures/fake-compiler.js';
import { until } from '../fixtures/until.js';

const OBJECT = 'an object';

interface Stage {
  readonly host: BuildHost;
  readonly compiler: FakeCompiler;
}

function setStage(t: Test): Stage {
  const compiler = FakeCompiler.build(['gcc']);
  const host = new BuildHost(t);
  t.teardown(() => compiler.close());
  host.env['PATH'] = `${compiler.directory}:${host.env['PATH']}`;
  writeFileSync(`${host.directory}/x.c`, 'int x;\n');
  return { host, compiler };
}

/** Starts `tscc gcc -c x.c` and plays the local preprocessor. */
async function startCompile({ host, compiler }: Stage, env: NodeJS.ProcessEnv = {}) {
  const child = host.spawn(host.tscc, ['gcc', '-g', '-c', 'x.c'], { env });
  const finished = finish(child);
  await preprocess(compiler);
  return { child, finished };
}

async function preprocess(compiler: Stage['compiler']): Promise<void> {
  const preprocessor = await compiler.nextInvocation();
  if (!preprocessor.argv.includes('-E')) throw new Error(`not -E: ${preprocessor.argv.join(' ')}`);
  await preprocessor.stdout('# 1 "x.c"\nint x;\n');
  await preprocessor.exit(0);
}

async function answer(invocation: Invocation): Promise<void> {
  await invocation.write(invocation.valueOf('-o') ?? '', OBJECT);
  await invocation.exit(0);
}

/** So that a compiler's directory tells where it runs. */
const IN_STORE = [...UNSEALED, '--scratch', OWN_STORE];

function isRemote(invocation: Invocation, host: BuildHost): boolean {
  return invocation.cwd.startsWith(`${host.directory}/.stores/`);
}

await t.test('the compiler dies of a signal there: another server, then here', async (t) => {
  const stage = setStage(t);
  const { host, compiler } = stage;
  await host.startServers(['127.0.0.1', '127.0.0.2'], IN_STORE);
  const { finished } = await startCompile(stage);
  for (let i = 0; i < 2; i++) {
    const remote = await compiler.nextInvocation();
    t.equal(isRemote(remote, host), true);
    await remote.signal(11);
  }
  const local = await compiler.nextInvocation();
  t.equal(local.cwd, host.directory);
  t.strictSame(local.argv, ['gcc', '-g', '-c', 'x.c']);
  await local.stderr('x.c: told by the local compiler\n');
  await local.exit(3);
  t.strictSame(await finished, {
    status: 3,
    stdout: '',
    stderr: 'x.c: told by the local compiler\n',
  });
  t.match(await host.status(), { fallbacks: { 'remote-killed': 1 } });
});

await t.test('a server is killed while it compiles: another one does it', async (t) => {
  const stage = setStage(t);
  const { host, compiler } = stage;
  const servers = await host.startServers(['127.0.0.1', '127.0.0.2'], IN_STORE);
  const { finished } = await startCompile(stage);
  const first = await compiler.nextInvocation();
  const at = Number(/\.stores\/([0-9])\//.exec(first.cwd)?.[1]);
  servers.processes[at]?.kill('SIGKILL');
  await first.gone;
  // Its descriptors close a moment before the kernel calls it dead.
  await until(() => processStart(first.pid) === undefined);
  const second = await compiler.nextInvocation();
  t.ok(second.cwd.includes(`.stores/${1 - at}/`));
  await answer(second);
  t.strictSame(await finished, { status: 0, stdout: '', stderr: '' });
  t.equal(readFileSync(`${host.directory}/x.o`, 'latin1'), OBJECT);
  t.match(await host.status(), { outcomes: { plain: 1, local: 0 } });
});

await t.test('an interrupt kills the remote compiler and leaves nothing', async (t) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
    await t.test(signal, async (t) => {
      const stage = setStage(t);
      const { host, compiler } = stage;
      await host.startServers(['127.0.0.1'], IN_STORE);
      const { child, finished } = await startCompile(stage);
      const remote = await compiler.nextInvocation();
      await remote.child();
      const began = performance.now();
      child.kill(signal);
      t.match(await finished, { status: signal, stdout: '', stderr: '' });
      await remote.gone;
      t.ok(performance.now() - began < 1_000, 'within a second, its children too');
      t.equal(existsSync(`${host.directory}/x.o`), false);
      t.strictSame(host.leftovers(), []);
      t.match(await host.status(), { cancelled: 1, outcomes: { plain: 0, local: 0 } });
    });
  }
});

await t.test('an interrupt while it is preprocessed here', async (t) => {
  const { host, compiler } = setStage(t);
  await host.startServers(['127.0.0.1'], IN_STORE);
  const child = host.spawn(host.tscc, ['gcc', '-g', '-MD', '-c', 'x.c']);
  const finished = finish(child);
  const preprocessor = await compiler.nextInvocation();
  await preprocessor.write(preprocessor.valueOf('-MF') ?? '', 'x.o: x.c\n');
  t.equal(host.leftovers().length, 1);
  child.kill('SIGTERM');
  t.match(await finished, { status: 'SIGTERM' });
  await preprocessor.gone;
  t.strictSame(host.leftovers(), []);
  t.equal(existsSync(`${host.directory}/x.d`), false);
});

await t.test('the daemon is killed while a launcher waits: another one is asked', async (t) => {
  const stage = setStage(t);
  const { host, compiler } = stage;
  await host.startServers(['127.0.0.1'], IN_STORE);
  const { finished } = await startCompile(stage);
  const remote = await compiler.nextInvocation();
  const log = readFileSync(`${host.directory}/.state/daemon.log`, 'utf8');
  process.kill(Number(/pid ([0-9]+)/.exec(log)?.[1]), 'SIGKILL');
  await remote.gone;
  await preprocess(compiler);
  await answer(await compiler.nextInvocation());
  t.match(await finished, { status: 0 });
  t.equal(readFileSync(`${host.directory}/x.o`, 'latin1'), OBJECT);
  t.strictSame(host.leftovers(), []);
  t.match(await host.status(), {
    outcomes: { plain: 1, local: 0 },
    recovered: { 'daemon-lost': 1 },
  });
});

await t.test(
  'a local compile holds its slot as long as it lives, even when it is killed',
  async (t) => {
    const { host, compiler } = setStage(t);
    const local = ['gcc', '-flto', '-c', 'x.c'];
    const env = { TSCC_HOSTS: '127.0.0.1:1 --localslots=1' };
    const first = host.spawn(host.tscc, local, { env });
    const ended = finish(first);
    const one = await compiler.nextInvocation();
    t.equal(one.pid, first.pid, 'the launcher has become the compiler');
    const second = finish(host.spawn(host.tscc, local, { env }));
    t.match(await host.run(host.tscc, ['gcc', '--version'], { env }), { status: 0 });
    t.equal(compiler.unclaimed, 0, 'the second one waits');
    first.kill('SIGKILL');
    t.match(await ended, { status: 'SIGKILL' });
    await (await compiler.nextInvocation()).exit(0);
    t.match(await second, { status: 0 });
  },
);

await t.test('servers that drain finish what they have', async (t) => {
  const stage = setStage(t);
  const { host, compiler } = stage;
  const servers = await host.startServers(['127.0.0.1'], IN_STORE);
  const { finished } = await startCompile(stage);
  const remote = await compiler.nextInvocation();
  const stopped = servers.stop();
  await answer(remote);
  t.match(await finished, { status: 0 });
  await stopped;
  t.equal(servers.processes[0]?.exitCode, 0);
  t.match(await host.status(), { outcomes: { plain: 1 } });
  t.strictSame(
    readdirSync(`${host.directory}/.stores/0`, { recursive: true, encoding: 'utf8' }).filter(
      (name) => /source|\.o$/.test(name),
    ),
    [],
    'nothing of a job stays on the server',
  );
});
