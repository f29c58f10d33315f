/** Peers that connect and then do what no client does: nothing, too little, or too much. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { digestOf } from '../../src/core/digest.js';
import { SERVER, WIRE } from '../../src/core/limits.js';
import { encodeMessage, WIRE_VERSION, type Message } from '../../src/protocol/messages.js';
import { packNumbers } from '../../src/protocol/number-runs.js';
import { FakeCompiler } from '../fixtures/fake-compiler.js';
import { HeldClock } from '../fixtures/held-clock.js';
import { ManualClock } from '../fixtures/manual-clock.js';
import { JobCell } from '../fixtures/job-cell.js';
import { PumpClient } from '../fixtures/pump-client.js';
import { identityOf, TestServer } from '../fixtures/test-server.js';
import { until } from '../fixtures/until.js';
import { WireClient } from '../fixtures/wire-client.js';

const fake = FakeCompiler.build();
const FAKE = identityOf(fake.path());
t.teardown(() => fake.close());

async function start(t: Test, changes: Parameters<typeof TestServer.start>[1] = {}) {
  const server = await TestServer.start([fake.path()], changes);
  t.teardown(() => server.stop());
  return server;
}

const sealed = await (await JobCell.open(t)).canSeal();
const cannotSeal = sealed !== true && process.env['CI'] !== 'true' && `cannot seal: ${sealed}`;

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

const HELLO = encodeMessage({
  kind: 'hello',
  protocol: WIRE_VERSION,
  version: 'hostile',
  client: 'hostile',
  features: [],
});

/** Jobs that are refused at once, since there is no such option. */
function impossible(first: number, count: number): Buffer {
  const frame = encodeMessage(IMPOSSIBLE);
  const frames = Array.from({ length: count }, (_, i) => {
    const copy = Buffer.from(frame);
    // Behind length and type.
    copy.writeUInt32LE(first + i, 5);
    return copy;
  });
  return Buffer.concat(frames);
}

const IMPOSSIBLE: Message = {
  kind: 'job',
  job: 1,
  toolchain: FAKE,
  language: 'c',
  stage: 'object',
  // The answer has it in it.
  options: [[`-${'x'.repeat(250)}`, null]],
  sourceDateEpoch: null,
  sourceBytes: 0,
  sourceDigest: digestOf(''),
  sourceEncoding: 'none',
  encodedBytes: 0,
};

await t.test('HELLO byte by byte, but not in time', async (t) => {
  const clock = new HeldClock(WIRE.handshake);
  const server = await start(t, { clock });
  const socket = await connected(server.port);
  const closed = new Promise((resolve) => socket.resume().once('close', resolve));
  await clock.armed();
  for (const byte of HELLO.subarray(0, -1)) socket.write(Buffer.of(byte));
  clock.fire();
  await closed;
  t.match(server.log, [/refused: no HELLO within 5 s/]);
});

await t.test('who has gone without a word is given up, and so are its jobs', async (t) => {
  const clock = new ManualClock();
  const server = await start(t, { clock });
  const client = await WireClient.greeted(server.port);
  t.teardown(() => client.close());
  client.begin(FAKE, 'x');
  const run = await fake.nextInvocation();
  clock.advance(WIRE.silence + WIRE.pingInterval);
  await run.gone;
  await server.noLeftovers();
  t.match(server.log, [/closed: nothing came for 6 s/]);
});

await t.test('who only asks and never reads', async (t) => {
  const server = await start(t);
  const socket = await connected(server.port);
  socket.pause();
  socket.write(HELLO);
  // What the two ends' systems hold comes on top of what the server does.
  const isOver = () => socket.destroyed || server.log.some((line) => line.includes('not read'));
  const batches = 1_000;
  let batch = 0;
  for (; batch < batches && !isOver(); batch++) {
    if (!socket.write(impossible(500 * batch + 1, 500)))
      await until(() => !socket.writableNeedDrain);
  }
  t.ok(batch < batches, `after ${500 * batch} requests`);
  t.match(server.log.at(-1), /malformed frame: a request after \d+ bytes that were not read/);
  socket.destroy();
  const honest = await WireClient.greeted(server.port);
  t.teardown(() => honest.close());
  t.ok(await honest.knows(FAKE, 'gcc'));
});

await t.test('jobs without sources, of many clients, keep nobody from a slot', async (t) => {
  const server = await start(t, { slots: 1 });
  const stallers = await Promise.all(
    Array.from({ length: 40 }, (_, n) => WireClient.greeted(server.port, `staller ${n}`)),
  );
  t.teardown(() => {
    for (const one of stallers) one.close();
  });
  for (const one of stallers) {
    for (let i = 0; i <= SERVER.queuePerSlot; i++) {
      one.beginRaw(Buffer.from('the beginning'), { toolchain: FAKE, encodedBytes: 1000 });
    }
  }
  const honest = await WireClient.greeted(server.port, 'honest');
  t.teardown(() => honest.close());
  await honest.stateLike(({ queued }) => queued >= stallers.length * (1 + SERVER.queuePerSlot));
  for (let i = 0; i <= SERVER.queuePerSlot; i++) honest.begin(FAKE, `source ${i}`);
  for (let i = 0; i <= SERVER.queuePerSlot; i++) {
    const run = await fake.nextInvocation();
    await run.write(run.valueOf('-o') ?? '', 'object');
    await run.exit(0);
    t.equal((await honest.answer()).output.toString(), 'object');
  }
  for (const one of stallers) one.close();
  await server.noLeftovers();
});

await t.test('who tells of more than there is room for', { skip: cannotSeal }, async (t) => {
  const server = await TestServer.start([fake.path()], {}, 100 << 20, 4 << 20);
  t.teardown(() => server.stop());
  const honest = await PumpClient.greeted(server.port, 'honest');
  const closure = honest.compiler('cat x.c >x.o');
  honest.job(closure);
  t.equal((await honest.answer()).outputs.get(0), 'int x;\n');

  const greedy = await PumpClient.greeted(server.port, 'greedy');
  const absent = (batch: number) =>
    Array.from({ length: 1000 }, (_, i) => ({ kind: 'absent', path: `/a/${batch}/${i}` }) as const);
  for (let batch = 0; batch < 20; batch++) greedy.tell(...absent(batch));
  t.match(await greedy.wire.ended, { kind: 'goodbye', message: /more than 4194304 bytes/ });

  const options = await PumpClient.greeted(server.port, 'options');
  const long = (): [string, string] => ['-D', 'x'.repeat(8_000)];
  for (let batch = 0; batch < 20; batch++) options.options(...Array.from({ length: 100 }, long));
  t.match(await options.wire.ended, { kind: 'goodbye', message: /more than 4194304 bytes/ });

  const recipes = await PumpClient.greeted(server.port, 'recipes');
  recipes.tell(...absent(0).slice(0, 500));
  const many = packNumbers(Array.from({ length: 500 }, (_, n) => n));
  for (let header = 0; header < 2000; header++) {
    recipes.wire.connection.send({
      ...{ kind: 'precompiled', path: '/p.h.gch', family: 'gcc', program: '/cc', argv0: 'cc' },
      ...{ cwd: '/', environment: [], options: new Uint8Array(), closure: many },
      ...{ language: null, source: 'p.h', output: null },
    });
  }
  t.match(await recipes.wire.ended, { kind: 'goodbye', message: /more than 4194304 bytes/ });

  honest.job(closure);
  t.equal((await honest.answer()).outputs.get(0), 'int x;\n', 'the others have their place');
  honest.close();
  t.match(server.log, [/closed: clients have told/, /closed: clients/, /closed: clients/]);
});
