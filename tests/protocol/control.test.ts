import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import t, { type Test } from 'tap';
import { askDaemon, decodeControlRequest } from '../../src/protocol/control.js';
import { bytesFrame, FrameSplitter } from '../../src/protocol/field-codec.js';
import { FROM_LAUNCHER, TO_LAUNCHER } from '../../src/protocol/launcher-wire.js';

const decode = (text: string) => decodeControlRequest(Buffer.from(text));

await t.test('requests', async (t) => {
  t.strictSame(decode('{"ask":"stop"}'), { ask: 'stop' });
  t.strictSame(decode('{"ask":"version"}'), { ask: 'version' });
  t.strictSame(decode('{"ask":"live","session":"s"}'), { ask: 'live' });
  t.strictSame(decode('{"ask":"web"}'), { ask: 'web' });
  t.strictSame(decode('{"ask":"status"}'), { ask: 'status' });
  t.strictSame(decode('{"ask":"status","session":"é"}'), { ask: 'status', session: 'é' });
  t.strictSame(decode('{"ask":"end-session","session":"s","more":1}'), {
    ask: 'end-session',
    session: 's',
  });
  t.strictSame(decode('{"ask":"status","session":7}'), { ask: 'status' });
});

await t.test('what is none', async (t) => {
  for (const [text, message] of [
    ['', /not JSON/],
    ['{"ask":', /not JSON/],
    ['null', /asks nothing/],
    ['"stop"', /asks nothing/],
    ['{}', /asks nothing/],
    ['{"ask":"restart"}', /does not know/],
    ['{"ask":"end-session"}', /names no session/],
    ['{"ask":"end-session","session":7}', /names no session/],
  ] as const) {
    t.throws(() => decode(text), { name: 'MalformedFrame', message }, text);
  }
});

/** A daemon that does as it is told with each connection once a request has come. */
async function daemon(t: Test, react: (socket: Socket, request: unknown) => void) {
  // Not t.testdir: the path of a Unix socket must be short.
  const directory = mkdtempSync(`${tmpdir()}/tscc-test-`);
  const path = `${directory}/s`;
  const server: Server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    const splitter = new FrameSplitter(1 << 20);
    socket.on('data', (bytes: Buffer) => {
      for (const { type, body } of splitter.push(bytes)) {
        t.equal(type, FROM_LAUNCHER.control);
        react(socket, JSON.parse(Buffer.from(body).toString()));
      }
    });
  });
  t.teardown(() => {
    server.close();
    rmSync(directory, { recursive: true });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return path;
}

const reply = (value: unknown): Buffer =>
  bytesFrame(TO_LAUNCHER.controlReply, Buffer.from(JSON.stringify(value)));

await t.test('an answer, however it is cut, among signs of life', async (t) => {
  const asked: unknown[] = [];
  const path = await daemon(t, (socket, request) => {
    asked.push(request);
    socket.write(bytesFrame(TO_LAUNCHER.beat, new Uint8Array()));
    const bytes = reply({ ok: true, value: { text: 'é'.repeat(100_000) } });
    socket.write(bytes.subarray(0, 7));
    setImmediate(() => socket.end(bytes.subarray(7)));
  });
  t.strictSame(await askDaemon(path, { ask: 'status', session: 's' }), {
    text: 'é'.repeat(100_000),
  });
  t.strictSame(asked, [{ ask: 'status', session: 's' }]);
});

await t.test('an answer ends the connection, even if the daemon does not', async (t) => {
  let ended: Promise<void> | undefined;
  const path = await daemon(t, (socket) => {
    ended = new Promise((resolve) => socket.on('end', resolve));
    socket.write(reply({ ok: true, value: null }));
  });
  t.equal(await askDaemon(path, { ask: 'stop' }), null);
  await ended;
});

await t.test('no daemon is no error', async (t) => {
  t.equal(await askDaemon('/nowhere/socket', { ask: 'stop' }), undefined);
});

await t.test('errors', async (t) => {
  const refuses = await daemon(t, (socket) => {
    socket.end(reply({ ok: false, message: "there is no session 'x'" }));
  });
  await t.rejects(askDaemon(refuses, { ask: 'status', session: 'x' }), {
    message: "there is no session 'x'",
  });
});

await t.test('a daemon that ends instead of answering', async (t) => {
  const path = await daemon(t, (socket) => socket.end());
  await t.rejects(askDaemon(path, { ask: 'status' }), { message: /closed the connection/ });
});

await t.test('an answer that is none', async (t) => {
  const nonsense: [string, Buffer, RegExp][] = [
    ['not JSON', bytesFrame(TO_LAUNCHER.controlReply, Buffer.from('?')), /makes no sense: .*JSON/],
    ['no end', Buffer.from([0xff, 0xff, 0xff, 0x7f, 0x89]), /makes no sense: frame of/],
  ];
  for (const [name, bytes, message] of nonsense) {
    await t.test(name, async (t) => {
      const path = await daemon(t, (socket) => socket.write(bytes));
      await t.rejects(askDaemon(path, { ask: 'status' }), { message });
    });
  }
});
