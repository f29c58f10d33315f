/**
 * node stallers.js PORT KEY-FILE COUNT
 *
 * Connections from eight addresses that keep a server waiting, for `npm run bench:server`: half of
 * them before the server knows who they are (no byte, or the beginning of a TLS handshake), half after
 * (greeted, answering pings, each a client of its own with a job whose source does not come). Who is
 * sent away comes back after 5 s. Says `ready` when all have been in place; ends with SIGTERM.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { digestOf } from '../src/core/digest.js';
import { WIRE } from '../src/core/limits.js';
import { readKeyFile } from '../src/protocol/key-file.js';
import { clientTlsOptions } from '../src/protocol/secure-channel.js';
import { WireClient } from '../tests/fixtures/wire-client.js';

const [port = '', keyFile = '', count = ''] = process.argv.slice(2);
const key = await readKeyFile(keyFile, process.getuid?.() ?? 0);
const half = Number(count) / 2;
let placed = 0;

function place(): void {
  if (++placed === 2 * half) process.stdout.write('ready\n');
}

async function open(n: number): Promise<Socket> {
  const localAddress = `127.0.1.${1 + (n % 8)}`;
  const socket = connect({ port: Number(port), host: '127.0.0.1', localAddress });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** The record's header and a few bytes: more is to come. */
const BEGINNING = Buffer.from('1603010200010001fc0303', 'hex');

async function stallBefore(n: number): Promise<void> {
  const socket = await open(n);
  if (n % 2 === 0) socket.write(BEGINNING);
  await new Promise((resolve) => socket.resume().once('close', resolve));
}

async function stallAfter(n: number): Promise<void> {
  const socket = connectTls({ ...clientTlsOptions(key), socket: await open(n) });
  await once(socket, 'secureConnect');
  const client = new WireClient(socket);
  await client.greet(`staller ${n}`);
  const toolchain = digestOf('none');
  for (;;) {
    client.beginRaw(Buffer.from('int'), { toolchain, sourceBytes: 1000, encodedBytes: 1000 });
    if (placed < 2 * half) place();
    await client.outcome();
  }
}

async function keepOn(n: number, stall: (n: number) => Promise<void>): Promise<never> {
  if (stall === stallBefore) place();
  for (;;) {
    // However it ended, that is what such a connection is for.
    await stall(n).catch(() => undefined);
    await setTimeout(WIRE.handshake);
  }
}

await Promise.all(
  Array.from({ length: half }, (_, n) => [keepOn(n, stallBefore), keepOn(n, stallAfter)]).flat(),
);
