import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { release } from 'node:os';
import { Packr } from 'msgpackr';
import t, { type Test } from 'tap';
import { digestOf } from '../../src/core/digest.js';
import { SERVER, WIRE } from '../../src/core/limits.js';
import { FRAME, frameHeader } from '../../src/protocol/framing.js';
import { WIRE_VERSION } from '../../src/protocol/messages.js';
import { FakeCompiler } from '../fixtures/fake-compiler.js';
import { identityOf, NOT_NOW, TestServer } from '../fixtures/test-server.js';
import { WireClient } from '../fixtures/wire-client.js';

const packr = new Packr({ useRecords: false });
const fake = FakeCompiler.build();
const FAKE = identityOf(fake.path());
const server = await TestServer.start([fake.path()]);
t.teardown(async () => {
  await server.stop();
  fake.close();
});

async function newClient(t: Test, name?: string): Promise<WireClient> {
  const client = await WireClient.greeted(server.port, name);
  t.teardown(() => client.close());
  return client;
}

function frame(type: number, job: number, body: Uint8Array): Buffer {
  const header = frameHeader(FRAME.ping, job, body.length);
  header[4] = type;
  return Buffer.concat([header, body]);
}

const hello = frame(
  FRAME.hello,
  0,
  packr.pack({ protocol: WIRE_VERSION, version: 'x', client: 'raw', features: [] }),
);

await t.test('a client is welcomed and told the state', async (t) => {
  const client = await WireClient.connect(server.port);
  t.teardown(() => client.close());
  t.match(await client.greet(), { version: 'test', host: 'test-host', slots: 2, tier: 0 });
  t.match(await client.stateLike(() => true), {
    slots: 2,
    running: 0,
    queued: 0,
    load: 0.5,
    draining: false,
  });
  t.equal(await client.knows(FAKE, 'gcc'), true);
  t.equal(await client.knows(digestOf('none'), 'gcc'), false);
});

await t.test('a client may ask about the host, so often as it hears answers', async (t) => {
  const client = await newClient(t);
  client.connection.send({ kind: 'about-query' });
  const about = await client.next();
  t.match(about, {
    kind: 'about',
    kernel: release(),
    storeBytes: 0,
    isRoot: Boolean,
    time: Number,
  });
  t.ok('storeFree' in about && about.storeFree > 0);

  for (let n = 0; n <= SERVER.openQueries; n++) client.connection.send({ kind: 'about-query' });
  t.match(await client.ended, { kind: 'goodbye', message: /more than 64 questions at once/ });
});

await t.test('a host that cannot be told about: the client hears why', async (t) => {
  const broken = await TestServer.start([], { about: () => Promise.reject(new Error('no disk')) });
  t.teardown(() => broken.stop());
  const client = await WireClient.greeted(broken.port);
  client.connection.send({ kind: 'about-query' });
  t.match(await client.ended, { kind: 'goodbye', message: /about this host: no disk/ });
  t.match(broken.log.join(), /about this host: no disk/);
});

await t.test('a client of another protocol hears why it is sent away', async (t) => {
  const client = await WireClient.connect(server.port);
  client.connection.send({
    kind: 'hello',
    protocol: WIRE_VERSION + 1,
    version: '9.9',
    client: 'new',
    features: [],
  });
  const message = new RegExp(`protocol ${WIRE_VERSION + 1} of tscc 9\\.9 .* same version`);
  t.match(await client.ended, { kind: 'goodbye', message });
});

await t.test('a malformed frame ends its connection and no other', async (t) => {
  const bystander = await newClient(t);
  bystander.begin(FAKE, 'goes on');
  const run = await fake.nextInvocation();

  const nothing = new Uint8Array();
  const map = (fields: object) => packr.pack(fields);
  const cases: [name: string, bytes: Buffer, message: RegExp][] = [
    ['a giant length', Buffer.from('ffffffff', 'hex'), /4294967295 bytes/],
    ['a length too small', Buffer.from('00000000', 'hex'), /frame of 0 bytes/],
    ['an unknown type', frame(0x77, 0, nothing), /unknown frame type 119/],
    [
      'a control frame too large',
      frameHeader(FRAME.job, 1, WIRE.controlBytes + 1),
      /1048582 bytes/,
    ],
    ['a chunk too large', frameHeader(FRAME.chunk, 1, WIRE.chunkBytes + 1), /262145 bytes/],
    ['a nested bomb', frame(FRAME.job, 1, Buffer.alloc(1000, 0x81)), /key is not a string/],
    [
      'nested array headers',
      frame(FRAME.hello, 0, Buffer.concat([Buffer.from('81a161', 'hex'), Buffer.alloc(20, 0xdd)])),
      /3722304989 elements/,
    ],
    ['no map', frame(FRAME.job, 1, packr.pack([1])), /not a map/],
    ['a map without fields', frame(FRAME.job, 1, map({})), /field 'toolchain'/],
    [
      'a question without a name',
      frame(FRAME.toolchainQuery, 0, map({ digest: FAKE })),
      /field 'name'/,
    ],
    ['a body where none belongs', frame(FRAME.ping, 0, Buffer.from('x')), /with a body/],
    ['a second HELLO', hello, /unexpected message hello/],
    [
      "the server's own words",
      frame(FRAME.refused, 1, map({ code: 'busy', message: '' })),
      /refused/,
    ],
    ['a chunk of no job', frame(FRAME.chunk, 5, Buffer.from('x')), /job 5 was never begun/],
    ['a chunk of job 0', frame(FRAME.chunk, 0, Buffer.from('x')), /job 0/],
    ['the end of no job', frame(FRAME.cancel, 5, nothing), /job 5 was never begun/],
  ];
  for (const [name, bytes, message] of cases) {
    const before = server.log.length;
    const socket = connect(server.port, '127.0.0.1');
    const words: Buffer[] = [];
    socket.on('data', (data: Buffer) => words.push(data));
    socket.write(Buffer.concat([hello, bytes]));
    await once(socket, 'close');
    const said = Buffer.concat(words).toString('latin1');
    t.match(said, message, `${name}: goodbye`);
    t.match(server.log.slice(before), [message], `${name}: one line in the log`);
    t.equal(server.log.length, before + 1);
  }
  await run.write(run.valueOf('-o') ?? '', 'done');
  await run.exit(0);
  t.equal((await bystander.answer()).output.toString(), 'done');
});

await t.test('the first message is HELLO', async (t) => {
  const client = await WireClient.connect(server.port);
  client.connection.send({ kind: 'cancel', job: 1 });
  t.match(await client.ended, { kind: 'goodbye', message: /not HELLO/ });
});

await t.test('job numbers grow', async (t) => {
  const client = await newClient(t);
  const fields = { toolchain: digestOf('none'), sourceEncoding: 'none', job: 7 } as const;
  client.beginRaw(Buffer.alloc(0), fields);
  await client.refusal();
  client.beginRaw(Buffer.alloc(0), fields);
  t.match(await client.ended, { kind: 'goodbye', message: 'number 7 after 7' });
});

await t.test('more source than announced is an offence', async (t) => {
  const client = await newClient(t);
  const job = client.beginRaw(Buffer.alloc(0), {
    toolchain: FAKE,
    encodedBytes: 4,
    sourceBytes: 4,
    sourceEncoding: 'none',
  });
  client.connection.send({ kind: 'chunk', job, bytes: Buffer.from('12345') });
  t.match(await client.ended, { kind: 'goodbye', message: /more source than JOB announced/ });
  await server.noLeftovers();
});

await t.test('a question without an answer ends the connection', async (t) => {
  const client = await newClient(t);
  const query = { kind: 'toolchain-query', name: 'gcc', driverBytes: 0 } as const;
  client.connection.send({ ...query, digest: NOT_NOW });
  const message = 'cannot look for a compiler: no open file left';
  t.match(await client.ended, { kind: 'goodbye', message });
  t.ok(server.log.some((line) => line.endsWith(message)));
});

await t.test('questions are bounded', async (t) => {
  const client = await newClient(t);
  for (let i = 0; i <= SERVER.openQueries; i++) {
    client.connection.send({ kind: 'toolchain-query', digest: FAKE, name: 'gcc', driverBytes: 0 });
  }
  t.match(await client.ended, { kind: 'goodbye', message: /64 questions/ });
});

await t.test('what other clients begin and end is told', async (t) => {
  const [busy, watcher] = [await newClient(t, 'busy'), await newClient(t, 'watcher')];
  busy.begin(FAKE, 'x');
  const run = await fake.nextInvocation();
  await watcher.stateLike(({ running }) => running === 1);
  watcher.states.length = 0;
  busy.close();
  await run.gone;
  await watcher.stateLike(({ running, queued }) => running === 0 && queued === 0);
  t.same(busy.states.length, 1, 'of its own jobs a client is told nothing');
});

await t.test(
  'a source that comes faster than the disk takes it arrives all the same',
  async (t) => {
    const client = await newClient(t);
    const source = Buffer.alloc(3 * WIRE.unprocessedBytes, 'source of a large file\n');
    client.begin(FAKE, source, { sourceEncoding: 'none' });
    const run = await fake.nextInvocation();
    t.ok(readFileSync(`${run.cwd}/source.i`).equals(source));
    await run.exit(1);
    await client.answer();
  },
);
