import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import t, { type Test } from 'tap';
import { SERVER, WIRE } from '../../src/core/limits.js';
import { generateKey, type Key } from '../../src/protocol/key-file.js';
import { clientTlsOptions, explainClientTlsError } from '../../src/protocol/secure-channel.js';
import { parseAllowed } from '../../src/server/access.js';
import { FakeCompiler, type Invocation } from '../fixtures/fake-compiler.js';
import { HeldClock } from '../fixtures/held-clock.js';
import { identityOf, TestServer } from '../fixtures/test-server.js';
import { WireClient } from '../fixtures/wire-client.js';

const fake = FakeCompiler.build();
const FAKE = identityOf(fake.path());
t.teardown(() => fake.close());

async function start(t: Test, changes: Parameters<typeof TestServer.start>[1] = {}) {
  const server = await TestServer.start([fake.path()], changes);
  t.teardown(() => server.stop());
  return server;
}

async function newClient(t: Test, server: TestServer, name?: string): Promise<WireClient> {
  const client = await WireClient.greeted(server.port, name);
  t.teardown(() => client.close());
  return client;
}

async function finish(run: Invocation): Promise<void> {
  await run.write(run.valueOf('-o') ?? '', 'object');
  await run.exit(0);
}

await t.test('gives a compiler nothing but what it needs', async (t) => {
  const server = await start(t);
  const client = await newClient(t, server);
  client.begin(FAKE, 'int x;\n', { options: [['-O', '2']], sourceDateEpoch: 1_700_000_000 });
  const run = await fake.nextInvocation();
  t.ok(run.cwd.startsWith(`${server.store}/jobs/`));
  t.same(run.env.toSorted(), [
    'LC_ALL=C',
    'PATH=/usr/bin:/bin',
    'SOURCE_DATE_EPOCH=1700000000',
    'TMPDIR=tmp',
  ]);
  const files = ['output.o', 'source.i'];
  t.same(run.argv, [fake.path(), '-O2', '-x', 'cpp-output', '-c', '-o', ...files]);
  t.equal((await run.read(files[1] ?? '')).toString(), 'int x;\n');
  await run.stdout('said');
  await run.stderr('warned');
  await finish(run);
  const answer = await client.answer();
  t.equal(answer.output.toString(), 'object');
  t.equal(answer.stdout.toString(), 'said');
  t.equal(answer.stderr.toString(), 'warned');
  await server.noLeftovers();
});

await t.test('jobs beyond slots and queue are pushed back', async (t) => {
  const server = await start(t, { slots: 1 });
  const client = await newClient(t, server);
  for (let i = 0; i <= SERVER.queuePerSlot; i++) client.begin(FAKE, 'x');
  const last = client.begin(FAKE, 'one too many');
  t.match(await client.refusal(), { job: last, code: 'busy' });
  const other = await newClient(t, server, 'another');
  await other.stateLike(({ running, queued }) => running === 1 && queued === SERVER.queuePerSlot);
  for (let i = 0; i <= SERVER.queuePerSlot; i++) {
    await finish(await fake.nextInvocation());
    await client.answer();
  }
});

await t.test('a client that fills the queue locks no other out', async (t) => {
  const server = await start(t, { slots: 1 });
  const [greedy, modest] = [await newClient(t, server, 'a'), await newClient(t, server, 'b')];
  for (let i = 0; i <= SERVER.queuePerSlot + 1; i++) greedy.begin(FAKE, 'greedy');
  t.match(await greedy.refusal(), { code: 'busy' });
  modest.begin(FAKE, 'modest');
  const answer = modest.answer();
  for (let i = 0; i <= SERVER.queuePerSlot + 1; i++) await finish(await fake.nextInvocation());
  t.equal((await answer).output.toString(), 'object');
});

await t.test('draining finishes what runs and takes nothing new', async (t) => {
  const server = await start(t);
  const client = await newClient(t, server);
  client.begin(FAKE, 'x');
  const run = await fake.nextInvocation();
  const drained = server.server.drain();
  await client.stateLike(({ draining }) => draining);
  const late = client.begin(FAKE, 'too late');
  t.match(await client.refusal(), { job: late, code: 'draining' });
  await t.rejects(WireClient.connect(server.port), { code: 'ECONNREFUSED' });
  await finish(run);
  t.equal((await client.answer()).output.toString(), 'object');
  t.match(await client.ended, { kind: 'goodbye', message: 'the server is ending' });
  await drained;
});

await t.test('draining has an end', async (t) => {
  const clock = new HeldClock(SERVER.drain);
  const server = await start(t, { clock });
  const client = await newClient(t, server);
  client.begin(FAKE, 'x');
  const run = await fake.nextInvocation();
  const drained = server.server.drain();
  clock.fire();
  await run.gone;
  t.match(await client.ended, { kind: 'goodbye' });
  await drained;
  t.match(server.log, [/jobs still run after 60 s/]);
});

await t.test('a compiler that takes too long is killed', async (t) => {
  const clock = new HeldClock(SERVER.jobWall);
  const server = await start(t, { clock });
  const client = await newClient(t, server);
  client.begin(FAKE, 'x');
  const run = await fake.nextInvocation();
  clock.fire();
  await run.gone;
  t.match(await client.refusal(), { code: 'limit', message: /longer than 1800 s/ });
  t.equal(clock.pending, 0);
});

await t.test('a source that never arrives gives up its place', async (t) => {
  const clock = new HeldClock(SERVER.jobUpload);
  const server = await start(t, { clock });
  const client = await newClient(t, server);
  client.beginRaw(Buffer.from('the beginning'), { toolchain: FAKE, encodedBytes: 1000 });
  await clock.armed();
  clock.fire();
  t.match(await client.refusal(), { code: 'limit', message: /not arrive within 300 s/ });
  await server.noLeftovers();
});

await t.test('closing kills what runs', async (t) => {
  const server = await start(t);
  const client = await newClient(t, server);
  client.begin(FAKE, 'x');
  const run = await fake.nextInvocation();
  await server.server.close();
  await run.gone;
  await server.noLeftovers();
  t.match(await client.ended, { kind: 'goodbye' });
});

await t.test('only networks that are allowed get in', async (t) => {
  const [others, loopback] = [parseAllowed(['10.0.0.0/8']), parseAllowed(['127.0.0.0/8'])];
  if (!others.ok || !loopback.ok) throw new Error('unreachable');
  const closed = await start(t, { allowed: others.value });
  const client = await WireClient.connect(closed.port);
  t.match(await client.ended, { kind: 'lost' });
  t.match(closed.log, [/^127\.0\.0\.1:\d+: refused: its address is not in --allow$/]);
  const open = await start(t, { allowed: loopback.value });
  await newClient(t, open);
});

await t.test('who never says HELLO is sent away', async (t) => {
  const clock = new HeldClock(WIRE.handshake);
  const server = await start(t, { clock });
  const socket = connectTcp(server.port, '127.0.0.1');
  // A later connection is accepted later: with its welcome the first is known to be there.
  await once(socket, 'connect');
  await newClient(t, server);
  clock.fire();
  await once(socket.resume(), 'close');
  t.match(server.log, [/refused: no HELLO within 5 s/]);
});

await t.test('silent connections make room for others', async (t) => {
  const server = await start(t);
  const oldest = connectTcp(server.port, '127.0.0.1').resume();
  await once(oldest, 'connect');
  const gone = once(oldest, 'close');
  const others = Array.from({ length: WIRE.pendingHandshakes }, () =>
    connectTcp(server.port, '127.0.0.1'),
  );
  await gone;
  const client = await newClient(t, server);
  t.equal(await client.knows(FAKE, 'gcc'), true, 'a real client is served');
  t.match(server.log[0], /too many connections without HELLO/);
  for (const socket of others) socket.destroy();
});

await t.test('with a key', async (t) => {
  const [key, other] = [generateKey(), generateKey()];
  const server = await start(t, { keys: [key, other] });

  const failure = (options: object) =>
    new Promise<Error>((resolve) => {
      connectTls({ port: server.port, host: '127.0.0.1', ...options })
        .on('error', resolve)
        .on('secureConnect', () => resolve(new Error('connected')));
    });
  const withKey = (one: Key) => failure(clientTlsOptions(one));

  for (const one of [key, other]) {
    const socket = connectTls({ port: server.port, host: '127.0.0.1', ...clientTlsOptions(one) });
    await once(socket, 'secureConnect');
    const client = new WireClient(socket);
    t.teardown(() => client.close());
    await client.greet();
    client.begin(FAKE, 'x');
    await finish(await fake.nextInvocation());
    t.equal((await client.answer()).output.toString(), 'object');
  }
  t.same(server.log, []);

  const wrong = await withKey({ id: key.id, secret: other.secret });
  t.match(explainClientTlsError(wrong), /another key under the same id/);
  t.match(server.log.at(-1), /^127\.0\.0\.1:\d+: the client has another key/);
  const unknown = await withKey(generateKey());
  t.match(explainClientTlsError(unknown), /does not know this key/);
  t.match(server.log.at(-1), /unknown id/);
  const old = await failure({ rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
  t.match(explainClientTlsError(old), /does not speak TLS 1\.3|older/);
  t.match(server.log.at(-1), /older TLS/);

  const plain = await WireClient.connect(server.port);
  plain.connection.send({ kind: 'cancel', job: 1 });
  t.match(await plain.ended, { kind: 'lost' });
  t.match(server.log.at(-1), /does not use a key: set TSCC_KEY_FILE/);
});

await t.test('with a key, silent connections make room, each under one line', async (t) => {
  const key = generateKey();
  const server = await start(t, { keys: [key] });
  const silent = Array.from({ length: WIRE.pendingOfOrigin + 8 }, () => {
    const socket = connectTcp(server.port, '127.0.0.1').resume();
    // The beginning of a handshake, and no more of it.
    socket.write(Buffer.from('1603010200010001fc0303', 'hex'));
    return socket;
  });
  await Promise.all(silent.slice(0, 8).map((socket) => once(socket, 'close')));
  const socket = connectTls({ port: server.port, host: '127.0.0.1', ...clientTlsOptions(key) });
  await once(socket, 'secureConnect');
  const client = new WireClient(socket);
  t.equal((await client.greet()).kind, 'welcome');
  client.close();
  for (const one of silent) one.destroy();
  await server.server.close();
  t.match(server.log, [
    /^127\.0\.0\.1:\d+: closed to make room: too many connections without HELLO$/,
    /^127\.0\.0\.1: closed to make room: .* \(\d more within 60 s\)$/,
  ]);
  t.equal(server.log.length, 2);
});

await t.test('without a key, when the client has one', async (t) => {
  const server = await start(t);
  const socket = connectTls({
    port: server.port,
    host: '127.0.0.1',
    ...clientTlsOptions(generateKey()),
  });
  const [error] = (await once(socket, 'error')) as [Error];
  t.match(explainClientTlsError(error), /server does not use a key: give tsccd --key-file/);
  t.match(server.log, [/the client uses a key, this server has none/]);
});
