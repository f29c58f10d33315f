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

await t.test('what follows SOURCE is the stream', async (t) => {
  const { input, connection } = setUp();
  const token = '0123456789abcdef';
  input.write(
    Buffer.concat([bytesFrame(FROM_LAUNCHER.source, Buffer.from(token)), Buffer.from('int ')]),
  );
  t.match(await connection.next(), { kind: 'source', token });
  const stream = connection.takeStream();
  input.end('x;');
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  t.equal(Buffer.concat(parts).toString(), 'int x;');
  t.equal(connection.gone.aborted, false);
});

async function read(stream: PassThrough, length: number): Promise<Buffer> {
  let bytes = Buffer.alloc(0);
  for await (const part of stream) {
    bytes = Buffer.concat([bytes, part as Buffer]);
    if (bytes.length >= length) return bytes;
  }
  return bytes;
}
