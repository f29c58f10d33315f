/** What goes over the wire for pump mode, with a server played by the test. */
import { setImmediate } from 'node:timers/promises';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import t from 'tap';
import { BlobSource } from '../../src/client/blob-source.js';
import { PumpShipping } from '../../src/client/pump-shipping.js';
import type { PumpedJob } from '../../src/client/remote-job.js';
import type { ByteString } from '../../src/core/byte-string.js';
import { digestOf } from '../../src/core/digest.js';
import { PUMP } from '../../src/core/limits.js';
import { unpackNumbers } from '../../src/protocol/number-runs.js';
import { PeerConnection, type PeerMessage } from '../../src/protocol/peer-connection.js';
import type { FileEntry, TreeEntry } from '../../src/protocol/tree-entry.js';
import { duplexPair } from '../fixtures/duplex-pair.js';
import { ManualClock } from '../fixtures/manual-clock.js';

const SOURCE = Buffer.from('#include "a.h"\nint x;\n');

function file(path: ByteString, content: string): FileEntry {
  const digest = digestOf(content);
  return { kind: 'file', path, digest, size: content.length, mtime: 1, mode: 0o644 };
}

const DIRECTORY: TreeEntry = { kind: 'directory', path: '/w' };
const A = file('/w/a.h', 'a');
const B = file('/w/b.h', 'b');

function job(closure: readonly TreeEntry[], options: PumpedJob['command']['options'] = []) {
  return {
    mode: 'pump',
    toolchain: digestOf('gcc'),
    command: {
      family: 'gcc',
      options,
      language: null,
      stage: 'object',
      source: 'x.c',
      output: null,
      hasDependencyFile: false,
    },
    program: '/usr/bin/gcc',
    argv0: 'gcc',
    cwd: '/w',
    environment: [['LANG', 'C']],
    terminal: false,
    source: {
      path: '/w/x.c',
      bytes: SOURCE,
      digest: digestOf(SOURCE),
      mtime: 3,
      mode: 0o644,
    },
    closure,
    outputs: ['/w/x.o'],
    precompiled: [],
    dependencyFile: undefined,
  } as const satisfies PumpedJob;
}

function setUp() {
  const [here, there] = duplexPair();
  const clock = new ManualClock();
  const messages: PeerMessage[] = [];
  const ignore = { onMessage: () => {}, onEnd: () => {} };
  const connection = new PeerConnection(here, clock, ignore);
  const peer = new PeerConnection(there, clock, {
    ...ignore,
    onMessage: (message) => messages.push(message),
  });
  const disk = new Map<ByteString, string>([
    ['/w/a.h', 'a'],
    ['/w/b.h', 'b'],
  ]);
  const world = { version: 1, gone: new Set<ByteString>(), reads: 0 };
  const compress = async (bytes: Uint8Array) => brotliCompressSync(bytes);
  const uploads: number[][] = [];
  let last = 0;
  const blobs = new BlobSource({
    compress,
    readBytes(path) {
      world.reads++;
      const content = disk.get(path);
      return content === undefined
        ? Promise.reject(new Error('ENOENT'))
        : Promise.resolve(Buffer.from(content));
    },
  });
  const shipping = new PumpShipping(connection, {
    world: {
      get version() {
        return world.version;
      },
      stillThere: ({ path }) => !world.gone.has(path),
    },
    blobs,
    compress,
    compressed: false,
    nextNumber: () => ++last,
    onUpload: (...counts) => uploads.push(counts),
  });
  const send = async (sent: PumpedJob) => {
    const sending = { aborted: false, bytes: 0 };
    await shipping.send(() => ++last, sent, sending);
    await settle();
    return { messages: messages.splice(0), sending };
  };
  const settle = async () => {
    for (let turn = 0; turn < 5; turn++) await setImmediate();
  };
  return { shipping, disk, world, uploads, send, settle, messages, connection, peer };
}

const kinds = (messages: readonly PeerMessage[]) => messages.map(({ kind }) => kind);

function closureOf(messages: readonly PeerMessage[]): number[] {
  const sent = messages.find((message) => message.kind === 'pump-job');
  return sent?.kind === 'pump-job' ? unpackNumbers(sent.closure, 1000, 1000) : [];
}

await t.test('everything is told once, and named by number from then on', async (t) => {
  const { send } = setUp();
  const options = [
    ['-O', '2'],
    ['-g', null],
  ] as const;
  const first = await send(job([DIRECTORY, A], options));
  t.strictSame(kinds(first.messages), ['entries', 'options', 'pump-job', 'chunk']);
  t.match(first.messages[0], { entries: [DIRECTORY, A] });
  t.strictSame(closureOf(first.messages), [1, 2]);
  const second = await send(job([A, DIRECTORY], options));
  t.strictSame(kinds(second.messages), ['pump-job', 'chunk'], 'nothing is new');
  t.strictSame(closureOf(second.messages), [1, 2]);
  const third = await send(job([DIRECTORY, B], [['-O', '2'], ['-O', '3'] as const]));
  t.match(third.messages[0], { entries: [B] });
  t.match(third.messages[1], { kind: 'options', options: [['-O', '3']] });
  t.strictSame(closureOf(third.messages), [1, 3]);
});

await t.test('options are counted from 0 again before there are too many', async (t) => {
  const { send } = setUp();
  const STEP = 4_000;
  const optionsFrom = (first: number) =>
    Array.from({ length: STEP }, (_, i) => ['-D', String(first + i)] as const);
  for (let told = 0; told < PUMP.options; told += STEP) await send(job([], optionsFrom(told)));
  const known = await send(job([], [['-D', '7'] as const]));
  t.strictSame(kinds(known.messages), ['pump-job', 'chunk'], 'there was room for all of them');
  const options = [
    ['-D', '7'],
    ['-D', 'one more'],
    ['-D', '7'],
  ] as const;
  const next = await send(job([], options));
  t.match(next.messages[0], { kind: 'options', options: options.slice(0, 2) });
  const sent = next.messages[1];
  t.strictSame(sent?.kind === 'pump-job' && unpackNumbers(sent.options, 10, 10), [0, 1, 0]);
});

await t.test('the bytes of a job are counted, and are few', async (t) => {
  const { send, connection } = setUp();
  await send(job([DIRECTORY, A]));
  const before = connection.sentBytes;
  const { sending } = await send(job([DIRECTORY, A]));
  t.equal(connection.sentBytes - before, sending.bytes + 9, 'but for the header of the chunk');
  t.ok(sending.bytes < 700, `${sending.bytes}`);
});

await t.test(
  'what has vanished is said to be absent, once, and told anew when it is back',
  async (t) => {
    const { send, world } = setUp();
    await send(job([DIRECTORY, A, B]));
    world.version++;
    world.gone.add('/w/b.h');
    const without = await send(job([DIRECTORY, A]));
    t.match(without.messages[0], { entries: [{ kind: 'absent', path: '/w/b.h' }] });
    t.strictSame(closureOf(without.messages), [1, 2]);
    t.strictSame(kinds((await send(job([DIRECTORY, A]))).messages), ['pump-job', 'chunk']);
    world.version++;
    world.gone.clear();
    const again = await send(job([DIRECTORY, A, B]));
    t.match(again.messages[0], { entries: [B] });
    t.strictSame(closureOf(again.messages), [1, 2, 5], 'by a new number: the newest entry holds');
  },
);

await t.test('a job of whose closure something has gone is not sent', async (t) => {
  const { send, world, settle, messages } = setUp();
  await send(job([DIRECTORY, A, B]));
  world.version++;
  world.gone.add('/w/b.h');
  await t.rejects(send(job([DIRECTORY, B])), { name: 'RemoteFailure', reason: 'closure-stale' });
  await settle();
  t.match(messages, [{ kind: 'entries', entries: [{ kind: 'absent', path: '/w/b.h' }] }]);
});

await t.test('nothing is looked for while nothing can have changed', async (t) => {
  const { send, world } = setUp();
  await send(job([DIRECTORY, A]));
  world.gone.add('/w/a.h');
  t.strictSame(kinds((await send(job([DIRECTORY]))).messages), ['pump-job', 'chunk']);
});

await t.test(
  'contents are uploaded when asked for, and told to be gone when they are',
  async (t) => {
    const { shipping, send, settle, messages, disk, uploads } = setUp();
    await send(job([DIRECTORY, A, B]));
    disk.set('/w/b.h', 'another');
    await shipping.upload([A.digest, B.digest, digestOf('never told')]);
    await settle();
    t.strictSame(kinds(messages), ['blobs', 'chunk', 'gone']);
    t.match(messages[0], {
      blobs: [{ digest: A.digest, bytes: 1, encoding: 'none', encodedBytes: 1 }],
    });
    t.match(messages[2], { digests: [B.digest, digestOf('never told')] });
    t.strictSame(uploads, [[1, 1, 1]]);
  },
);

await t.test('a content that two servers ask for is read and compressed once', async (t) => {
  const { shipping, send, settle, messages, world, disk } = setUp();
  const content = 'text '.repeat(1000);
  const large = file('/w/l.h', content);
  disk.set('/w/l.h', content);
  await send(job([DIRECTORY, large]));
  await Promise.all([shipping.upload([large.digest]), shipping.upload([large.digest])]);
  await settle();
  t.strictSame(kinds(messages), ['blobs', 'blobs', 'chunk', 'chunk']);
  const chunk = messages[2];
  t.equal(chunk?.kind === 'chunk' && brotliDecompressSync(chunk.bytes).toString(), content);
  t.equal(world.reads, 1);
});

await t.test(
  'a job that was cancelled before it went out leaves nothing on the wire',
  async (t) => {
    const { shipping, settle, messages } = setUp();
    const sending = { aborted: false, bytes: 0 };
    const sent = shipping.send(() => 9, job([DIRECTORY, A]), sending);
    sending.aborted = true;
    await sent;
    await settle();
    t.strictSame(messages, []);
  },
);

await t.test('a job gets its number when it goes out, whichever was begun first', async (t) => {
  const { shipping, settle, messages } = setUp();
  let last = 0;
  const begin = () => ++last;
  const sending = () => ({ aborted: false, bytes: 0 });
  // The other one's source is compressed for longer.
  const slow = shipping.send(begin, job([DIRECTORY, A]), sending());
  const numbered = shipping.send(begin, job([DIRECTORY]), sending());
  t.equal(last, 0, 'none yet');
  await Promise.all([slow, numbered]);
  await settle();
  const numbers = messages.flatMap((message) => (message.kind === 'pump-job' ? message.job : []));
  t.strictSame(numbers, [1, 2]);
});
