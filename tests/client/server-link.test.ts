import t from 'tap';
import { digestOf } from '../../src/core/digest.js';
import { SCHEDULING, WIRE } from '../../src/core/limits.js';
import { BREAKER } from '../../src/core/scheduling-limits.js';
import type { About } from '../../src/protocol/about-messages.js';
import { WIRE_VERSION } from '../../src/protocol/messages.js';
import { FakeServer, JOB, remoteHost, SOURCE, STATE } from '../fixtures/fake-server.js';

const never = new AbortController().signal;
const OBJECT = Buffer.from('an object file');

async function up(): Promise<FakeServer> {
  const server = new FakeServer(remoteHost('red'));
  await server.comeUp();
  return server;
}

await t.test('connects when wanted, and is up after the greeting', async (t) => {
  const server = new FakeServer(remoteHost('red', { slots: 9 }));
  t.equal(server.link.state, 'idle');
  t.equal(server.link.slots, 0);
  await server.comeUp({ slots: 4 });
  t.equal(server.link.state, 'up');
  t.equal(server.link.slots, 4, 'the smaller of what user and server say');
  t.strictSame(server.events, ['up: tsccd 1.2.3, 4 slots']);
  server.send({ ...STATE, draining: true });
  await server.settle();
  t.equal(server.link.slots, 0, 'none while it drains');
});

await t.test('refused: down, and tried again after growing pauses', async (t) => {
  const server = new FakeServer(remoteHost('red'));
  server.refusal = 'connection refused';
  server.link.want();
  await server.settle();
  t.equal(server.link.downReason, 'connection refused');
  server.refusal = undefined;
  server.link.want();
  t.equal(server.link.state, 'down', 'not at once');
  server.clock.advance(BREAKER.pauseFirst);
  await server.comeUp();
  t.equal(server.link.state, 'up');
});

await t.test('no greeting in time: not a tsccd', async (t) => {
  const server = new FakeServer(remoteHost('red'));
  server.link.want();
  await server.settle();
  server.clock.advance(WIRE.handshake);
  t.match(server.link.downReason, /no greeting in 5 s/);
});

await t.test('closed before any greeting: what that may mean', async (t) => {
  const server = new FakeServer(remoteHost('red'));
  server.link.want();
  await server.expect('hello');
  server.peer?.destroy('wants a key');
  await server.settle();
  t.match(server.link.downReason, /it may use a key \(set TSCC_KEY_FILE\)/);
});

await t.test('a server that is asked about its host', async (t) => {
  const server = await up();
  t.equal(server.link.about, undefined);
  server.link.askAbout();
  await server.expect('about-query');
  const about: About = {
    kind: 'about',
    time: 1000,
    kernel: '6.1.0',
    isRoot: false,
    isContainer: false,
    maxUserNamespaces: 0,
    unprivilegedUsernsClone: null,
    apparmorRestrictUserns: null,
    hasLandlock: true,
    storeBytes: 1,
    storeLimit: 2,
    storeFree: 3,
    storeFileSystem: 4,
  };
  server.send(about);
  await server.settle();
  t.same(server.link.about, about);
});

await t.test('another protocol: told, and down', async (t) => {
  const server = new FakeServer(remoteHost('red'));
  server.link.want();
  await server.expect('hello');
  server.send({
    kind: 'welcome',
    protocol: WIRE_VERSION + 1,
    version: '9.0.0',
    host: 'red',
    slots: 1,
    features: [],
    tier: 0,
    plainTier: 2,
    missing: [],
  });
  await server.settle();
  const other = `tsccd 9\\.0\\.0 speaks protocol ${WIRE_VERSION + 1}, not ${WIRE_VERSION}`;
  t.match(server.link.downReason, new RegExp(other));
});

const wanted = (content: string) => ({ digest: digestOf(content), name: 'gcc', driverBytes: 7 });

await t.test('toolchains are asked for once, and again when the server lacked one', async (t) => {
  const server = await up();
  const { link, clock } = server;
  const [mine, other] = [wanted('a'), wanted('b')];
  t.equal(link.hasToolchain(mine), 'unknown');
  t.equal(link.hasToolchain(mine), 'unknown');
  t.match(await server.expect('toolchain-query'), mine);
  t.equal(link.hasToolchain(other), 'unknown');
  await server.expect('toolchain-query');
  server.send({ kind: 'toolchain', digest: mine.digest, known: true });
  server.send({ kind: 'toolchain', digest: other.digest, known: false });
  await server.settle();
  t.equal(link.hasToolchain(mine), 'yes');
  t.equal(link.hasToolchain(other), 'no');
  // The server must not seem silent meanwhile.
  for (let passed = 0; passed <= SCHEDULING.askAgain; passed += WIRE.pingInterval) {
    clock.advance(WIRE.pingInterval);
    await server.settle();
  }
  t.equal(link.hasToolchain(mine), 'yes');
  t.equal(link.hasToolchain(other), 'unknown');
});

await t.test('one that a server had and has not any more is asked for again', async (t) => {
  const server = await up();
  const { link } = server;
  const [mine, asked] = [wanted('a'), wanted('b')];
  link.hasToolchain(mine);
  await server.expect('toolchain-query');
  server.send({ kind: 'toolchain', digest: mine.digest, known: true });
  link.hasToolchain(asked);
  await server.expect('toolchain-query');
  t.equal(link.hasToolchain(mine), 'yes');
  server.send({ kind: 'refused', job: 7, code: 'draining', message: 'ends' });
  await server.settle();
  t.equal(link.hasToolchain(mine), 'yes');
  server.send({ kind: 'refused', job: 8, code: 'toolchain', message: 'not here' });
  await server.settle();
  t.equal(link.hasToolchain(mine), 'unknown');
  t.match(await server.expect('toolchain-query'), mine);
  t.equal(link.hasToolchain(asked), 'unknown', 'which is still being asked for');
  server.send({ kind: 'toolchain', digest: mine.digest, known: true });
  await server.settle();
  t.equal(link.hasToolchain(mine), 'yes');
});

await t.test('a server that answers no question has not got the toolchain', async (t) => {
  const server = await up();
  t.equal(server.link.hasToolchain(wanted('a')), 'unknown');
  for (let passed = 0; passed < SCHEDULING.toolchainAnswer; passed += WIRE.pingInterval) {
    server.clock.advance(WIRE.pingInterval);
    await server.settle();
  }
  t.equal(server.link.hasToolchain(wanted('a')), 'no');
});

await t.test(
  'nobody waits for an answer that has come, or from a server that is gone',
  async (t) => {
    const server = await up();
    const idle = server.clock.pending;
    const answered = digestOf('a');
    for (const name of ['a', 'b']) server.link.hasToolchain(wanted(name));
    t.equal(server.clock.pending, idle + 2);
    server.send({ kind: 'toolchain', digest: answered, known: true });
    await server.settle();
    t.equal(server.clock.pending, idle + 1);
    server.link.close('asked enough');
    await server.settle();
    t.equal(server.clock.pending, 0);
  },
);

await t.test('a job and its result', async (t) => {
  const server = await up();
  const running = server.link.run(JOB, 60_000, never);
  const job = await server.expect('job');
  t.match(job, { options: [['-O', '2']], sourceBytes: SOURCE.length, encodedBytes: SOURCE.length });
  t.strictSame(Buffer.from((await server.expect('chunk')).bytes), SOURCE);
  t.equal(server.link.inFlight, 1);
  server.answer(job.job, Buffer.concat([OBJECT, Buffer.from('warning')]), {
    outputBytes: OBJECT.length,
    outputDigest: digestOf(OBJECT),
    encodedBytes: OBJECT.length,
    stderrBytes: 7,
  });
  const result = await running;
  t.strictSame(result.outputs.get(0), OBJECT);
  t.equal(Buffer.from(result.stderr).toString(), 'warning');
  t.match(result, { status: 0, signal: 0, cpu: 3, sentBytes: SOURCE.length });
  t.equal(server.link.inFlight, 0);
});

await t.test('several jobs at once are told apart', async (t) => {
  const server = await up();
  const [first, second] = [1, 2].map(() => server.link.run(JOB, 60_000, never));
  const one = await server.expect('job');
  const numbers = [one.job, one.job + 1];
  await server.settle();
  server.answer(numbers[1] ?? 0, Buffer.from('second'));
  server.answer(numbers[0] ?? 0, Buffer.from('first'));
  t.equal(Buffer.from((await first)?.outputs.get(0) ?? []).toString(), 'first');
  t.equal(Buffer.from((await second)?.outputs.get(0) ?? []).toString(), 'second');
});

await t.test('a result that is not what it says is refused', async (t) => {
  const cases = [
    { over: { outputDigest: digestOf('else') }, message: /digest/ },
    { over: { outputBytes: 3 }, message: /has 14 bytes, announced were 3/ },
    { over: { outputEncoding: 'brotli' }, message: /decompressed/ },
    { over: { sourceDigest: digestOf('another source') }, message: /another source/ },
  ] as const;
  for (const { over, message } of cases) {
    const server = await up();
    const running = server.link.run(JOB, 60_000, never);
    const { job } = await server.expect('job');
    server.answer(job, OBJECT, over);
    await t.rejects(running, { reason: 'result-invalid', message });
  }
});

await t.test('more than was announced ends the connection', async (t) => {
  const server = await up();
  const running = server.link.run(JOB, 60_000, never);
  const { job } = await server.expect('job');
  server.answer(job, OBJECT, { encodedBytes: 2 });
  await t.rejects(running, { reason: 'server-lost', message: /more of job/ });
  t.equal(server.link.state, 'down');
});

await t.test('refused by the server', async (t) => {
  for (const [code, reason] of [
    ['busy', 'server-refused'],
    ['failed', 'server-failed'],
  ] as const) {
    const server = await up();
    const running = server.link.run(JOB, 60_000, never);
    const { job } = await server.expect('job');
    server.send({ kind: 'refused', job, code, message: 'no room' });
    await t.rejects(running, { reason, message: `red: ${code}: no room` });
    t.equal(server.link.state, 'up');
  }
});

await t.test('a compiler that a server had is not asked of it any more', async (t) => {
  const server = await up();
  const { link } = server;
  const mine = { ...wanted('a'), digest: JOB.toolchain };
  link.hasToolchain(mine);
  await server.expect('toolchain-query');
  server.send({ kind: 'toolchain', digest: mine.digest, known: true });
  await server.settle();
  t.equal(link.hasToolchain(mine), 'yes');
  const running = link.run(JOB, 60_000, never);
  const { job } = await server.expect('job');
  server.send({ kind: 'refused', job, code: 'toolchain', message: 'it is gone' });
  await t.rejects(running, { reason: 'server-refused', message: 'red: toolchain: it is gone' });
  t.equal(link.hasToolchain(mine), 'no');
});

await t.test('the server dies', async (t) => {
  const server = await up();
  const running = server.link.run(JOB, 60_000, never);
  await server.expect('job');
  server.peer?.destroy('killed');
  await t.rejects(running, { name: 'RemoteFailure', message: /^red: / });
  await t.rejects(server.link.run(JOB, 60_000, never), { message: 'red is gone' });
});

function failureOf(running: Promise<unknown>): Promise<unknown> {
  return running.then(
    () => undefined,
    (error: unknown) => error,
  );
}

await t.test(
  'a connection that was gone before anybody knew says nothing of its host',
  async (t) => {
    const server = await up();
    server.clock.stall(WIRE.outdated);
    const running = server.link.run(JOB, 60_000, never);
    server.peer?.destroy('nothing came from that client');
    t.match(await failureOf(running), { kind: 'outdated', reason: 'server-lost' });
    t.strictSame([server.link.state, server.link.breaker], ['idle', 'closed']);
    t.equal(
      server.events.at(-1),
      'down: the connection was closed, unnoticed; it will be asked anew',
    );
    t.match(await failureOf(server.link.run(JOB, 60_000, never)), { kind: 'outdated' });
    await server.comeUp();
    server.clock.stall(WIRE.outdated);
    server.send({ kind: 'ping' });
    await server.settle();
    const woken = server.link.run(JOB, 60_000, never);
    server.peer?.destroy('nothing came from that client');
    t.match(await failureOf(woken), { kind: 'outdated' }, 'what came meanwhile is no sign of life');
    await server.comeUp();
    server.clock.advance(WIRE.pingInterval);
    await server.settle();
    const again = server.link.run(JOB, 60_000, never);
    await server.expect('job');
    server.peer?.destroy('killed');
    t.match(await failureOf(again), { kind: 'lost' });
    t.equal(server.link.state, 'down');
  },
);

await t.test('the server falls silent', async (t) => {
  const server = await up();
  const running = server.link.run(JOB, 60_000, never);
  server.peer?.pauseReading();
  const rejected = t.rejects(running, { reason: 'server-lost', message: /nothing came for 6 s/ });
  // Each step only for the link: the server's clock is the same, and its pings would arrive.
  for (let passed = 0; passed <= WIRE.silence; passed += WIRE.pingInterval) {
    server.clock.advance(WIRE.pingInterval);
  }
  await rejected;
});

await t.test('a long compile is waited for while the server gives signs of life', async (t) => {
  const server = await up();
  const running = server.link.run(JOB, 10 * WIRE.silence, never);
  const { job, sourceDigest } = await server.expect('job');
  for (let passed = 0; passed < 4 * WIRE.silence; passed += WIRE.pingInterval) {
    server.clock.advance(WIRE.pingInterval);
    await server.settle();
  }
  server.answer(job, OBJECT, { sourceDigest });
  t.match(await running, { status: 0 });
});

await t.test('a compiler that never ends', async (t) => {
  const server = await up();
  const running = server.link.run(JOB, 2_000, never);
  await server.expect('job');
  await server.expect('chunk');
  const rejected = t.rejects(running, { reason: 'server-lost', message: /no answer in 2000 ms/ });
  server.clock.advance(2_000);
  await rejected;
  await server.expect('cancel');
});

await t.test('an interrupted compile is cancelled there', async (t) => {
  const server = await up();
  const interrupt = new AbortController();
  const running = server.link.run(JOB, 60_000, interrupt.signal);
  const { job } = await server.expect('job');
  await server.expect('chunk');
  interrupt.abort(new Error('^C'));
  await t.rejects(running, { message: '^C' });
  t.match(await server.expect('cancel'), { job });
  server.answer(job, OBJECT);
  await server.settle();
  t.equal(server.link.state, 'up', 'an answer that crossed the cancellation is no offence');
});
