import {
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { CommandRun } from '../../src/client/command-run.js';
import type { Donation } from '../../src/client/donations.js';
import { Farm } from '../../src/client/farm.js';
import { HostSource } from '../../src/client/host-source.js';
import { LocalSlots } from '../../src/client/local-slots.js';
import { Session } from '../../src/client/sessions.js';
import { DAEMON } from '../../src/core/limits.js';
import { readSettings } from '../../src/client/settings.js';
import { SourceBuffers } from '../../src/client/source-buffers.js';
import { digestOf } from '../../src/core/digest.js';
import type { DeclineReason } from '../../src/core/reasons.js';
import { realFiles } from '../../src/platform/files.js';
import type { RunRequest } from '../../src/protocol/launcher-wire.js';
import { Journal, parseJournal } from '../../src/report/journal.js';
import type { Toolchain } from '../../src/toolchain/toolchain.js';
import {
  FakeLauncher,
  readDone,
  readFail,
  readPreprocess,
  runRequest,
  WORLD,
} from '../fixtures/fake-launcher.js';
import { FakeServer } from '../fixtures/fake-server.js';
import { ManualClock } from '../fixtures/manual-clock.js';
import { MemoryJournals } from '../fixtures/memory-journals.js';
import { NO_TIMES } from '../fixtures/no-times.js';
import { NO_HEADERS, NO_INCLUDES } from '../fixtures/no-includes.js';

const DIGEST = digestOf('gcc');
const TOOLCHAIN = {
  digest: DIGEST,
  family: 'gcc',
  name: 'gcc',
  version: '12',
  driverBytes: 1,
} as Toolchain;
const PREPROCESSED = Buffer.from('# 1 "x.c"\nint x;\n');
const OBJECT = Buffer.from('object');

interface Options {
  readonly environment?: Readonly<Record<string, string>>;
  readonly request?: Partial<RunRequest>;
  readonly identity?: Toolchain | DeclineReason;
  /** Why no server can be reached. */
  readonly refusal?: string;
  readonly lend?: () => Donation | undefined;
}

/** One command with everything around it played by the test. */
function setUp(t: Test, options: Options = {}) {
  const cwd = t.testdir({ 'x.c': 'int x;\n' });
  const clock = new ManualClock();
  const slots = new LocalSlots({ compile: 1, preprocess: 1, other: 1 });
  const servers = new Map<string, FakeServer>();
  const farm = new Farm(
    (host, _settings, farm) => {
      const server = new FakeServer(host, () => farm.changed(), clock);
      server.refusal = options.refusal;
      servers.set(host.name, server);
      return server.link;
    },
    { localSlots: slots, clock, times: NO_TIMES, random: () => 0.5 },
  );
  const store = new MemoryJournals();
  const session = new Session(new Journal('/s', 'test', store, clock, () => {}), false);
  const logged: string[] = [];
  let names = 0;
  const context = {
    world: WORLD,
    hosts: new HostSource('/nowhere', realFiles),
    files: realFiles,
    buffers: new SourceBuffers(),
    includes: NO_INCLUDES,
    compilerFiles: { of: (toolchain: Toolchain) => toolchain.files },
    terminals: { of: () => undefined },
    precompiled: NO_HEADERS,
    donations: { lend: options.lend ?? (() => undefined), view: () => ({ lent: 0, owed: 0 }) },
    compilers: { identify: () => Promise.resolve(options.identity ?? TOOLCHAIN) },
    farm,
    slots,
    clock,
    sourceStem: `${cwd}/.tscc-source-`,
    unique: () => `unique-${String(++names).padStart(9, '0')}`,
    mismatches: { keep: () => Promise.resolve('/s/mismatches/one') },
    watchProcess: () => () => true,
    log: (message: string) => logged.push(message),
  };
  const environment = new Map(
    Object.entries({ TSCC_HOSTS: 'red', TSCC_MODE: 'plain', ...options.environment }),
  );
  const request = runRequest({ cwd, environment, ...options.request });
  const launcher = new FakeLauncher(clock);
  const run = new CommandRun(
    launcher.connection,
    request,
    readSettings(environment),
    session,
    context,
  );
  const ended = run.run();

  return {
    cwd,
    clock,
    slots,
    farm,
    launcher,
    logged,
    ended,
    status: () => session.journal.status,
    events() {
      session.journal.flush();
      return [...parseJournal(store.read('/s/journal/test.jsonl'))];
    },
    /** The server that the compile wants, up and with the toolchain. */
    async server(name = 'red') {
      for (let turn = 0; !servers.has(name) && turn < 100; turn++) await setImmediate();
      const server = servers.get(name);
      if (server === undefined) throw new Error(`${name} is not wanted`);
      await server.comeUp();
      await server.expect('toolchain-query');
      server.send({ kind: 'toolchain', digest: DIGEST, known: true });
      return server;
    },
    /** Plays the launcher's preprocessor: the source in its file, then its status. */
    async preprocess(source: Buffer = PREPROCESSED, status = 0, stderrBytes = 0) {
      const command = readPreprocess(await launcher.expect('preprocess'));
      writeFileSync(command.into, source);
      for (const path of command.temporaries) {
        if (path.endsWith('.d')) writeFileSync(path, 'x.o: x.c\n');
      }
      launcher.preprocessed(status, stderrBytes);
      return command;
    },
    /** Lets the command run locally to its end. */
    async runLocally() {
      await launcher.expect('exec');
      launcher.end();
      await ended;
    },
    leftovers: () => readdirSync(cwd).filter((name) => name.startsWith('.tscc')),
  };
}

await t.test('a compile goes out and comes back', async (t) => {
  const run = setUp(t, {
    request: { argv: ['gcc', '-O2', '-MD', '-c', 'x.c'], umask: 0o027 },
  });
  const server = await run.server();
  const command = await run.preprocess();
  t.match(command.argv, ['gcc', '-E']);
  const job = await server.expect('job');
  t.match(job, { language: 'c', stage: 'object', toolchain: DIGEST });
  await server.expect('chunk');
  server.answer(job.job, OBJECT, { sourceDigest: job.sourceDigest });
  const { status, from, to } = readDone(await run.launcher.expect('done'));
  t.equal(status, 0);
  t.strictSame(to, [`${run.cwd}/x.d`, `${run.cwd}/x.o`], 'the object comes last');
  t.strictSame(from, command.temporaries, 'both were announced before they were made');
  t.equal(statSync(from[1] ?? '').mode & 0o777, 0o640, "the build's umask");
  for (const [at, path] of from.entries()) renameSync(path, to[at] ?? '');
  run.launcher.committed();
  await run.ended;
  t.strictSame(readFileSync(`${run.cwd}/x.o`), OBJECT);
  t.strictSame(run.status().outcomes, { pump: 0, plain: 1, cache: 0, local: 0 });
  t.match(run.events(), [
    { event: 'environment' },
    { event: 'compile', host: 'red', source: 'x.c', output: 'x.o', retries: 0, preprocessCpu: 5 },
  ]);
  t.equal(run.slots.used('preprocess'), 0);
});

await t.test('no place on a server is held by who waits for a preprocessor', async (t) => {
  const run = setUp(t);
  const busy = run.slots.tryAcquire('preprocess');
  const server = await run.server();
  for (let turn = 0; run.slots.waiting('preprocess') === 0 && turn < 100; turn++) {
    await setImmediate();
  }
  t.equal(run.slots.waiting('preprocess'), 1);
  t.match(run.farm.view(), [{ name: 'red', mine: 0 }]);
  busy?.release();
  const command = readPreprocess(await run.launcher.expect('preprocess'));
  t.match(run.farm.view(), [{ mine: 0 }], 'nor while it runs');
  writeFileSync(command.into, PREPROCESSED);
  run.launcher.preprocessed(0, 0);
  const job = await server.expect('job');
  t.match(run.farm.view(), [{ mine: 1 }]);
  await server.expect('chunk');
  server.answer(job.job, OBJECT, { sourceDigest: job.sourceDigest });
  await run.launcher.expect('done');
  run.launcher.committed();
  await run.ended;
  t.match(run.farm.view(), [{ mine: 0 }]);
});

await t.test(
  "make's token is lent while a server has the compile, and back before DONE",
  async (t) => {
    const told: string[] = [];
    let bringBack = (): void => {};
    const lend = () => {
      told.push('lent');
      return {
        takeBack: (gone: AbortSignal) => {
          told.push(gone.aborted ? 'gone' : 'wanted');
          return new Promise<void>((resolve) => (bringBack = resolve));
        },
      };
    };
    const run = setUp(t, { lend });
    const server = await run.server();
    await run.preprocess();
    const job = await server.expect('job');
    t.strictSame(told, ['lent']);
    await server.expect('chunk');
    server.answer(job.job, OBJECT, { sourceDigest: job.sourceDigest });
    const done = run.launcher.expect('done');
    let isDone = false;
    void done.then(() => (isDone = true));
    for (let turn = 0; turn < 20; turn++) await setImmediate();
    t.strictSame([told, isDone], [['lent', 'wanted'], false]);
    bringBack();
    await done;
    run.launcher.committed();
    await run.ended;
    t.match(run.events()[1], { event: 'compile', lentToken: true });
    t.equal(run.status().lentTokens, 1);

    told.length = 0;
    const killed = setUp(t, { lend });
    const other = await killed.server();
    await killed.preprocess();
    await other.expect('job');
    killed.launcher.end();
    for (let turn = 0; turn < 20; turn++) await setImmediate();
    t.strictSame(told, ['lent', 'gone']);
    bringBack();
    await killed.ended;
  },
);

await t.test('TSCC_VERBOSE: the outcome is told before the launcher’s verdict', async (t) => {
  const environment = { TSCC_VERBOSE: '1' };
  const remote = setUp(t, { environment });
  const server = await remote.server();
  await remote.preprocess();
  const job = await server.expect('job');
  await server.expect('chunk');
  server.answer(job.job, OBJECT, { sourceDigest: job.sourceDigest });

  t.equal((await remote.launcher.expect('stderr')).toString(), 'tscc: x.c: plain on red\n');
  await remote.launcher.expect('done');
  remote.launcher.committed();
  await remote.ended;

  const local = setUp(t, { environment: { ...environment, TSCC_MODE: 'local' } });
  t.match((await local.launcher.expect('stderr')).toString(), /^tscc: x\.c: local, mode-local: /);
  await local.runLocally();
  const other = setUp(t, { environment, request: { argv: ['gcc', '--version'] } });
  t.match((await other.launcher.expect('stderr')).toString(), /^tscc: gcc --version: other, query/);
  await other.runLocally();
});

await t.test('commands that compile no source run here, and count as other', async (t) => {
  const run = setUp(t, { request: { argv: ['gcc', '-o', 'x', 'x.o'] } });
  await run.launcher.expect('exec');
  t.equal(run.slots.used('other'), 1, 'a link holds a slot');
  run.launcher.end();
  await run.ended;
  t.equal(run.slots.used('other'), 0);
  t.match(run.status(), { other: { link: 1 }, outcomes: { local: 0 } });
});

await t.test('a pipeline of two commands cannot wait for itself', async (t) => {
  const run = setUp(t, { request: { argv: ['gcc', '-xc', '-c', '-', '-o', 'x.o'] } });
  await run.launcher.expect('exec');
  t.equal(run.slots.used('other'), 0, 'who reads standard input holds no slot');
  run.launcher.end();
  await run.ended;
});

await t.test('declines', async (t) => {
  const cases: [string, Options][] = [
    ['no-hosts', { environment: { TSCC_HOSTS: '' } }],
    ['mode-local', { environment: { TSCC_MODE: 'local' } }],
    ['scheduled-local', { environment: { TSCC_HOSTS: 'localhost/4' } }],
    ['foreign-namespace', { request: { world: 'mnt:[9] 2 3' } }],
    ['version-mismatch', { request: { version: 99 } }],
    ['compiler-is-script', { identity: 'compiler-is-script' }],
    ['unreadable-input', { request: { argv: ['gcc', '-c', 'none.c'] } }],
    ['output-special', { request: { argv: ['gcc', '-c', 'x.c', '-o', '/dev/null'] } }],
    ['output-unwritable', { request: { argv: ['gcc', '-c', 'x.c', '-o', 'no/x.o'] } }],
    ['several-sources', { request: { argv: ['gcc', '-c', 'x.c', 'y.c'] } }],
    ['lto', { request: { argv: ['gcc', '-flto', '-c', 'x.c'] } }],
    ['option:-fplugin=', { request: { argv: ['gcc', '-fplugin=p.so', '-c', 'x.c'] } }],
  ];
  for (const [reason, options] of cases) {
    await t.test(reason, async (t) => {
      const run = setUp(t, options);
      await run.runLocally();
      t.strictSame(run.status().declines, { [reason]: 1 });
      t.equal(run.status().outcomes.local, 1);
      t.equal(run.slots.used('compile'), 0);
    });
  }
});

await t.test('a bad host list is told once and the build goes on', async (t) => {
  const run = setUp(t, { environment: { TSCC_HOSTS: 'red:x' } });
  const told = (await run.launcher.expect('stderr')).toString();
  t.equal(told, "tscc: TSCC_HOSTS: line 1, column 4: port 'x' is not 1 to 65535\n");
  await run.runLocally();
  t.strictSame(run.status().declines, { 'bad-hosts': 1 });
});

await t.test('a bad host list where nothing may run here', async (t) => {
  const run = setUp(t, { environment: { TSCC_HOSTS: 'red:x', TSCC_FALLBACK: '0' } });
  t.match(readFail(await run.launcher.expect('fail')), { status: 106, message: /column 4/ });
  await run.ended;
  t.match(run.status(), { failed: 1, declines: { 'bad-hosts': 1 }, outcomes: { local: 0 } });
});

await t.test('no server: told once, compiled here', async (t) => {
  const run = setUp(t, { refusal: 'connection refused' });
  t.equal(
    (await run.launcher.expect('stderr')).toString(),
    'tscc: no-server: red: connection refused; compiling locally\n',
  );
  await run.runLocally();
  t.match(run.status(), { fallbacks: { 'no-server': 1 }, outcomes: { local: 1 } });
});

await t.test('no server where nothing may run here', async (t) => {
  const environment = { TSCC_FALLBACK: '0' };
  const run = setUp(t, { refusal: 'connection refused', environment });
  t.match(readFail(await run.launcher.expect('fail')), {
    status: 100,
    message: 'no-server: red: connection refused; TSCC_FALLBACK=0 forbids compiling it locally',
  });
  await run.ended;
});

await t.test('the preprocessor fails or prints', async (t) => {
  for (const [status, bytes] of [
    [1, 40],
    [0, 12],
  ] as const) {
    const run = setUp(t, { request: { argv: ['gcc', '-g', '-c', 'x.c'] } });
    await run.server();
    await run.preprocess(PREPROCESSED, status, bytes);
    await run.runLocally();
    t.strictSame(run.status().declines, { 'preprocess-diagnostics': 1 });
    t.strictSame(run.leftovers(), []);
  }
});

await t.test('inline assembly that reads a file', async (t) => {
  const run = setUp(t, { request: { argv: ['gcc', '-g', '-c', 'x.c'] } });
  await run.server();
  await run.preprocess(Buffer.from('asm(".incbin \\"logo\\"");'));
  await run.runLocally();
  t.strictSame(run.status().declines, { 'assembler-reads-file': 1 });
});

await t.test('a source that is too large', async (t) => {
  const run = setUp(t, { request: { argv: ['gcc', '-g', '-c', 'x.c'] } });
  await run.server();
  const { into } = readPreprocess(await run.launcher.expect('preprocess'));
  writeFileSync(into, '');
  truncateSync(into, DAEMON.sourceBytes + 1);
  run.launcher.preprocessed(0, 0);
  await run.runLocally();
  t.strictSame(run.status().declines, { 'source-too-large': 1 });
});

await t.test('the remote compile fails: only the local answer is shown', async (t) => {
  const run = setUp(t, { request: { argv: ['gcc', '-g', '-MD', '-c', 'x.c'] } });
  const server = await run.server();
  await run.preprocess();
  const job = await server.expect('job');
  server.fail(job.job, 'error: no', { sourceDigest: job.sourceDigest });
  await run.runLocally();
  t.match(run.status(), { fallbacks: { 'plain-diagnostics': 1 }, outcomes: { local: 1 } });
  t.match(run.events()[0], { detail: 'exit status 1, 9 bytes of messages' });
  t.strictSame(run.leftovers(), []);
});

await t.test('the remote compile fails where nothing may run here', async (t) => {
  const run = setUp(t, {
    environment: { TSCC_FALLBACK: '0' },
    request: { argv: ['gcc', '-g', '-c', 'x.c'] },
  });
  const server = await run.server();
  await run.preprocess();
  const job = await server.expect('job');
  server.fail(job.job, 'error: no', { sourceDigest: job.sourceDigest });
  t.equal((await run.launcher.expect('stderr')).toString(), 'error: no');
  t.match(readFail(await run.launcher.expect('fail')), {
    status: 100,
    message: /^plain-diagnostics: exit status 1.*TSCC_FALLBACK=0 forbids/,
  });
  await run.ended;
  t.match(run.status(), {
    failed: 1,
    outcomes: { local: 0 },
    fallbacks: { 'plain-diagnostics': 1 },
  });
});

for (const [way, kill] of [
  [
    'a signal',
    (red: FakeServer, job: number, over: object) =>
      red.answer(job, Buffer.alloc(0), { ...over, status: 139, signal: 11 }),
  ],
  [
    'a signal below its driver',
    (red: FakeServer, job: number, over: object) =>
      red.fail(job, 'gcc: fatal error: Killed signal terminated program cc1\n', over),
  ],
] as const) {
  await t.test(`killed by ${way}: another server first, then here`, async (t) => {
    const run = setUp(t, {
      environment: { TSCC_HOSTS: 'red green' },
      request: { argv: ['gcc', '-g', '-c', 'x.c'] },
    });
    const red = await run.server('red');
    await run.preprocess();
    const first = await red.expect('job');
    kill(red, first.job, { sourceDigest: first.sourceDigest });
    const green = await run.server('green');
    const second = await green.expect('job');
    green.send({ kind: 'refused', job: second.job, code: 'busy', message: 'full' });
    await run.runLocally();
    t.strictSame(run.status().fallbacks, { 'server-refused': 1 });
    t.match(run.events()[0], { detail: 'green: busy: full' });
  });
}

await t.test('what cannot be written beside its target is compiled here', async (t) => {
  const run = setUp(t, { request: { argv: ['gcc', '-g', '-c', 'x.c'] } });
  const server = await run.server();
  await run.preprocess();
  const job = await server.expect('job');
  writeFileSync(`${run.cwd}/.tscc-unique-000000001.o`, 'in the way');
  server.answer(job.job, OBJECT, { sourceDigest: job.sourceDigest });
  await run.runLocally();
  t.match(run.status().fallbacks, { 'output-failed': 1 });
  t.match(run.events()[0], { detail: /^EEXIST writing beside x\.o$/ });
});

await t.test('the launcher cannot rename', async (t) => {
  const run = setUp(t, { request: { argv: ['gcc', '-g', '-c', 'x.c'] } });
  const server = await run.server();
  await run.preprocess();
  const job = await server.expect('job');
  server.answer(job.job, OBJECT, { sourceDigest: job.sourceDigest });
  await run.launcher.expect('done');
  run.launcher.committed(21, `${run.cwd}/x.o`);
  await run.runLocally();
  t.strictSame(run.status().fallbacks, { 'commit-failed': 1 });
  t.strictSame(run.leftovers(), []);
});

await t.test('an interrupt at any point leaves nothing', async (t) => {
  await t.test('while the server compiles', async (t) => {
    const run = setUp(t, { request: { argv: ['gcc', '-g', '-MD', '-c', 'x.c'] } });
    const server = await run.server();
    await run.preprocess();
    await server.expect('job');
    await server.expect('chunk');
    run.launcher.leave(1);
    await run.ended;
    await server.expect('cancel');
    t.match(run.status(), { cancelled: 1, outcomes: { local: 0, plain: 0 } });
    t.match(run.events()[0], { event: 'cancelled', phase: 'remote:red', why: 'interrupted' });
    t.strictSame(run.leftovers(), []);
  });
  await t.test('before the renames', async (t) => {
    const run = setUp(t, { request: { argv: ['gcc', '-g', '-c', 'x.c'] } });
    const server = await run.server();
    await run.preprocess();
    const job = await server.expect('job');
    server.answer(job.job, OBJECT, { sourceDigest: job.sourceDigest });
    await run.launcher.expect('done');
    run.launcher.end();
    await run.ended;
    t.match(run.status(), { cancelled: 1, outcomes: { plain: 0 } });
    t.strictSame(run.leftovers(), []);
  });
  await t.test('while it waits for a local slot', async (t) => {
    const run = setUp(t, { environment: { TSCC_HOSTS: '' } });
    await run.launcher.expect('exec');
    run.launcher.end();
    await run.ended;
    t.equal(run.slots.used('compile'), 0);
  });
});

await t.test('a launcher that lost patience ran the compiler itself', async (t) => {
  const run = setUp(t, { request: { argv: ['gcc', '-g', '-c', 'x.c'] } });
  await run.server();
  await run.launcher.expect('preprocess');
  run.launcher.leave(2);
  await run.ended;
  t.match(run.status(), { fallbacks: { 'daemon-silent': 1 }, outcomes: { local: 1 } });
});

await t.test('a fault of tscc is logged, and the compiler runs', async (t) => {
  const identity = Promise.reject(new Error('a fault')) as unknown as Toolchain;
  const run = setUp(t, { identity });
  await run.runLocally();
  t.match(run.status(), { fallbacks: { 'internal-error': 1 }, outcomes: { local: 1 } });
  t.match(run.logged[0], /deciding: Error: a fault/);
});
