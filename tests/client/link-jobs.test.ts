/** Answers to jobs that cannot be true: the job fails, or its connection, and nothing else. */
import t from 'tap';
import { digestOf } from '../../src/core/digest.js';
import { packNumbers } from '../../src/protocol/number-runs.js';
import type { PumpOutput, PumpResult } from '../../src/protocol/pump-messages.js';
import { FakeServer, JOB, PUMPED, remoteHost } from '../fixtures/fake-server.js';

const never = new AbortController().signal;
const EMPTY = digestOf('');

const RESULT = {
  kind: 'pump-result',
  status: 0,
  signal: 0,
  sourceDigest: JOB.source.digest,
  outputs: [],
  stdoutBytes: 0,
  stderrBytes: 0,
  dependencies: packNumbers([2]),
  uncovered: [],
  cpuMicroseconds: 1,
  wallMilliseconds: 1,
  queueMilliseconds: 0,
  maxRssKiB: 1,
} as const satisfies Omit<PumpResult, 'job'>;

async function pumping() {
  const server = new FakeServer(remoteHost('red'));
  await server.comeUp();
  const running = server.link.run(PUMPED, 60_000, never);
  await server.expect('entries');
  const { job } = await server.expect('pump-job');
  return { server, running, job };
}

const output = (index: number, content = ''): PumpOutput => {
  const { length } = content;
  const blob = { bytes: length, encoding: 'none', encodedBytes: length } as const;
  return { index, digest: digestOf(content), ...blob };
};

await t.test('a pump job and its result', async (t) => {
  const { server, running, job } = await pumping();
  server.send({ ...RESULT, job, outputs: [output(1, 'su'), output(0, 'obj')], stderrBytes: 3 });
  server.send({ kind: 'chunk', job, bytes: Buffer.from('suobjerr') });
  const { outputs, stderr, read } = await running;
  const texts = [...outputs].map(([index, bytes]) => [index, Buffer.from(bytes).toString()]);
  t.strictSame(texts, [
    [1, 'su'],
    [0, 'obj'],
  ]);
  t.equal(Buffer.from(stderr).toString(), 'err');
  t.strictSame(read, { entries: PUMPED.closure.slice(1), uncovered: [] });
});

await t.test('answers that are none to this job', async (t) => {
  const cases: [Partial<PumpResult>, RegExp][] = [
    [{ outputs: [output(2)] }, /an output that the job does not have/],
    [{ outputs: [output(0), output(0)] }, /an output twice/],
    [{ outputs: [{ ...output(0), bytes: 1 }] }, /has 0 bytes, announced were 1/],
    [{ sourceDigest: EMPTY }, /another source/],
  ];
  for (const [lie, message] of cases) {
    const { server, running, job } = await pumping();
    server.send({ ...RESULT, job, ...lie });
    await t.rejects(running, { reason: 'result-invalid', message });
    t.equal(server.link.state, 'up');
  }
});

await t.test('an answer of the other mode', async (t) => {
  const { server, running, job } = await pumping();
  server.answer(job, Buffer.from('obj'));
  await t.rejects(running, { reason: 'result-invalid', message: /answered a plain job/ });
  const plain = server.link.run(JOB, 60_000, never);
  await server.expect('chunk');
  server.send({ ...RESULT, job: (await server.expect('job')).job });
  await t.rejects(plain, { reason: 'result-invalid', message: /answered a pump job/ });
});

await t.test('two answers', async (t) => {
  const { server, running, job } = await pumping();
  for (let time = 0; time < 2; time++) server.send({ ...RESULT, job, stdoutBytes: 1 });
  await t.rejects(running, { reason: 'result-invalid', message: /answered twice/ });
});

await t.test('dependencies that nobody knows end the connection, and no other', async (t) => {
  const lies = [packNumbers([3]), packNumbers([2 ** 31 - 2]), Buffer.from([0xff])];
  for (const dependencies of lies) {
    const { server, running, job } = await pumping();
    server.send({ ...RESULT, job, dependencies });
    await t.rejects(running, { reason: 'server-lost', message: /^red: / });
    t.equal(server.link.state, 'down');
    t.match(server.events.at(-1), /goodbye/);
  }
});

await t.test('contents that it was never told of are gone', async (t) => {
  const { server } = await pumping();
  await server.expect('chunk');
  server.send({ kind: 'missing', digests: [digestOf('secret')] });
  t.match(await server.expect('gone'), { digests: [digestOf('secret')] });
});

await t.test('a file that is gone there is looked at anew here', async (t) => {
  const { server, running, job } = await pumping();
  server.send({ kind: 'refused', job, code: 'missing', message: 'a.h is gone' });
  await t.rejects(running, { reason: 'closure-stale', message: 'red: missing: a.h is gone' });
});
