import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { PassThrough, Duplex } from 'node:stream';
import t from 'tap';
import { LauncherConnection, LauncherGone } from '../../src/client/launcher-connection.js';
import { LAUNCHER } from '../../src/core/limits.js';
import { bytesFrame, FieldWriter } from '../../src/protocol/field-codec.js';
import { FROM_LAUNCHER, TAG, TO_LAUNCHER } from '../../src/protocol/launcher-wire.js';
import { ManualClock } from '../fixtures/manual-clock.js';

function setUp() {
  const clock = new ManualClock();
  const input = new PassThrough();
  const output = new PassThrough();
  const connection = new LauncherConnection(
    Duplex.from({ readable: input, writable: output }),
    clock,
  );
  return { clock, input, output, connection };
}

const preprocessed = new FieldWriter()
  .add(TAG.status, 0)
  .add(TAG.stderrBytes, 0)
  .add(TAG.cpuMicroseconds, 7)
  .finish(FROM_LAUNCHER.preprocessed);

await t.test('messages arrive in order, however the bytes are cut', async (t) => {
  const { input, connection } = setUp();
  const both = Buffer.concat([preprocessed, bytesFrame(FROM_LAUNCHER.control, Buffer.from('{}'))]);
  for (const byte of both) input.write(Buffer.from([byte]));
  t.match(await connection.next(), { kind: 'preprocessed', preprocessed: { cpuMicroseconds: 7 } });
  t.match(await connection.next(), { kind: 'control' });
});

await t.test('a waiting launcher gets a sign of life', async (t) => {
  const { clock, output, connection } = setUp();
  connection.startBeats();
  clock.advance(LAUNCHER.beatInterval * 2 + 1);
  const beats = [bytesFrame(TO_LAUNCHER.beat, new Uint8Array())];
  t.strictSame(await read(output, 10), Buffer.concat([...beats, ...beats]));
  connection.stopBeats();
  t.equal(clock.pending, 0);
});

await t.test('its end aborts what was done for it', async (t) => {
  const { input, connection } = setUp();
  const next = connection.next();
  input.end();
  await t.rejects(next, { name: 'LauncherGone' });
  t.equal(connection.gone.aborted, true);
  await t.rejects(connection.next(), { name: 'LauncherGone' });
});

await t.test('taking leave tells why', async (t) => {
  const { input, connection } = setUp();
  const next = connection.next();
  input.write(new FieldWriter().add(TAG.why, 2).finish(FROM_LAUNCHER.leaving));
  await t.rejects(next, { name: 'LauncherGone', leaving: 'daemon-silent' });
  t.ok(connection.gone.reason instanceof LauncherGone);
});

await t.test('nonsense ends the connection', async (t) => {
  for (const bytes of [Buffer.from([0xff, 0xff, 0xff, 0xff]), bytesFrame(0x77, new Uint8Array())]) {
    const { input, connection } = setUp();
    const next = connection.next();
    input.write(bytes);
    await t.rejects(next, { name: 'LauncherGone', message: /malformed frame/ });
  }
});

await t.test('a daemon that was stopped hears a launcher out that left meanwhile', async (t) => {
  const server = createServer({ pauseOnConnect: true });
  const accepted = once(server, 'connection');
  const directory = mkdtempSync(`${tmpdir()}/tscc-conn-`);
  t.teardown(() => {
    server.close();
    rmSync(directory, { recursive: true });
  });
  server.listen(`${directory}/s`);
  // Not in this process: what is here is read only between the steps of this very test.
  const launcher = spawn(process.execPath, [
    '-e',
    `const s = require('net').connect(process.argv[1], () => s.end(Buffer.from(process.argv[2], 'hex'), () => process.exit()))`,
    `${directory}/s`,
    new FieldWriter().add(TAG.why, 2).finish(FROM_LAUNCHER.leaving).toString('hex'),
  ]);
  const [stream] = (await accepted) as [Socket];
  await once(launcher, 'exit');
  const timers: (() => void)[] = [];
  const clock = new ManualClock();
  clock.after = (_, callback) => {
    timers.push(callback);
    return { cancel: () => {} };
  };
  const connection = new LauncherConnection(stream, clock);
  connection.startBeats();
  const next = connection.next();
  // Timers come before what has arrived, as after a SIGCONT.
  timers.shift()?.();
  stream.resume();
  await t.rejects(next, { name: 'LauncherGone', leaving: 'daemon-silent' });
});

async function read(stream: PassThrough, length: number): Promise<Buffer> {
  let bytes = Buffer.alloc(0);
  for await (const part of stream) {
    bytes = Buffer.concat([bytes, part as Buffer]);
    if (bytes.length >= length) return bytes;
  }
  return bytes;
}
