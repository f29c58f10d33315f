import { brotliCompressSync } from 'node:zlib';
import t from 'tap';
import { ResultCollector } from '../../src/client/result-collector.js';
import { digestOf } from '../../src/core/digest.js';
import type { JobResult } from '../../src/protocol/plain-messages.js';

const OBJECT = Buffer.from('an object, an object, an object');
const ENCODED = brotliCompressSync(OBJECT);

function header(over: Partial<JobResult> = {}): JobResult {
  return {
    kind: 'result',
    job: 1,
    status: 0,
    signal: 0,
    sourceDigest: digestOf('source'),
    outputBytes: OBJECT.length,
    outputDigest: digestOf(OBJECT),
    outputEncoding: 'brotli',
    encodedBytes: ENCODED.length,
    stdoutBytes: 0,
    stderrBytes: 0,
    cpuMicroseconds: 12_500,
    wallMilliseconds: 20,
    queueMilliseconds: 3,
    maxRssKiB: 1000,
    ...over,
  };
}

function collect(header: JobResult, ...parts: readonly (Buffer | string)[]) {
  const collector = new ResultCollector(header, undefined, 77);
  for (const part of parts) collector.add(Buffer.from(part as Buffer));
  return collector;
}

await t.test('a result in pieces', async (t) => {
  const collector = new ResultCollector(header({ stdoutBytes: 3, stderrBytes: 5 }), undefined, 77);
  const all = Buffer.concat([ENCODED, Buffer.from('outerror')]);
  for (const at of all.keys()) {
    t.equal(collector.isComplete, false);
    t.equal(collector.add(all.subarray(at, at + 1)), true);
  }
  t.equal(collector.isComplete, true);
  t.strictSame(await collector.finish(), {
    status: 0,
    signal: 0,
    outputs: new Map([[0, OBJECT]]),
    stdout: Buffer.from('out'),
    stderr: Buffer.from('error'),
    read: undefined,
    cpu: 12.5,
    running: 20,
    queued: 3,
    sentBytes: 77,
    receivedBytes: all.length,
  });
});

await t.test('a result without an output is complete at once', async (t) => {
  const failed = header({ status: 1, outputBytes: 0, encodedBytes: 0, outputEncoding: 'none' });
  const collector = new ResultCollector(failed, undefined, 0);
  t.equal(collector.isComplete, true);
  t.match(await collector.finish(), { status: 1, outputs: new Map() });
});

await t.test('not compressed', async (t) => {
  const plain = header({ outputEncoding: 'none', encodedBytes: OBJECT.length });
  t.strictSame((await collect(plain, OBJECT).finish()).outputs.get(0), OBJECT);
});

await t.test('more than announced is too much', async (t) => {
  const collector = new ResultCollector(header(), undefined, 0);
  t.equal(collector.add(ENCODED), true);
  t.equal(collector.add(Buffer.from('x')), false);
  t.equal(collector.isComplete, false);
});

await t.test('nothing is believed', async (t) => {
  const other = brotliCompressSync(Buffer.from('an OBJECT, an object, an object'));
  const cut = ENCODED.subarray(0, -2);
  const plain = { outputEncoding: 'none', encodedBytes: OBJECT.length } as const;
  const cases: [string, ResultCollector, RegExp][] = [
    [
      'another output',
      collect(header({ encodedBytes: other.length }), other),
      /does not have the digest/,
    ],
    [
      'a shorter one',
      collect(header({ outputBytes: OBJECT.length + 1 }), ENCODED),
      /has 31 bytes, announced were 32/,
    ],
    [
      'a longer one',
      collect(header({ outputBytes: OBJECT.length - 1 }), ENCODED),
      /cannot be decompressed/,
    ],
    [
      'not compressed, of another size',
      collect(header({ ...plain, outputBytes: 5 }), OBJECT),
      /has 31 bytes, announced were 5/,
    ],
    ['cut short', collect(header({ encodedBytes: cut.length }), cut), /cannot be decompressed/],
    ['nonsense', collect(header({ encodedBytes: 3 }), 'xyz'), /cannot be decompressed/],
    [
      'a bomb',
      collect(header({ encodedBytes: 22 }), brotliCompressSync(Buffer.alloc(1 << 24))),
      /cannot be decompressed/,
    ],
  ];
  for (const [name, collector, message] of cases) {
    await t.rejects(
      collector.finish(),
      { name: 'RemoteFailure', reason: 'result-invalid', message },
      name,
    );
  }
});
