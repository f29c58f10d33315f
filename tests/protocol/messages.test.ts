import { brotliCompressSync } from 'node:zlib';
import { Packr } from 'msgpackr';
import t from 'tap';
import { digestOf } from '../../src/core/digest.js';
import { WIRE } from '../../src/core/limits.js';
import { MalformedFrame } from '../../src/protocol/field-codec.js';
import { FRAME, WireSplitter, type FrameType } from '../../src/protocol/framing.js';
import { decodeMessage, encodeMessage, type Message } from '../../src/protocol/messages.js';
import type { Job, JobResult } from '../../src/protocol/plain-messages.js';
import { packNumbers } from '../../src/protocol/number-runs.js';
import type { PumpJob, PumpResult } from '../../src/protocol/pump-messages.js';

const packr = new Packr({ useRecords: false });
const digest = digestOf('x');

const job: Job = {
  kind: 'job',
  job: 3,
  toolchain: digest,
  language: 'c++',
  stage: 'object',
  options: [
    ['-O', '2'],
    ['-g', null],
    ['-fdebug-prefix-map=', '/h\u00f6me=\u00ff'],
  ],
  sourceDateEpoch: null,
  sourceBytes: WIRE.sourceBytes,
  sourceDigest: digest,
  sourceEncoding: 'brotli',
  encodedBytes: 17,
};

const result: JobResult = {
  kind: 'result',
  job: 3,
  status: 139,
  signal: 11,
  sourceDigest: digest,
  outputBytes: WIRE.outputBytes,
  outputDigest: digest,
  outputEncoding: 'none',
  encodedBytes: 5,
  stdoutBytes: 0,
  stderrBytes: 12,
  cpuMicroseconds: 72_000_000_000,
  wallMilliseconds: 1,
  queueMilliseconds: 0,
  maxRssKiB: 123_456,
};

const pumpJob: PumpJob = {
  kind: 'pump-job',
  job: 7,
  family: 'gcc',
  program: '/usr/bin/gcc-12',
  argv0: 'gcc',
  cwd: '/h\u00f6me/x',
  environment: [['LANG', 'C.UTF-8']],
  options: packNumbers([3, 4, 5, 1]),
  closure: packNumbers([0, 1, 2]),
  precompiled: packNumbers([0]),
  language: null,
  stage: 'object',
  terminal: false,
  source: 'x.c',
  output: null,
  outputs: ['/home/x/x.o', '/home/x/x.d'],
  dependencyFile: 1,
  answerEncoding: 'none',
  sourcePath: '/home/x/x.c',
  sourceTime: 1_700_000_000,
  sourceMode: 0o644,
  sourceBytes: 100,
  sourceDigest: digest,
  sourceEncoding: 'brotli',
  encodedBytes: 17,
};

const blob = { digest, bytes: 10, encoding: 'none', encodedBytes: 10 } as const;

const pumpResult: PumpResult = {
  kind: 'pump-result',
  job: 7,
  status: 0,
  signal: 0,
  sourceDigest: digest,
  outputs: [{ index: 1, ...blob }],
  stdoutBytes: 0,
  stderrBytes: 12,
  dependencies: packNumbers([1, 2]),
  uncovered: ['/odd\u00ff'],
  cpuMicroseconds: 1,
  wallMilliseconds: 1,
  queueMilliseconds: 0,
  maxRssKiB: 1,
};

const messages: Message[] = [
  { kind: 'hello', protocol: 1, version: '0.1.0', client: 'abc', features: ['x', 'y'] },
  {
    kind: 'welcome',
    protocol: 1,
    version: '0.1.0',
    host: 'h',
    slots: 8,
    features: [],
    tier: 0,
    plainTier: 2,
    missing: [],
  },
  { kind: 'about-query' },
  {
    kind: 'about',
    time: 1.5,
    kernel: '6.1.0',
    isRoot: true,
    isContainer: false,
    maxUserNamespaces: 0,
    unprivilegedUsernsClone: null,
    apparmorRestrictUserns: 1,
    hasLandlock: null,
    storeBytes: 1,
    storeLimit: 2,
    storeFree: 3,
    storeFileSystem: 0xef53,
  },
  { kind: 'state', slots: 8, running: 2, queued: 1, load: 1.25, draining: false },
  {
    kind: 'precompiled',
    path: '/h\u00f6me/x/p.h.gch',
    family: 'gcc',
    program: '/usr/bin/gcc-12',
    argv0: 'gcc',
    cwd: '/home/x',
    environment: [['LANG', 'C.UTF-8']],
    options: packNumbers([3]),
    closure: packNumbers([1, 2]),
    language: 'c-header',
    source: 'p.h',
    output: null,
  },
  { kind: 'ping' },
  { kind: 'pong' },
  { kind: 'toolchain-query', digest, name: 'g++', driverBytes: 906_000 },
  { kind: 'toolchain', digest, known: true },
  job,
  { ...job, sourceDateEpoch: 1_700_000_000, options: [] },
  { kind: 'chunk', job: 4_000_000_000, bytes: Buffer.from('bytes') },
  { kind: 'cancel', job: 9 },
  result,
  { kind: 'refused', job: 9, code: 'busy', message: 'full' },
  {
    kind: 'entries',
    entries: [
      { kind: 'file', path: '/a/\u00ff', digest, size: 1, mtime: 2, mode: 0o644 },
      { kind: 'directory', path: '/a' },
      { kind: 'symlink', path: '/b', target: '../a' },
      { kind: 'absent', path: '/c' },
    ],
  },
  {
    kind: 'entries',
    entries: Array.from({ length: 300 }, (_, n) => ({
      kind: 'absent',
      path: `/usr/include/${n}.h`,
    })),
  },
  {
    kind: 'options',
    options: [
      ['-g', null],
      ['-D', 'A=\u00e9'],
    ],
  },
  { kind: 'missing', digests: [digest] },
  { kind: 'gone', digests: [] },
  { kind: 'blobs', job: 8, blobs: [blob, { ...blob, encoding: 'brotli' }] },
  pumpJob,
  { ...pumpJob, language: 'c++', output: 'x.o', dependencyFile: null },
  pumpResult,
  { ...pumpResult, dependencies: null },
  { kind: 'goodbye', message: 'bye' },
];

await t.test('every message survives the wire', async (t) => {
  for (const message of messages) {
    const frames = [...new WireSplitter().push(encodeMessage(message))];
    t.equal(frames.length, 1);
    for (const frame of frames) {
      t.same(decodeMessage(frame.type, frame.job, frame.body), message, message.kind);
    }
  }
});

await t.test('a message beyond the limits is not sent', async (t) => {
  const long = { ...job, options: [['-f', 'x'.repeat(WIRE.controlBytes)]] as const };
  t.throws(() => encodeMessage(long), RangeError);
  const bytes = Buffer.alloc(WIRE.chunkBytes + 1);
  t.throws(() => encodeMessage({ kind: 'chunk', job: 1, bytes }), RangeError);
});

await t.test('a field that is not what it should be is refused', async (t) => {
  const { kind: _kind, job: id, ...fields } = job;
  const wrong: { [field: string]: unknown[] } = {
    toolchain: [undefined, 1, digest.toUpperCase(), digest.slice(1), `${digest}0`],
    language: ['fortran', 'assembler', null, ['c']],
    stage: ['link'],
    options: [null, {}, ['-O'], [['-O']], [['-O', 2]], [['-O', '2', '3']], [[null, 'x']]],
    sourceDateEpoch: ['0', -1, 0.5, Number.NaN],
    sourceBytes: [-1, WIRE.sourceBytes + 1, 1.5, Infinity, '5', null],
    sourceEncoding: ['gzip'],
    encodedBytes: [WIRE.sourceBytes + 1],
  };
  for (const [field, values] of Object.entries(wrong)) {
    for (const value of values) {
      const body = packr.pack({ ...fields, [field]: value ?? null });
      const message = new RegExp(`^field '${field}'`);
      const expected = { name: 'MalformedFrame', message };
      if (field === 'sourceDateEpoch' && value === null) continue;
      t.throws(() => decodeMessage(FRAME.job, id, body), expected, `${field}: ${String(value)}`);
    }
    const { [field]: _without, ...others } = fields as { [field: string]: unknown };
    t.throws(() => decodeMessage(FRAME.job, id, packr.pack(others)), `without ${field}`);
  }
});

await t.test('of entries, contents and outputs nothing is believed', async (t) => {
  const file = ['f', '/a', digest, 1, 2, 0o644];
  const wrong: [FrameType, string, unknown[]][] = [
    [
      FRAME.entries,
      'entries',
      [
        null,
        'f',
        [],
        ['x', '/a'],
        ['d'],
        ['d', '/a', '/b'],
        ['l', '/a'],
        ['a', '/a\0'],
        ['f', '/a'],
        file.with(2, 'abc'),
        file.with(3, -1),
        file.with(4, 0.5),
        file.with(5, 0o10000),
        [...file, 1],
      ],
    ],
    [FRAME.blobs, 'blobs', [null, [digest, 1, 'gzip', 1], ['x', 1, 'none', 1], [digest, -1]]],
    [FRAME.missing, 'digests', [1, 'abc', null]],
  ];
  for (const [type, field, values] of wrong) {
    for (const value of values) {
      const body = bodyOf(type, { [field]: [value] });
      t.throws(() => decodeMessage(type, 1, body), MalformedFrame, JSON.stringify(value));
    }
    t.throws(() => decodeMessage(type, 1, bodyOf(type, { [field]: {} })), MalformedFrame);
  }
});

/** ENTRIES is a map in a map. */
function bodyOf(type: FrameType, fields: object): Buffer {
  const body = packr.pack(fields);
  if (type !== FRAME.entries) return body;
  return packr.pack({ encoding: 'none', bytes: body.length, packed: body });
}

await t.test('entries are compressed, and never grow beyond what they announce', async (t) => {
  const entries = Array.from(
    { length: 1000 },
    (_, n) => ({ kind: 'directory', path: `/usr/include/x86_64-linux-gnu/${n}` }) as const,
  );
  t.ok(encodeMessage({ kind: 'entries', entries }).length < 8 * entries.length);
  const decode = (fields: object) => () => decodeMessage(FRAME.entries, 0, packr.pack(fields));
  const zeros = Buffer.alloc(WIRE.controlBytes);
  const bomb = brotliCompressSync(Buffer.alloc(100 * WIRE.controlBytes));
  t.throws(decode({ encoding: 'brotli', bytes: 10, packed: brotliCompressSync(zeros) }), /Brotli/);
  t.throws(decode({ encoding: 'brotli', bytes: WIRE.controlBytes, packed: bomb }), /Brotli/);
  t.throws(decode({ encoding: 'brotli', bytes: WIRE.controlBytes + 1, packed: bomb }), /bytes/);
  t.throws(decode({ encoding: 'brotli', bytes: 3, packed: Buffer.from('abc') }), /Brotli/);
});

await t.test('options are bytes without NUL', async (t) => {
  const { kind: _kind, job: id, ...fields } = job;
  for (const value of ['a\0b', '\u0100', 'x\u{1f600}']) {
    const body = packr.pack({ ...fields, options: [['-D', value]] });
    t.throws(() => decodeMessage(FRAME.job, id, body), /options/);
  }
});

await t.test('a name of JavaScript objects is no field', async (t) => {
  for (const name of ['__proto__', 'constructor', 'toString']) {
    const key = Buffer.concat([Buffer.from([0xa0 | name.length]), Buffer.from(name)]);
    const body = Buffer.concat([Buffer.from([0x81]), key, Buffer.from([0x80])]);
    t.throws(() => decodeMessage(FRAME.goodbye, 0, body), /field 'message'/, name);
  }
});

await t.test('bodies and jobs are where they belong', async (t) => {
  const some = Buffer.from('x');
  t.throws(() => decodeMessage(FRAME.ping, 0, some), /with a body/);
  t.throws(() => decodeMessage(FRAME.cancel, 1, some), /with a body/);
  t.throws(() => decodeMessage(FRAME.cancel, 0, Buffer.alloc(0)), /job 0/);
  t.throws(() => decodeMessage(FRAME.chunk, 0, some), /job 0/);
  t.throws(() => decodeMessage(FRAME.hello, 0, Buffer.alloc(0)), /past its frame/);
});
