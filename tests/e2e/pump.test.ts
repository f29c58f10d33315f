/** tscc-pump around a build: signals, standard input, sessions inside one another, summaries. */
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { BuildHost, finish } from '../fixtures/build-host.js';
import { FakeCompiler, UNSEALED } from '../fixtures/fake-compiler.js';

function withSources(t: Test): BuildHost {
  const host = new BuildHost(t);
  for (const name of ['x', 'y']) writeFileSync(`${host.directory}/${name}.c`, `int ${name};\n`);
  return host;
}

await t.test('a signal ends the build, and then there is a summary', async (t) => {
  for (const [signal, status] of [
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGINT', 130],
  ] as const) {
    await t.test(signal, async (t) => {
      const compiler = FakeCompiler.build(['gcc']);
      t.teardown(() => compiler.close());
      const host = withSources(t);
      host.env['PATH'] = `${compiler.directory}:${host.env['PATH']}`;
      await host.startServers(['127.0.0.1'], UNSEALED);
      // A session of its own: no terminal sends its ^C to the build as well.
      const pump = spawn('env', ['-u', 'NODE_OPTIONS', 'tscc-pump', 'tscc', 'gcc', '-c', 'x.c'], {
        cwd: host.directory,
        env: host.env,
        detached: true,
      });
      const finished = finish(pump);
      const invocation = await compiler.nextInvocation();
      pump.kill(signal);
      const ending = await finished;
      t.equal(ending.status, status);
      t.match(ending.stderr, /^tscc-pump: 0 compiles in [0-9.]+ s: none, 1 interrupted\n/);
      await invocation.gone;
      t.equal(existsSync(`${host.directory}/x.o`), false);
      t.strictSame(host.leftovers(), []);
    });
  }
});

await t.test('the build reads what was meant for it, and writes as itself', async (t) => {
  const host = withSources(t);
  t.match(await host.run('tscc-pump', ['cat'], { input: 'all:\n\ttrue\n' }), {
    status: 0,
    stdout: 'all:\n\ttrue\n',
  });
  const input = 'x.o:\n\t@tscc gcc -c x.c\n';
  t.match(await host.run('tscc-pump', ['make', '-f', '-', 'x.o'], { input }), {
    status: 0,
    stdout: '',
    stderr: /^tscc-pump: 1 compile /,
  });
});

await t.test('one inside another has a session and a summary of its own', async (t) => {
  const host = withSources(t);
  await host.startServers(['127.0.0.1'], UNSEALED);
  const line = 'tscc gcc -c x.c && tscc-pump sh -c "tscc gcc -c y.c; exit 3"; echo "inner $?"';
  const { status, stdout, stderr } = await host.run('tscc-pump', ['sh', '-c', line]);
  t.strictSame([status, stdout], [0, 'inner 3\n']);
  t.equal(stderr.match(/^tscc-pump: 1 compile in [0-9.]+ s: 1 plain$/gm)?.length, 2, stderr);
});

await t.test('the summary says why compiles stayed here, and how many', async (t) => {
  const host = withSources(t);
  host.env['TSCC_HOSTS'] = '127.0.0.1:1';
  const line = 'tscc gcc -c x.c; tscc gcc -c y.c; tscc gcc -flto -c y.c; tscc gcc -dumpversion';
  const { status, stderr } = await host.run('tscc-pump', ['sh', '-c', line]);
  t.equal(status, 0);
  t.match(stderr, /^tscc-pump: 3 compiles in [0-9.]+ s: 3 local$/m);
  t.match(stderr, /^tscc-pump: fallback: 2 × no-server \(no compile server could be reached\)$/m);
  t.match(stderr, /^tscc-pump: local: 1 × lto \(/m);
  t.match(stderr, /^tscc-pump: other commands: 1 × query$/m);
});
