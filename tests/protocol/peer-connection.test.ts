import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { WIRE } from '../../src/core/limits.js';
import { FRAME, frameHeader } from '../../src/protocol/framing.js';
import {
  PeerConnection,
  type EndReason,
  type PeerMessage,
} from '../../src/protocol/peer-connection.js';
import { duplexPair, type WireEnd } from '../fixtures/duplex-pair.js';
import { ManualClock } from '../fixtures/manual-clock.js';

class Peer {
  readonly messages: PeerMessage[] = [];
  readonly ends: EndReason[] = [];
  readonly connection: PeerConnection;

  constructor(stream: WireEnd, clock: ManualClock, onMessage?: (message: PeerMessage) => void) {
    this.connection = new PeerConnection(stream, clock, {
      onMessage: (message) => {
        this.messages.push(message);
        onMessage?.(message);
      },
      onEnd: (reason) => this.ends.push(reason),
    });
  }
}

/** Lets everything that is under way arrive: a fixed number of turns, far more than needed. */
async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await setImmediate();
}

function setUp() {
  const clock = new ManualClock();
  const [left, right] = duplexPair();
  return { clock, left, right, a: new Peer(left, clock), b: new Peer(right, clock) };
}

const query = (name: string) =>
  ({ kind: 'toolchain-query', digest: 'a'.repeat(64), name, driverBytes: 1 }) as PeerMessage;

await t.test('messages arrive in order, those of one turn in one write', async (t) => {
  const { left, a, b } = setUp();
  a.connection.send(query('gcc'));
  a.connection.send({ kind: 'cancel', job: 1 });
  a.connection.send({ kind: 'chunk', job: 2, bytes: Buffer.from('abc') });
  await settle();
  t.match(b.messages, [query('gcc'), { kind: 'cancel', job: 1 }, { kind: 'chunk', job: 2 }]);
  t.equal(left.writes, 1);
});

await t.test('a side that is quiet pings, one that hears nothing gives up', async (t) => {
  const { clock, a, b, right } = setUp();
  for (let i = 0; i < 10; i++) {
    clock.advance(WIRE.pingInterval);
    await settle();
  }
  t.same([a.ends, b.ends], [[], []], 'pings keep both alive');
  right.removeAllListeners('data').pause();
  await settle();
  // Answers to the last ping came with the last look.
  for (let i = 0; i <= WIRE.silence / WIRE.pingInterval; i++) {
    clock.advance(WIRE.pingInterval);
    await settle();
  }
  t.match(b.ends, [{ kind: 'silent' }]);
  t.match(a.ends, [{ kind: 'lost' }], 'the other end is closed');
  clock.advance(WIRE.silence);
  t.equal(clock.pending, 0, 'no timer is left');
});

await t.test(
  'where nothing is awaited pings are few, and one without an answer tells',
  async (t) => {
    const clock = new ManualClock();
    const [left, right] = duplexPair();
    let isWaiting = false;
    const ends: EndReason[] = [];
    const a = new PeerConnection(left, clock, {
      onMessage: () => {},
      isWaiting: () => isWaiting,
      onEnd: (reason) => ends.push(reason),
    });
    let pings = 0;
    right.on('data', (bytes: Buffer) => {
      pings++;
      if (bytes.length > 0) right.write(frameHeader(FRAME.pong, 0, 0));
    });
    const pass = async (time: number) => {
      for (let passed = 0; passed < time; passed += WIRE.pingInterval) {
        clock.advance(WIRE.pingInterval);
        await settle();
      }
    };
    await pass(WIRE.silence);
    pings = 0;
    await pass(10 * WIRE.idlePingInterval);
    t.equal(pings, 10);
    isWaiting = true;
    await pass(10 * WIRE.pingInterval);
    t.equal(pings, 20, 'closely watched again');
    isWaiting = false;
    a.send(query('gcc'));
    await pass(WIRE.silence + WIRE.pingInterval);
    t.same(ends, []);

    right.removeAllListeners('data').resume();
    await pass(WIRE.idlePingInterval);
    t.same(ends, [], 'not before it was asked');
    await pass(WIRE.silence + 2 * WIRE.pingInterval);
    t.match(ends, [{ kind: 'silent' }]);
  },
);

await t.test('who stood still for a while first hears what came meanwhile', async (t) => {
  const { clock, left, a } = setUp();
  left.pause();
  clock.stall(10 * WIRE.silence);
  t.same(a.ends, [], 'one look, however late');
  left.resume();
  await settle();
  clock.advance(WIRE.pingInterval);
  await settle();
  t.same(a.ends, []);
});

await t.test('who pings and does not read is not answered without end', async (t) => {
  const { left, right, a } = setUp();
  right.removeAllListeners('data').pause();
  const pings = Buffer.concat(Array.from({ length: 1000 }, () => frameHeader(FRAME.ping, 0, 0)));
  for (let i = 0; i < 100; i++) right.write(pings);
  await settle();
  t.ok(left.writableNeedDrain, 'it has answered');
  t.ok(left.writableLength < pings.length * 10, `${left.writableLength} bytes wait`);
  t.same(a.ends, []);
});

await t.test('a side that has paused does not take the other for silent', async (t) => {
  const { clock, a, b } = setUp();
  b.connection.pauseReading();
  for (let i = 0; i < 10; i++) {
    clock.advance(WIRE.pingInterval);
    await settle();
  }
  t.same(b.ends, []);
  a.connection.send(query('late'));
  await settle();
  t.same(b.messages, []);
  b.connection.resumeReading();
  await settle();
  t.match(b.messages, [query('late')]);
});

await t.test('close says goodbye after what was sent before', async (t) => {
  const { clock, left, right, a, b } = setUp();
  a.connection.send(query('last'));
  a.connection.close('that was all');
  t.match(a.ends, [{ kind: 'closed', message: 'that was all' }]);
  t.equal(a.connection.send(query('too late')), false);
  await settle();
  t.match(b.messages, [query('last')]);
  t.match(b.ends, [{ kind: 'goodbye', message: 'that was all' }]);
  await settle();
  clock.advance(WIRE.linger);
  t.ok(left.destroyed && right.destroyed);
  t.equal(clock.pending, 0);
});

await t.test('a peer that does not read keeps no closed connection', async (t) => {
  const { clock, left, a, b } = setUp();
  b.connection.pauseReading();
  void a.connection.sendContent(1, [Buffer.alloc(WIRE.chunkBytes)]);
  await settle();
  a.connection.close('enough');
  await settle();
  clock.advance(WIRE.silence);
  t.ok(left.destroyed);
});

await t.test('the end of the stream is the end of the connection', async (t) => {
  const { clock, left, a, b } = setUp();
  left.destroy();
  await settle();
  t.match(a.ends, [{ kind: 'lost' }]);
  t.match(b.ends, [{ kind: 'lost' }]);
  t.equal(clock.pending, 0);
});

await t.test('a malformed frame ends the connection with a word', async (t) => {
  const clock = new ManualClock();
  const [left, right] = duplexPair();
  const b = new Peer(right, clock);
  const words: Buffer[] = [];
  left.on('data', (bytes: Buffer) => words.push(bytes));
  left.write(frameHeader(FRAME.ping, 0, 0));
  left.write(Buffer.from('ffffffff00', 'hex'));
  left.write(frameHeader(FRAME.cancel, 1, 0));
  await settle();
  t.match(b.ends, [{ kind: 'malformed', message: /4294967295/ }]);
  t.same(b.messages, [], 'nothing after it counts');
  t.match(Buffer.concat(words).toString('latin1'), /frame of 4294967295 bytes/);
});

await t.test('a handler may find a message malformed', async (t) => {
  const clock = new ManualClock();
  const [left, right] = duplexPair();
  const { MalformedFrame } = await import('../../src/protocol/field-codec.js');
  const b = new Peer(right, clock, () => {
    throw new MalformedFrame('out of turn');
  });
  const a = new Peer(left, clock);
  a.connection.send(query('gcc'));
  await settle();
  t.match(b.ends, [{ kind: 'malformed', message: 'out of turn' }]);
  t.match(a.ends, [{ kind: 'goodbye', message: 'out of turn' }]);
});

await t.test('TLS is recognised and not answered', async (t) => {
  const clock = new ManualClock();
  const [left, right] = duplexPair();
  const b = new Peer(right, clock);
  const words: Buffer[] = [];
  left.on('data', (bytes: Buffer) => words.push(bytes));
  left.write(Buffer.from('1603010200010001fc0303', 'hex'));
  await settle();
  t.match(b.ends, [{ kind: 'speaks-tls' }]);
  t.same(words, []);
});

await t.test('large content leaves room for pings and other jobs', async (t) => {
  const { a, b, left } = setUp();
  const big = randomBytes(20 * WIRE.chunkBytes + 1);
  b.connection.pauseReading();
  const sending = a.connection.sendContent(1, [big]);
  const second = a.connection.sendContent(2, [Buffer.from('small')]);
  await settle();
  t.ok(left.writableLength < 4 * WIRE.chunkBytes, 'little waits in memory');
  a.connection.send({ kind: 'cancel', job: 7 });
  b.connection.resumeReading();
  t.same(await Promise.all([sending, second]), [true, true]);
  await settle();
  const chunks = b.messages.flatMap((m) => (m.kind === 'chunk' && m.job === 1 ? [m.bytes] : []));
  t.ok(Buffer.concat(chunks).equals(big));
  const place = (holds: (message: PeerMessage) => boolean) => b.messages.findIndex(holds);
  t.ok(place((m) => m.kind === 'cancel') < 6, 'the cancellation overtakes the content');
  t.ok(place((m) => m.kind === 'chunk' && m.job === 2) < 6, 'and so does another job');
});

await t.test('content stops when it is cancelled or the connection ends', async (t) => {
  const { a, b } = setUp();
  b.connection.pauseReading();
  const stop = new AbortController();
  const first = a.connection.sendContent(1, [Buffer.alloc(9 * WIRE.chunkBytes)], stop.signal);
  const second = a.connection.sendContent(2, [Buffer.alloc(9 * WIRE.chunkBytes)]);
  stop.abort();
  b.connection.resumeReading();
  t.equal(await first, false);
  t.equal(await second, true, 'the other goes on');
  b.connection.pauseReading();
  const third = a.connection.sendContent(3, [Buffer.alloc(9 * WIRE.chunkBytes)]);
  await settle();
  a.connection.destroy('over');
  t.equal(await third, false);
});
