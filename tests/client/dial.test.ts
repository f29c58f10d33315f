import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import t, { type Test } from 'tap';
import { dialHost, reachHost } from '../../src/client/dial.js';
import { readSettings } from '../../src/client/settings.js';
import { realFiles } from '../../src/platform/files.js';
import { formatKey, generateKey, type Key } from '../../src/protocol/key-file.js';
import { serverTlsOptions } from '../../src/protocol/secure-channel.js';
import { remoteHost } from '../fixtures/fake-server.js';

/** A listener on a port of the system's choice; it and its connections end with the test. */
async function listen(t: Test, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
  });
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  return (server.address() as AddressInfo).port;
}

/** Sends back what it gets. */
const echoTcp = () => createServer((socket) => socket.pipe(socket));

const echoTls = (key: Key): Server =>
  createTlsServer(serverTlsOptions([key]), (socket) => {
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  }).on('tlsClientError', () => {});

interface Where {
  readonly port: number;
  readonly host?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly stateDirectory?: string;
}

function dial({ port, host = '127.0.0.1', environment = {}, stateDirectory = '/nowhere' }: Where) {
  const settings = readSettings(new Map(Object.entries(environment)));
  return dialHost(remoteHost('red', { host, port }), settings, stateDirectory, realFiles);
}

async function echoes(socket: Duplex): Promise<string> {
  socket.write('ping');
  const answer = await new Promise<Buffer>((resolve, reject) => {
    socket.once('data', resolve);
    socket.once('error', reject);
  });
  socket.destroy();
  return answer.toString();
}

function keyFile(t: Test, key: Key): string {
  const path = `${t.testdir({})}/key`;
  writeFileSync(path, formatKey(key), { mode: 0o600 });
  return path;
}

await t.test('on this machine, without a key', async (t) => {
  const port = await listen(t, echoTcp());
  for (const host of ['127.0.0.1', '127.1.2.3', 'localhost']) {
    t.equal(await echoes(await dial({ port, host })), 'ping', host);
  }
});

await t.test('with the key of the server', async (t) => {
  const key = generateKey();
  const port = await listen(t, echoTls(key));
  const environment = { TSCC_KEY_FILE: keyFile(t, key) };
  t.equal(await echoes(await dial({ port, environment })), 'ping');
});

await t.test('a host is reached without a word to it', async (t) => {
  const port = await listen(t, echoTls(generateKey()));
  const host = remoteHost('red', { host: '127.0.0.1', port });
  t.equal(await reachHost(host, readSettings(new Map())), '127.0.0.1');
});

await t.test('with another key', async (t) => {
  const key = generateKey();
  const port = await listen(t, echoTls(key));
  const unknown = { TSCC_KEY_FILE: keyFile(t, generateKey()) };
  await t.rejects(dial({ port, environment: unknown }), {
    message: 'the server does not know this key: copy the key file to it',
  });
  const sameId = { TSCC_KEY_FILE: keyFile(t, { ...generateKey(), id: key.id }) };
  await t.rejects(dial({ port, environment: sameId }), {
    message: 'the server has another key under the same id: copy the key file anew',
  });
});

await t.test('with a key, where the server has none', async (t) => {
  const port = await listen(
    t,
    createServer((socket) => socket.once('data', () => socket.destroy())),
  );
  const environment = { TSCC_KEY_FILE: keyFile(t, generateKey()) };
  await t.rejects(dial({ port, environment }), { message: /^server does not use a key: / });
});

await t.test('a key file that cannot be used', async (t) => {
  const port = await listen(t, echoTcp());
  const environment = { TSCC_KEY_FILE: `${t.testdir({})}/absent` };
  const message = /^key file \S+absent cannot be read: /;
  await t.rejects(dial({ port, environment }), { message, step: 'key', address: undefined });
});

await t.test('nobody listens', async (t) => {
  const server = createServer();
  const port = await listen(t, server);
  await new Promise((resolve) => server.close(resolve));
  const message = `connection refused: no tsccd listens on port ${port}`;
  await t.rejects(dial({ port }), { message, step: 'port' });
  await t.rejects(
    reachHost(remoteHost('red', { host: '127.0.0.1', port }), readSettings(new Map())),
    {
      message,
      step: 'port',
    },
  );
  const environment = { TSCC_KEY_FILE: keyFile(t, generateKey()) };
  await t.rejects(dial({ port, environment }), { message });
});

await t.test('a listener that never answers the handshake is left in time', async (t) => {
  const silent = createServer();
  const port = await listen(t, silent);
  const gone = new Promise<void>((resolve) => {
    silent.on('connection', (socket: Socket) => {
      socket.on('close', () => resolve());
      socket.resume();
    });
  });
  const environment = { TSCC_KEY_FILE: keyFile(t, generateKey()), TSCC_CONNECT_TIMEOUT: '0.05' };
  await t.rejects(dial({ port, environment }), {
    message: 'no TLS handshake in 50 ms: is that a tsccd with a key?',
    step: 'key',
    address: '127.0.0.1',
  });
  await gone;
  t.pass('and its connection is closed');
});

await t.test('once it is up the time-out is over', async (t) => {
  const port = await listen(t, echoTcp());
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const socket = await dial({ port, environment: { TSCC_CONNECT_TIMEOUT: '600' } });
  t.equal(timers(), before);
  socket.destroy();
});

await t.test('an unknown host', async (t) => {
  await t.rejects(
    dial({
      port: 1,
      host: 'no-such-host.invalid',
      environment: { TSCC_KEY_FILE: keyFile(t, generateKey()) },
    }),
    { message: 'unknown host: correct the host list or the name service', step: 'name' },
  );
});

await t.test('off this machine a key is needed, and looked for', async (t) => {
  // The wildcard address leads back here, and is none that belongs to this machine alone.
  const host = '0.0.0.0';
  const key = generateKey();
  const port = await listen(t, echoTls(key));
  const stateDirectory = t.testdir({ tscc: {} });
  const environment = { XDG_CONFIG_HOME: stateDirectory };
  const where = { port, host, environment, stateDirectory };
  await t.rejects(dial(where), { message: /a key is needed .* 'tscc keygen FILE'/ });

  writeFileSync(`${stateDirectory}/tscc/key`, formatKey(key), { mode: 0o600 });
  t.equal(await echoes(await dial(where)), 'ping', 'beside the hosts file');
  writeFileSync(`${stateDirectory}/key`, formatKey(generateKey()), { mode: 0o600 });
  await t.rejects(dial(where), { message: /does not know this key/ }, 'the state directory first');
  const named = `${stateDirectory}/named`;
  writeFileSync(named, formatKey(key), { mode: 0o600 });
  t.equal(
    await echoes(await dial({ ...where, environment: { ...environment, TSCC_KEY_FILE: named } })),
    'ping',
    'the one that is named before all',
  );
});
