import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { connect as connectTls } from 'node:tls';
import t from 'tap';
import type { Digest } from '../../src/core/digest.js';
import { formatKey, generateKey, type Key } from '../../src/protocol/key-file.js';
import { clientTlsOptions } from '../../src/protocol/secure-channel.js';
import { realToolchainDeps } from '../../src/toolchain/toolchain-host.js';
import { ToolchainProbe } from '../../src/toolchain/toolchain.js';
import { FakeCompiler } from '../fixtures/fake-compiler.js';
import { RUN_TSCCD } from '../../benchmarks/servers.js';
import { TsccdProcess } from '../fixtures/tsccd-process.js';
import { WireClient } from '../fixtures/wire-client.js';

/** The fake compiler talks to the test through a socket. */
const OPEN = '--unsafe-no-sandbox';

/** What the server takes the fake compiler for. */
async function identityOf(fake: FakeCompiler): Promise<Digest> {
  const probe = new ToolchainProbe(realToolchainDeps(() => undefined));
  const toolchain = await probe.identify(fake.path(), fake.directory);
  if (typeof toolchain === 'string') throw new Error(toolchain);
  return toolchain.digest;
}

await t.test('serves compiles and drains on SIGTERM', async (t) => {
  const fake = FakeCompiler.build(['gcc', 'cc'], 'tsccd');
  t.teardown(() => fake.close());
  const store = t.testdir({});
  const daemon = new TsccdProcess(
    t,
    ['--listen', '127.0.0.1:0', '--store', store, '--scratch', `${store}/s`, '--jobs', '3', OPEN],
    {
      PATH: fake.directory,
    },
  );
  const port = await daemon.port();
  const client = await WireClient.connect(port);
  const welcome = await client.greet();
  t.equal(welcome.slots, 3);
  t.match(welcome.version, /^\d+\.\d+\.\d+/);

  const digest = await identityOf(fake);
  t.equal(await client.knows(digest, 'gcc', statSync(fake.path()).size), true);
  client.begin(digest, 'int x;\n');
  const run = await fake.nextInvocation();
  t.equal(readdirSync(`${store}/s/jobs`).length, 1, 'where it was told to have its jobs');
  daemon.process.kill('SIGTERM');
  await client.stateLike(({ draining }) => draining);
  await run.write(run.valueOf('-o') ?? '', 'object');
  await run.exit(0);
  t.equal((await client.answer()).output.toString(), 'object');
  t.match(await client.ended, { kind: 'goodbye' });
  t.equal(await daemon.exited, 0);
  t.equal(daemon.stdout.split('\n').length, 2, 'one line');
  t.same(readdirSync(`${store}/s/jobs`), []);
});

await t.test('a second signal ends it at once', async (t) => {
  const fake = FakeCompiler.build(['gcc'], 'at once');
  t.teardown(() => fake.close());
  const daemon = new TsccdProcess(t, ['--listen', '127.0.0.1:0', OPEN], { PATH: fake.directory });
  const client = await WireClient.greeted(await daemon.port());
  const digest = await identityOf(fake);
  await client.knows(digest, 'gcc', statSync(fake.path()).size);
  client.begin(digest, 'int x;\n');
  const run = await fake.nextInvocation();
  daemon.process.kill('SIGINT');
  await client.stateLike(({ draining }) => draining);
  daemon.process.kill('SIGTERM');
  await run.gone;
  t.match(await client.ended, { kind: 'goodbye' });
  t.equal(await daemon.exited, 143);
});

await t.test(
  'a server that is killed leaves no compiler, and its successor no files',
  async (t) => {
    const fake = FakeCompiler.build(['gcc'], 'killed');
    t.teardown(() => fake.close());
    const store = t.testdir({});
    const words = ['--listen', '127.0.0.1:0', '--store', store, '--scratch', store, OPEN];
    const daemon = new TsccdProcess(t, words, { PATH: fake.directory });
    const client = await WireClient.greeted(await daemon.port());
    const digest = await identityOf(fake);
    await client.knows(digest, 'gcc', statSync(fake.path()).size);
    client.begin(digest, 'int x;\n');
    const run = await fake.nextInvocation();
    await run.child();

    const neighbour = new TsccdProcess(t, words);
    await neighbour.port();
    daemon.process.kill('SIGKILL');
    await run.gone;
    await daemon.exited;
    t.equal(readdirSync(`${store}/jobs`).length, 2, 'the dead one and its neighbour');
    const successor = new TsccdProcess(t, words);
    await successor.port();
    t.equal(readdirSync(`${store}/jobs`).length, 2, 'the neighbour and the successor');
    t.match(successor.stderr, /removed .*left by a server that is gone/);
  },
);

await t.test('with a key file it speaks TLS only', async (t) => {
  const key = generateKey();
  const file = `${t.testdir({})}/key`;
  writeFileSync(file, formatKey(key), { mode: 0o600 });
  const daemon = new TsccdProcess(t, ['--listen', '127.0.0.1:0', '--key-file', file]);
  const port = await daemon.port();
  const socket = connectTls({ port, host: '127.0.0.1', ...clientTlsOptions(key) });
  await once(socket, 'secureConnect');
  const client = new WireClient(socket);
  t.match(await client.greet(), { kind: 'welcome' });
  client.close();
  const plain = await WireClient.connect(port);
  plain.connection.send({ kind: 'cancel', job: 1 });
  t.match(await plain.ended, { kind: 'lost' });
});

await t.test('two keys are good while they change, and no third', async (t) => {
  const directory = t.testdir({});
  const keys = ['old', 'new', 'other'].map((name) => {
    const key = generateKey();
    writeFileSync(`${directory}/${name}`, formatKey(key), { mode: 0o600 });
    return key;
  });
  const files = ['--key-file', `${directory}/old`, '--key-file', `${directory}/new`];
  const daemon = new TsccdProcess(t, ['--listen', '127.0.0.1:0', ...files]);
  const port = await daemon.port();
  const secured = (key: Key) =>
    new Promise<boolean>((resolve) => {
      const socket = connectTls({ port, host: '127.0.0.1', ...clientTlsOptions(key) });
      const end = (isOpen: boolean) => {
        socket.destroy();
        resolve(isOpen);
      };
      socket.on('secureConnect', () => end(true)).on('error', () => end(false));
    });
  t.same(await Promise.all(keys.map(secured)), [true, true, false]);
  daemon.process.kill('SIGTERM');
  await daemon.exited;
  t.match(daemon.stderr, /127\.0\.0\.1:\d+: the client has a key of an unknown id, or none/);
});

await t.test('what cannot be is told in one line, with distcc’s exit codes', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const root = t.testdir({ file: '', key: 'no key' });
  chmodSync(`${root}/key`, 0o600);
  writeFileSync(`${root}/good`, formatKey(generateKey()), { mode: 0o600 });
  writeFileSync(`${root}/open`, formatKey(generateKey()));
  chmodSync(`${root}/open`, 0o640);
  const any = ['--listen', '127.0.0.1:0'];
  const cases: [words: string[], status: number, message: RegExp][] = [
    [['--listen', '0.0.0.0:0'], 101, /without --key-file only this machine may connect/],
    [['--listen', ':0'], 101, /without --key-file/],
    [['--listen', '1:2:3'], 101, /--listen: '1:2:3' is not HOST:PORT/],
    [
      // Elsewhere it could find what another server has left, and would say so.
      ['--listen', `127.0.0.1:${port}`, '--scratch', root],
      102,
      /cannot listen on 127\.0\.0\.1:\d+: the port is taken/,
    ],
    [['--listen', '127.0.0.1:0', '--jobs', '0'], 101, /--jobs must be a whole number from 1/],
    [[...any, '--jobs', 'many'], 101, /--jobs must be/],
    [[...any, '--nice', '20'], 101, /--nice must be/],
    [[...any, '--allow', '10.0.0.0/99'], 101, /--allow: '10\.0\.0\.0\/99' is not/],
    [[...any, '--frobnicate'], 101, /frobnicate/],
    [[...any, '--store', `${root}/file`], 107, /store .*file cannot be used: ENOTDIR.*--store/],
    [[...any, '--store', '/proc/none'], 107, /store \/proc\/none cannot be used: ENOENT/],
    [[...any, '--scratch', '/proc/none'], 107, /scratch \/proc\/none cannot be used.*--scratch$/m],
    [[...any, '--key-file', `${root}/none`], 101, /key file .*none cannot be read: ENOENT/],
    [[...any, '--key-file', `${root}/key`], 101, /key file .* is not one line/],
    [[...any, '--key-file', `${root}/open`], 101, /can be read by others \(mode 0640\): chmod 600/],
    [
      [...any, '--key-file', `${root}/good`, '--key-file', `${root}/good`],
      101,
      /key file .*: another --key-file has a key of its id/,
    ],
  ];
  const results = await Promise.all(cases.map(([words]) => new TsccdProcess(t, words).failure()));
  for (const [index, [words, status, message]] of cases.entries()) {
    const [exit, stderr] = results[index] ?? [];
    t.equal(exit, status, words.join(' '));
    t.match(stderr, message);
    t.match(stderr, /^tsccd: [^\n]+\n$/, 'one line');
  }
});

await t.test('a configuration file in the place of flags', async (t) => {
  const root = t.testdir({
    tscc: { 'tsccd.toml': 'listen = "127.0.0.1:0"\nstore = "../store"\njobs = 7\n' },
    broken: 'jobs = 0\n',
  });
  const found = new TsccdProcess(t, [], { XDG_CONFIG_HOME: root });
  const client = await WireClient.connect(await found.port());
  t.equal((await client.greet()).slots, 7);
  client.close();
  t.ok(readdirSync(`${root}/store`).includes('jobs'), 'relative to the file');
  await found.logged(/tsccd\.toml; 7 slots, all may connect\n/);
  const [status, stderr] = await new TsccdProcess(t, ['--config', `${root}/broken`]).failure();
  t.equal(status, 101);
  t.match(stderr, /^tsccd: \S+broken:1: 'jobs' must be a whole number from 1 to 4096\n$/);
});

await t.test('its port for monitoring', async (t) => {
  const fake = FakeCompiler.build(['gcc'], 'monitored');
  t.teardown(() => fake.close());
  const words = ['--listen', '127.0.0.1:0', OPEN, '--metrics-port', '0'];
  const daemon = new TsccdProcess(t, words, { PATH: fake.directory });
  const client = await WireClient.greeted(await daemon.port());
  const [, url = '', metricsPort = ''] = await daemon.logged(/metrics: (\S+:(\d+))\/metrics\n/);
  t.match(await fetched(`${url}/healthz`), { status: 200, text: 'ok\n' });

  const taken = new TsccdProcess(t, ['--listen', '127.0.0.1:0', '--metrics-port', metricsPort]);
  const [status, stderr] = await taken.failure();
  t.equal(status, 102);
  t.match(stderr, /^tsccd: no metrics on 127\.0\.0\.1:\d+: .*EADDRINUSE.*--metrics-port$/m);

  const digest = await identityOf(fake);
  await client.knows(digest, 'gcc', statSync(fake.path()).size);
  client.begin(digest, 'int x;\n');
  const run = await fake.nextInvocation();
  t.match(await fetched(`${url}/metrics`), { status: 200, text: /^tscc_jobs_running 1$/m });
  daemon.process.kill('SIGTERM');
  await client.stateLike(({ draining }) => draining);
  t.match(await fetched(`${url}/healthz`), { status: 503, text: 'the server is about to end\n' });
  await run.exit(1);
  await client.answer();
  t.equal(await daemon.exited, 0);
  await t.rejects(fetched(`${url}/healthz`), 'closed with it');
});

async function fetched(url: string): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(url);
  return { status: response.status, text: await response.text() };
}

await t.test('the store is where the environment says', async (t) => {
  const root = t.testdir({});
  const cache = new TsccdProcess(t, ['--listen', '127.0.0.1:0'], {
    XDG_CACHE_HOME: `${root}/cache`,
  });
  await cache.port();
  t.ok(readdirSync(`${root}/cache/tscc`).includes('jobs'));
  const home = new TsccdProcess(t, ['--listen', '127.0.0.1:0'], { HOME: `${root}/home` });
  await home.port();
  t.ok(readdirSync(`${root}/home/.cache/tscc`).includes('jobs'));
});

await t.test('says what it is', async (t) => {
  const [program, ...words] = RUN_TSCCD;
  const { version } = JSON.parse(
    readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
  ) as { readonly version: string };
  t.equal(execFileSync(program, [...words, '--version']).toString(), `tsccd ${version}\n`);
  t.match(
    execFileSync(program, [...words, '--help']).toString(),
    /--listen.*--jobs.*--store.*--key-file.*--config/s,
  );
});
