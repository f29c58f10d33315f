import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { digestOf } from '../../src/core/digest.js';
import { FakeCompiler } from '../fixtures/fake-compiler.js';
import { identityOf, TestServer } from '../fixtures/test-server.js';
import { WireClient } from '../fixtures/wire-client.js';

const fake = FakeCompiler.build();
const FAKE = identityOf(fake.path());
t.teardown(() => fake.close());

await t.test('compiles with real gcc what gcc compiles here', async (t) => {
  const gcc = '/usr/bin/gcc';
  const server = await TestServer.start([gcc]);
  t.teardown(() => server.stop());
  const client = await WireClient.greeted(server.port);
  t.teardown(() => client.close());

  const here = t.testdir({
    'unit.c':
      '#include <stdio.h>\nstatic int twice(int x) { return 2 * x; }\nint main(void) { return printf("%d", twice(4)); }\n',
  });
  execFileSync(gcc, ['-O2', '-c', 'unit.c', '-o', 'local.o'], { cwd: here });
  const source = execFileSync(gcc, ['-O2', '-E', 'unit.c'], { cwd: here });
  client.begin(identityOf(gcc), source, { options: [['-O', '2']] });
  const answer = await client.answer();
  t.match(answer.result, {
    status: 0,
    signal: 0,
    sourceDigest: digestOf(source),
    outputDigest: digestOf(answer.output),
    outputBytes: answer.output.length,
    stderrBytes: 0,
  });
  t.ok(answer.result.cpuMicroseconds > 0);
  t.ok(answer.result.maxRssKiB > 1000);
  writeFileSync(`${here}/remote.o`, answer.output);
  t.ok(readFileSync(`${here}/local.o`).equals(answer.output), 'the objects are the same');
  await server.noLeftovers();
});

await t.test('gives a compiler nothing but what it needs', async (t) => {
  const server = await TestServer.start([fake.path()]);
  t.teardown(() => server.stop());
  const client = await WireClient.greeted(server.port);
  t.teardown(() => client.close());
  client.begin(FAKE, 'int x;\n', { options: [['-O', '2']], sourceDateEpoch: 1700000000 });
  const run = await fake.nextInvocation();
  t.match(run.cwd, `${server.store}/jobs/`);
  t.same(run.env.toSorted(), [
    'LC_ALL=C',
    'PATH=/usr/bin:/bin',
    'SOURCE_DATE_EPOCH=1700000000',
    `TMPDIR=${run.cwd}/tmp`,
  ]);
  t.same(run.argv, [
    fake.path(),
    '-O2',
    '-x',
    'cpp-output',
    '-c',
    '-o',
    `${run.cwd}/output.o`,
    `${run.cwd}/source.i`,
  ]);
  t.equal((await run.read(`${run.cwd}/source.i`)).toString(), 'int x;\n');
  await run.stdout('said');
  await run.stderr('warned');
  await run.write(`${run.cwd}/output.o`, 'object');
  await run.exit(0);
  const answer = await client.answer();
  t.equal(answer.output.toString(), 'object');
  t.equal(answer.stdout.toString(), 'said');
  t.equal(answer.stderr.toString(), 'warned');
  await server.noLeftovers();
});
