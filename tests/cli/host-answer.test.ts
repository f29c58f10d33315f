import { createServer, type AddressInfo } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { askHost } from '../../src/cli/host-answer.js';
import { readSettings } from '../../src/client/settings.js';
import { DOCTOR, WIRE } from '../../src/core/limits.js';
import { realClock } from '../../src/platform/clock.js';
import { WIRE_VERSION } from '../../src/protocol/messages.js';
import { PeerConnection } from '../../src/protocol/peer-connection.js';
import { remoteHost, STATE } from '../fixtures/fake-server.js';
import { ManualClock } from '../fixtures/manual-clock.js';
import { TestServer } from '../fixtures/test-server.js';

const options = { settings: readSettings(new Map()), stateDirectory: '/nowhere', toolchains: [] };
const at = (port: number) => remoteHost('red', { host: '127.0.0.1', port });

/** A server that welcomes everybody, and answers nothing but pings; calls back with each read. */
async function welcoming(t: Test, onData: () => void): Promise<number> {
  const server = createServer((socket) => {
    t.teardown(() => socket.destroy());
    const peer: PeerConnection = new PeerConnection(socket, realClock, {
      onMessage(message) {
        if (message.kind !== 'hello') return;
        peer.send({
          kind: 'welcome',
          protocol: WIRE_VERSION,
          version: '1.2.3',
          host: 'red',
          slots: 2,
          features: [],
          tier: 3,
          plainTier: 2,
          missing: [],
        });
        peer.send(STATE);
      },
      onEnd: () => {},
    });
    socket.setNoDelay(true);
    socket.on('data', onData);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

await t.test('what a server says, and of its host if it is asked', async (t) => {
  const server = await TestServer.start([]);
  t.teardown(() => server.stop());
  const short = await askHost(at(server.port), { ...options, about: false, clock: realClock });
  t.match(short, { kind: 'up', address: '127.0.0.1', welcome: { host: 'test-host' }, has: [] });
  t.equal(short.kind === 'up' && short.about, undefined);
  const long = await askHost(at(server.port), { ...options, about: true, clock: realClock });
  if (long.kind !== 'up' || long.about === undefined) throw new Error('it is not up');
  const { is, asked, heard } = long.about;
  t.ok(asked <= is.time && is.time <= heard, 'on one machine there is one clock');
});

await t.test('a server that answers pings only is left in time', async (t) => {
  const clock = new ManualClock();
  // HELLO, the question, and then a ping for each step.
  let reads = 0;
  const step = async () => {
    // What was answered arrives before time goes on.
    for (let turn = 0; turn < 10; turn++) await setImmediate();
    clock.advance(WIRE.pingInterval);
  };
  const port = await welcoming(t, () => {
    if (++reads > 1) void step();
  });
  const answer = await askHost(at(port), { ...options, about: true, clock });
  const why = 'it does not answer what it is asked';
  t.match(answer, { kind: 'down', why, failure: undefined, address: '127.0.0.1' });
  t.ok(clock.monotonic() >= DOCTOR.answer);
});

await t.test('how far it came', async (t) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const answer = await askHost(at(port), { ...options, about: true, clock: realClock });
  t.match(answer, { kind: 'down', why: /connection refused/, failure: { step: 'port' } });
});
