import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import { generateKey, type Key } from '../../src/protocol/key-file.js';
import {
  clientTlsOptions,
  explainClientTlsError,
  explainServerTlsError,
  looksLikeTls,
  serverTlsOptions,
} from '../../src/protocol/secure-channel.js';

const key = generateKey();

async function listen(t: Test, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** Both ends' words about one failed handshake. */
async function handshake(t: Test, options: object): Promise<[string | undefined, string]> {
  const server = createTlsServer(serverTlsOptions([key]));
  const port = await listen(t, server);
  const refused = once(server, 'tlsClientError');
  const socket = connectTls({ port, host: '127.0.0.1', ...options });
  const [error] = (await once(socket, 'error')) as [Error];
  const [reason] = (await refused) as [Error];
  return [explainClientTlsError(error), explainServerTlsError(reason)];
}

await t.test('two ends with the same key speak TLS 1.3', async (t) => {
  const server = createTlsServer(serverTlsOptions([generateKey(), key]));
  const port = await listen(t, server);
  const accepted = once(server, 'secureConnection');
  const client = connectTls({ port, host: '127.0.0.1', ...clientTlsOptions(key) });
  const [peer] = (await accepted) as [TLSSocket];
  t.equal(peer.getProtocol(), 'TLSv1.3');
  client.write('hello');
  t.equal(String((await once(peer, 'data'))[0]), 'hello');
  client.destroy();
  peer.destroy();
});

await t.test('failures in plain words at both ends', async (t) => {
  const impostor: Key = { id: key.id, secret: generateKey().secret };
  t.match(await handshake(t, clientTlsOptions(impostor)), [
    /server has another key under the same id/,
    /client has another key under the same id/,
  ]);
  t.match(await handshake(t, clientTlsOptions(generateKey())), [
    /server does not know this key/,
    /key of an unknown id/,
  ]);
  t.match(await handshake(t, { rejectUnauthorized: false, maxVersion: 'TLSv1.2' }), [
    /does not speak TLS 1\.3/,
    /older TLS than 1\.3/,
  ]);
});

await t.test('a plain client at a server with a key', async (t) => {
  const server = createTlsServer(serverTlsOptions([key]));
  const port = await listen(t, server);
  for (const words of ['GET / HTTP/1.1\r\n\r\n', '\x20\0\0\0\x01\0\0\0\0'.padEnd(64, 'x')]) {
    const refused = once(server, 'tlsClientError');
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    socket.end(words);
    const [reason] = (await refused) as [Error];
    t.match(explainServerTlsError(reason), /does not use a key: set TSCC_KEY_FILE/);
  }
});

await t.test('a client with a key at a plain server', async (t) => {
  for (const end of ['destroy', 'resetAndDestroy'] as const) {
    const server = createServer((socket) => {
      socket.once('data', (bytes) => {
        t.ok(looksLikeTls(bytes), 'the server sees TLS');
        socket[end]();
      });
    });
    const port = await listen(t, server);
    const client = connectTls({ port, host: '127.0.0.1', ...clientTlsOptions(key) });
    const [error] = (await once(client, 'error')) as [Error];
    t.match(explainClientTlsError(error), /^server does not use a key: give tsccd --key-file/);
  }
});

await t.test('other errors stay what they are', async (t) => {
  const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
  t.equal(explainClientTlsError(refused), undefined);
  t.equal(explainServerTlsError(new Error('odd')), 'TLS handshake failed: odd');
});

await t.test('TLS records are told from frames', async (t) => {
  const hex = (text: string) => Buffer.from(text, 'hex');
  for (const record of ['1603010200', '160303', '15030100020246']) t.ok(looksLikeTls(hex(record)));
  // The last two: frames of 790 and 789 bytes.
  for (const frame of ['', '16', '1603', '4500000001', '1603000001', '1503000002']) {
    t.notOk(looksLikeTls(hex(frame)), frame);
  }
});
