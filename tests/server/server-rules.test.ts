/** What a running server may be told anew, and what it tells who measures it. */
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import { generateKey, type Key } from '../../src/protocol/key-file.js';
import { clientTlsOptions } from '../../src/protocol/secure-channel.js';
import { parseAllowed } from '../../src/server/access.js';
import type { Refusal } from '../../src/server/log.js';
import type { JobEnding, JobMode } from '../../src/server/observer.js';
import { NO_SANDBOX } from '../../src/server/sandbox.js';
import { FakeCompiler } from '../fixtures/fake-compiler.js';
import { identityOf, TestServer } from '../fixtures/test-server.js';
import { until } from '../fixtures/until.js';
import { WireClient } from '../fixtures/wire-client.js';

const fake = FakeCompiler.build();
const FAKE = identityOf(fake.path());
t.teardown(() => fake.close());

type Changes = NonNullable<Parameters<typeof TestServer.start>[1]>;

async function start(t: Test, changes: Changes = {}) {
  const refused: Refusal[] = [];
  const jobs: [JobMode, JobEnding][] = [];
  const server = await TestServer.start([fake.path()], {
    observer: {
      jobOver: (mode, ending) => void jobs.push([mode, ending]),
      refused: (why) => void refused.push(why),
    },
    ...changes,
  });
  t.teardown(() => server.stop());
  return { server, refused, jobs };
}

function dial(t: Test, port: number, key: Key, session?: Buffer): TLSSocket {
  const how = { ...clientTlsOptions(key), ...(session === undefined ? {} : { session }) };
  const socket = connectTls({ port, host: '127.0.0.1', ...how });
  t.teardown(() => socket.destroy());
  return socket;
}

/** Whether a TLS handshake comes to a good end. */
function isLetIn(socket: TLSSocket): Promise<boolean> {
  return new Promise((resolve) => {
    socket.once('secureConnect', () => resolve(true)).once('error', () => resolve(false));
  });
}

await t.test('keys change under an open connection', async (t) => {
  const [old, next] = [generateKey(), generateKey()];
  const { server } = await start(t, { keys: [old] });
  const { port } = server;
  const first = dial(t, port, old);
  const ticket = once(first, 'session');
  await once(first, 'secureConnect');
  const client = new WireClient(first);
  await client.greet();
  const [session] = (await ticket) as [Buffer];
  t.notOk(await isLetIn(dial(t, port, next)), 'not known yet');

  const rules = { slots: 2, allowed: undefined };
  server.server.change({ ...rules, keys: [old, next] });
  for (const key of [old, next]) t.ok(await isLetIn(dial(t, port, key)), 'both');

  server.server.change({ ...rules, keys: [next] });
  t.ok(await isLetIn(dial(t, port, next)));
  t.notOk(await isLetIn(dial(t, port, old)), 'no more');
  const withTicket = dial(t, port, { ...old, id: generateKey().id }, session);
  t.notOk(await isLetIn(withTicket), 'nor with what an older session left');
  t.equal(await client.knows(FAKE, 'gcc'), true, 'who is connected stays');
  client.close();
});

await t.test('a session of the old key goes on where keys have not changed', async (t) => {
  // That the test above tests something: without `change` the ticket opens a connection.
  const key = generateKey();
  const { server } = await start(t, { keys: [key] });
  const first = dial(t, server.port, key);
  const [session] = (await once(first, 'session')) as [Buffer];
  const stranger = { ...key, id: generateKey().id };
  const again = dial(t, server.port, stranger, session);
  t.ok(await isLetIn(again));
  t.ok(again.isSessionReused());
});

await t.test('networks and slots change', async (t) => {
  const { server, refused } = await start(t, { slots: 1 });
  const client = await WireClient.greeted(server.port);
  t.teardown(() => client.close());
  const others = parseAllowed(['10.0.0.0/8']);
  if (!others.ok) throw new Error(others.error);
  server.server.change({ slots: 5, keys: [], allowed: others.value });
  await client.stateLike(({ slots }) => slots === 5);
  const stranger = await WireClient.connect(server.port);
  t.match(await stranger.ended, { kind: 'lost' });
  t.same(refused, ['address']);
  t.throws(
    () => server.server.change({ slots: 5, keys: [generateKey()], allowed: undefined }),
    /decided at the start/,
  );
});

await t.test('who is refused has a reason', async (t) => {
  const key = generateKey();
  const keyed = await start(t, { keys: [key] });
  await isLetIn(dial(t, keyed.server.port, generateKey()));
  t.same(keyed.refused, ['key']);

  const { server, refused } = await start(t);
  const malformed = await WireClient.connect(server.port);
  malformed.connection.send({ kind: 'cancel', job: 1 });
  await malformed.ended;
  const other = await WireClient.connect(server.port);
  const hello = { kind: 'hello', version: '9', features: [], client: 'x' } as const;
  other.connection.send({ ...hello, protocol: 999 });
  t.match(await other.ended, { kind: 'goodbye' });
  const tls = dial(t, server.port, key);
  t.notOk(await isLetIn(tls));
  t.same(refused, ['malformed', 'version', 'key']);
});

await t.test('jobs by how they end, and bytes', async (t) => {
  const { server, jobs } = await start(t, { slots: 1 });
  const client = await WireClient.greeted(server.port);
  client.begin(FAKE, 'int x;\n');
  const run = await fake.nextInvocation();
  t.match(server.server.figures, { slots: 1, running: 1, waiting: 0, connections: 1 });
  await run.write(run.valueOf('-o') ?? '', 'object');
  await run.exit(0);
  await client.answer();
  await until(() => jobs.length === 1);
  t.match(jobs, [['plain', { outcome: 'done', times: { queue: Number, wall: Number } }]]);

  const id = client.begin(FAKE, 'x');
  const second = await fake.nextInvocation();
  client.connection.send({ kind: 'cancel', job: id });
  await second.gone;
  await until(() => jobs.length === 2);
  t.match(jobs[1], ['plain', { outcome: 'cancelled' }]);

  const open = server.server.figures;
  t.ok(open.receivedBytes > 20 && open.sentBytes > 20);
  client.close();
  await until(() => server.server.figures.connections === 0);
  const closed = server.server.figures;
  t.ok(closed.receivedBytes >= open.receivedBytes && closed.sentBytes >= open.sentBytes);
});

await t.test('bytes of TLS are those on the wire', async (t) => {
  const key = generateKey();
  const { server } = await start(t, { keys: [key] });
  const tls = dial(t, server.port, key);
  const client = new WireClient(tls);
  await client.greet();
  await until(() => server.server.figures.receivedBytes > 0);
  t.ok(server.server.figures.receivedBytes > 300, 'a handshake alone has more');
  t.ok(server.server.figures.sentBytes > 200);
  client.close();
  await until(() => server.server.figures.connections === 0);
  t.ok(server.server.figures.receivedBytes > 300);
});

await t.test('what ails it', async (t) => {
  const sandbox = { ...NO_SANDBOX, failure: 'the canary got out' };
  const ill = await start(t, { sandbox });
  t.match(ill.server.server.ailment, { code: 'sandbox', message: /seal jobs off.*canary got out/ });
  const client = await WireClient.greeted(ill.server.port);
  client.begin(FAKE, 'x');
  t.match(await client.refusal(), { code: 'sandbox' });
  t.match(ill.jobs, [['plain', { outcome: 'sandbox' }]]);
  client.close();

  const { server } = await start(t);
  t.equal(server.server.ailment, undefined);
  const socket = connectTcp(server.port, '127.0.0.1').resume();
  await once(socket, 'connect');
  await server.server.drain();
  t.match(server.server.ailment, { code: 'draining' });
});
