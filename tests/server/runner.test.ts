import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import t, { type Test } from 'tap';
import { SERVER } from '../../src/core/limits.js';
import { FieldWriter } from '../../src/protocol/field-codec.js';
import { Runner, type CompileSpec } from '../../src/server/runner.js';
import { JobUsers } from '../../src/server/job-users.js';
import { FakeCompiler } from '../fixtures/fake-compiler.js';
import { assertRefused } from '../fixtures/refused-frames.js';
import { RUNNER } from '../fixtures/test-server.js';
import { processGone } from '../fixtures/until.js';

const fake = FakeCompiler.build();
t.teardown(() => fake.close());

function setUp(t: Test) {
  const log: string[] = [];
  const runner = new Runner(RUNNER, (line) => log.push(line));
  t.teardown(() => runner.close());
  const cwd = t.testdir({});
  const spec: CompileSpec = {
    program: fake.path(),
    words: ['name', 'b\xe9', 'c d'],
    environment: new Map([['A', 'b=c']]),
    cwd,
    stdout: `${cwd}/stdout`,
    stderr: `${cwd}/stderr`,
    nice: 0,
  };
  return { runner, log, cwd, spec };
}

const shell = (spec: CompileSpec, script: string): CompileSpec => ({
  ...spec,
  program: '/bin/sh',
  words: ['sh', '-c', script],
});

await t.test('a program gets its words, variables, directory and files', async (t) => {
  const { runner, cwd, spec } = setUp(t);
  const compile = runner.start(spec);
  const run = await fake.nextInvocation();
  t.match(run, { argv: ['name', 'b\xe9', 'c d'], env: ['A=b=c'], cwd });
  await run.stdout('out');
  await run.stderr('err');
  await run.exit(3);
  const end = await compile.ended;
  t.match(end, { status: 3, signal: 0 });
  t.ok(end.maxRssKiB > 100 && end.cpuMicroseconds >= 0);
  t.equal(readFileSync(`${cwd}/stdout`, 'utf8'), 'out');
  t.equal(readFileSync(`${cwd}/stderr`, 'utf8'), 'err');
});

await t.test('standard error is a terminal to whoever asks, where that is wanted', async (t) => {
  const script = '[ -t 1 ] && echo 1; [ -t 2 ] && echo 2; exec 3>&2; [ -t 3 ] && echo 3; stty <&2';
  const environment = new Map([['PATH', '/bin:/usr/bin']]);
  for (const terminal of [true, false]) {
    const { runner, cwd, spec } = setUp(t);
    const barriers = { landlock: false, seccomp: true };
    const confinement = { barriers, readable: [] };
    const told = { ...shell(spec, script), environment, confinement, terminal };
    t.match(await runner.start(told).ended, { status: 1 });
    t.equal(readFileSync(`${cwd}/stdout`, 'utf8'), terminal ? '2\n' : '');
    t.match(readFileSync(`${cwd}/stderr`, 'utf8'), 'stty: ', 'but it is none');
  }
});

await t.test('a program starts with a clean slate', async (t) => {
  const { runner, cwd, spec } = setUp(t);
  const script = `
    ls /proc/self/fd; readlink /proc/self/fd/0
    for limit in c n t v f; do ulimit -$limit; done
    umask; nice; grep -E '^(SigBlk|SigIgn|NoNewPrivs)' /proc/self/status`;
  const environment = new Map([['PATH', '/bin:/usr/bin']]);
  const compile = runner.start({ ...shell(spec, script), nice: 7, environment });
  t.match(await compile.ended, { status: 0 });
  const lines = readFileSync(`${cwd}/stdout`, 'utf8').trim().split('\n');
  t.same(lines, [
    // ls itself holds 3, the directory that it lists.
    '0',
    '1',
    '2',
    '3',
    '/dev/null',
    '0',
    String(SERVER.jobOpenFiles),
    String(SERVER.jobCpuSeconds),
    String(SERVER.jobMemory / 1024),
    String(SERVER.jobFile / 512),
    '0077',
    String(7 + getPriority()),
    'SigBlk:\t0000000000000000',
    'SigIgn:\t0000000000000000',
    'NoNewPrivs:\t1',
  ]);
});

await t.test('what a program leaves behind is killed when it ends', async (t) => {
  const { runner, spec } = setUp(t);
  const compile = runner.start(spec);
  const run = await fake.nextInvocation();
  await run.child();
  void run.exit(0);
  t.match(await compile.ended, { status: 0 });
  await run.gone;
});

const isRoot = process.getuid?.() === 0;

/** Tier 1's, without the filter. */
function asUser(spec: CompileSpec) {
  const user = new JobUsers(process.pid).claim();
  user.own(spec.cwd);
  const barriers = { landlock: false, seccomp: false };
  const confinement = { barriers, readable: [], user: user.id };
  return { user, spec: { ...spec, confinement } };
}

await t.test('a user of its own', { skip: !isRoot && 'not root' }, async (t) => {
  const { runner, cwd, spec } = setUp(t);
  const secret = `${t.testdirName}-secret`;
  writeFileSync(secret, 'secret', { mode: 0o600 });
  t.teardown(() => rmSync(secret));
  const script = `
    id -u; id -g; id -G; pwd; echo x >made && ls -n made | cut -d' ' -f3,4
    grep -E '^(CapPrm|NoNewPrivs)' /proc/self/status
    awk '/^Max processes/ { print $4 }' /proc/self/limits
    kill -0 ${process.pid} 2>/dev/null || echo kept from the server
    cat ${secret} 2>/dev/null || echo kept from the secret`;
  const { user, spec: own } = asUser(shell(spec, script));
  const environment = new Map([['PATH', '/bin:/usr/bin']]);
  t.match(await runner.start({ ...own, environment }).ended, { status: 0 });
  const id = String(user.id);
  t.same(readFileSync(`${cwd}/stdout`, 'utf8').trim().split('\n'), [
    ...[id, id, id, cwd, `${id} ${id}`],
    ...['CapPrm:\t0000000000000000', 'NoNewPrivs:\t1', String(SERVER.jobProcesses)],
    ...['kept from the server', 'kept from the secret'],
  ]);
});

await t.test(
  'a user’s processes end with the compile, whatever group they are in',
  {
    skip: !isRoot && 'not root',
  },
  async (t) => {
    const { runner, cwd, spec } = setUp(t);
    const escape = 'setsid sh -c "echo \\$\\$ >escaped; exec sleep 1000" & ';
    const { spec: own } = asUser(shell(spec, `${escape} until [ -s escaped ]; do :; done`));
    const environment = new Map([['PATH', '/bin:/usr/bin']]);
    t.match(await runner.start({ ...own, environment }).ended, { status: 0 });
    const pid = Number(readFileSync(`${cwd}/escaped`, 'utf8'));
    await processGone(pid);
  },
);

await t.test('kill takes the whole group', async (t) => {
  const { runner, spec } = setUp(t);
  const compile = runner.start(spec);
  const run = await fake.nextInvocation();
  await run.child();
  compile.kill();
  t.match(await compile.ended, { status: 137, signal: 9 });
  await run.gone;
  t.doesNotThrow(() => compile.kill(), 'again');
});

await t.test('what cannot be started says at which step', async (t) => {
  const { runner, cwd, spec } = setUp(t);
  const cases: [Partial<CompileSpec>, RegExp][] = [
    [{ program: `${cwd}/none/compiler` }, /could not start the compiler: ENOENT/],
    [{ cwd: `${cwd}/none` }, /could not enter the job directory: ENOENT/],
    [{ stdout: `${cwd}/none/stdout` }, /could not create standard output: ENOENT/],
    [{ stderr: '/dev/null' }, /could not create standard error: EEXIST/],
  ];
  for (const [index, [changes, message]] of cases.entries()) {
    const files = { stdout: `${cwd}/out${index}`, stderr: `${cwd}/err${index}` };
    await t.rejects(runner.start({ ...spec, ...files, ...changes }).ended, { message });
  }
  const long = runner.start({ ...spec, words: ['x'.repeat(SERVER.runnerFrameBytes)] });
  await t.rejects(long.ended, { message: /more than a process can have/ });
});

await t.test('an output that is a link is not followed', async (t) => {
  const { runner, cwd, spec } = setUp(t);
  t.match(await runner.start(shell(spec, `ln -s ${cwd}/target ${cwd}/link`)).ended, { status: 0 });
  const files = { stdout: `${cwd}/link`, stderr: `${cwd}/stderr2` };
  await t.rejects(runner.start({ ...spec, ...files }).ended, { message: /EEXIST|ELOOP/ });
  t.notOk(existsSync(`${cwd}/target`));
});

await t.test('signals meant for the server do not end the runner', async (t) => {
  const { runner, spec } = setUp(t);
  const compile = runner.start(spec);
  const run = await fake.nextInvocation();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) {
    process.kill(runner.pid ?? 0, signal);
  }
  await run.exit(5);
  t.match(await compile.ended, { status: 5 });
});

await t.test('many at once', async (t) => {
  const { runner, cwd, spec } = setUp(t);
  const ends = await Promise.all(
    Array.from({ length: 40 }, (_, i) => {
      const files = { stdout: `${cwd}/out${i}`, stderr: `${cwd}/err${i}` };
      return runner.start({ ...shell(spec, `exit ${i}`), ...files }).ended;
    }),
  );
  t.same(
    ends.map(({ status }) => status),
    ends.map((_, i) => i),
  );
});

await t.test('a runner that dies takes its compilers along and is replaced', async (t) => {
  const { runner, cwd, log, spec } = setUp(t);
  const compile = runner.start(spec);
  const run = await fake.nextInvocation();
  await run.child();
  const first = runner.pid;
  process.kill(first ?? 0, 'SIGKILL');
  await t.rejects(compile.ended, { message: /runner ended \(SIGKILL\)/ });
  await run.gone;
  t.match(log, [/runner ended \(SIGKILL\); compiles it ran: 1, which fail/]);
  const files = { stdout: `${cwd}/out2`, stderr: `${cwd}/err2` };
  t.match(await runner.start({ ...shell(spec, 'exit 4'), ...files }).ended, { status: 4 });
  t.not(runner.pid, first);
});

await t.test('a server that is gone, even without a word, takes all along', async (t) => {
  const { runner, spec } = setUp(t);
  const compile = runner.start(spec);
  const run = await fake.nextInvocation();
  await run.child();
  const ended = t.rejects(compile.ended, { message: /runner ended/ });
  await runner.close();
  await ended;
  await run.gone;
  await t.rejects(runner.start(spec).ended, { message: /closing/ });
});

await t.test('a runner that cannot be run is a failure of the job', async (t) => {
  const { spec } = setUp(t);
  const log: string[] = [];
  const runner = new Runner('/nonexistent/tscc-runner', (line) => log.push(line));
  await t.rejects(runner.start(spec).ended, { message: /cannot be run: .*ENOENT/ });
  t.equal(log.length, 1);
});

await t.test('the runner refuses malformed frames', async (t) => {
  const start = (fields: FieldWriter) => fields.finish(0x01);
  const compiler = () =>
    new FieldWriter().add(1, 1).add(2, '/p').add(3, 'p').add(5, '/').add(6, '/o').add(7, '/e');
  const cases: [string, Buffer, RegExp][] = [
    ['length 0', Buffer.from('00000000', 'hex'), /malformed frame: 0 bytes/],
    ['a giant length', Buffer.from('ffffffff', 'hex'), /malformed frame: 4294967295 bytes/],
    ['an unknown type', new FieldWriter().finish(0x55), /unknown type 85/],
    ['nothing to start', start(new FieldWriter().add(1, 1)), /START lacks a field/],
    ['a root without layers', start(compiler().add(14, '/u')), /START lacks a field/],
    ['half a root', start(compiler().add(13, '/l').add(14, '/u').add(15, '/w')), /lacks a field/],
    [
      'a root and a user',
      start(compiler().add(13, '/l').add(14, '/u').add(15, '/w').add(16, '/m').add(21, 5)),
      /a root and a user/,
    ],
    ['a probe without a directory', new FieldWriter().add(6, '/o').finish(0x03), /lacks a field/],
    ['a short number', start(new FieldWriter().add(1, 'ab')), /a number of 2 bytes/],
    ['a NUL', start(new FieldWriter().add(2, '/bin/\0sh')), /NUL inside a string/],
    ['a long field', Buffer.from('070000000102ff00000000', 'hex'), /runs past it/],
    ['half a header', Buffer.from('03000000010200', 'hex'), /header is cut short/],
  ];
  await assertRefused(t, [RUNNER], cases);
});
