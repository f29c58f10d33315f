import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, existsSync } from 'node:fs';
import { brotliCompressSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { digestOf } from '../../src/core/digest.js';
import { failure } from '../../src/core/errors.js';
import { SERVER, WIRE } from '../../src/core/limits.js';
import { FakeCompiler } from '../fixtures/fake-compiler.js';
import { identityOf, TestServer } from '../fixtures/test-server.js';
import { WireClient } from '../fixtures/wire-client.js';

const GCC = '/usr/bin/gcc';
const GXX = '/usr/bin/g++';

const fake = FakeCompiler.build();
const FAKE = identityOf(fake.path());
const server = await TestServer.start([fake.path(), GCC, GXX]);
t.teardown(async () => {
  await server.stop();
  fake.close();
});

/** A client of its own for each test, and the certainty that the test's jobs leave nothing. */
async function newClient(t: Test, name?: string): Promise<WireClient> {
  const client = await WireClient.greeted(server.port, name);
  t.teardown(async () => {
    client.close();
    await server.noLeftovers();
  });
  return client;
}

const C = `#include <stddef.h>
#line 40 "elsewhere.h"
static const char *where = __FILE__;
size_t length(const char *s) { size_t n = 0; while (s[n]) n++; return n; }
const char *place(void) { return where; }
`;
const CXX = `#include <string>
#include <vector>
namespace { struct Hidden { int operator()(int x) const { return x + 1; } }; }
struct Registered { Registered() { all.push_back("x"); } static std::vector<std::string> all; };
std::vector<std::string> Registered::all;
static Registered registered;
int apply(int x) { return Hidden{}(x); }
`;

await t.test('an object is the one that gcc makes here', async (t) => {
  const client = await newClient(t);
  const here = t.testdir({ 'unit.c': C, 'unit.cc': CXX });
  const cases = [
    { compiler: GCC, language: 'c', file: 'unit.c', options: [['-O', '2']] },
    { compiler: GCC, language: 'c', file: 'unit.c', options: [['-fPIC', null]] },
    { compiler: GXX, language: 'c++', file: 'unit.cc', options: [['-O', '2']] },
    { compiler: GXX, language: 'c++', file: 'unit.cc', options: [['-O', '0']] },
  ] as const;
  for (const stage of ['object', 'assembly'] as const) {
    for (const { compiler, language, file, options } of cases) {
      const words = options.map(([name, value]) => `${name}${value ?? ''}`);
      const letter = stage === 'object' ? '-c' : '-S';
      execFileSync(compiler, [...words, letter, file, '-o', 'local'], { cwd: here });
      const source = execFileSync(compiler, [...words, '-E', file], { cwd: here });
      client.begin(identityOf(compiler), source, { language, stage, options: [...options] });
      const { output } = await client.answer();
      t.ok(output.equals(readFileSync(`${here}/local`)), `${stage} of ${file} ${words.join(' ')}`);
    }
  }
});

await t.test('a compile that fails answers with its words and without output', async (t) => {
  const client = await newClient(t);
  client.begin(identityOf(GCC), '# 1 "mine.c"\nint f( {\n');
  const { result, output, stderr } = await client.answer();
  t.equal(result.status, 1);
  t.equal(output.length, 0);
  t.match(stderr.toString(), /^mine\.c:1:8: error: /);
});

await t.test('a compiler that a signal kills is told from one that fails', async (t) => {
  const client = await newClient(t);
  client.begin(FAKE, 'x');
  const run = await fake.nextInvocation();
  await run.signal(11);
  t.match((await client.answer()).result, { status: 139, signal: 11 });
});

await t.test('an empty source, compressed or not', async (t) => {
  const client = await newClient(t);
  for (const sourceEncoding of ['none', 'brotli'] as const) {
    client.begin(identityOf(GCC), '', { sourceEncoding });
    t.equal((await client.answer()).result.status, 0, sourceEncoding);
  }
});

await t.test('cancelling kills the compiler and its children', async (t) => {
  const client = await newClient(t);
  const job = client.begin(FAKE, 'x');
  const run = await fake.nextInvocation();
  await run.child();
  const before = performance.now();
  client.connection.send({ kind: 'cancel', job });
  await run.gone;
  t.ok(performance.now() - before < SERVER.cancel, 'soon');
  t.notOk(existsSync(`/proc/${run.pid}/exe`), 'and for good');
  client.begin(identityOf(GCC), 'int x;');
  t.equal((await client.answer()).result.job, job + 1, 'nothing more is said of it');
});

await t.test('a client that goes away takes its compilers along', async (t) => {
  const client = await newClient(t);
  client.begin(FAKE, 'x');
  client.begin(FAKE, 'y');
  const runs = [await fake.nextInvocation(), await fake.nextInvocation()];
  await runs[0]?.child();
  client.begin(FAKE, 'z');
  client.close();
  await Promise.all(runs.map((run) => run.gone));
  await server.noLeftovers();
  t.equal(fake.unclaimed, 0, 'and the job that waited never runs');
});

await t.test('a job can be cancelled while its source is on its way', async (t) => {
  const client = await newClient(t);
  const fields = { toolchain: FAKE, encodedBytes: 100, sourceBytes: 100 };
  const job = client.beginRaw(Buffer.from('begin'), { ...fields, sourceEncoding: 'none' });
  const other = await newClient(t, 'other');
  await other.stateLike(({ queued }) => queued === 1);
  client.connection.send({ kind: 'cancel', job });
  client.begin(identityOf(GCC), 'int x;');
  t.equal((await client.answer()).result.job, job + 1);
  // Content that crossed the cancellation is no offence.
  client.connection.send({ kind: 'chunk', job, bytes: Buffer.from('more') });
  t.equal(await client.knows(identityOf(GCC), 'gcc'), true);
});

await t.test('a source that is not what was announced is refused', async (t) => {
  const client = await newClient(t);
  const source = Buffer.from('int x;\n');
  const packed = brotliCompressSync(source);
  const honest = {
    toolchain: FAKE,
    sourceBytes: source.length,
    sourceDigest: digestOf(source),
  };
  const cases = [
    { lie: 'digest', fields: { sourceDigest: digestOf('other') }, message: /digest/ },
    { lie: 'fewer bytes', fields: { sourceBytes: 3 }, message: /more than the 3 bytes/ },
    { lie: 'more bytes', fields: { sourceBytes: 9 }, message: /7 bytes, 9 were announced/ },
  ];
  for (const { lie, fields, message } of cases) {
    client.beginRaw(packed, { ...honest, ...fields });
    t.match(await client.refusal(), { code: 'source', message }, lie);
  }
  client.beginRaw(Buffer.from('no brotli at all'), honest);
  t.match(await client.refusal(), { code: 'source', message: /cannot be decoded/ });
  client.beginRaw(packed.subarray(0, 4), honest);
  t.match(await client.refusal(), { code: 'source', message: /cannot be decoded/ });
  t.equal(fake.unclaimed, 0, 'no compiler saw any of them');
});

await t.test('a bomb does not go off', async (t) => {
  const client = await newClient(t);
  const bomb = brotliCompressSync(Buffer.alloc(64 << 20));
  t.ok(bomb.length < 1000);
  client.beginRaw(bomb, { toolchain: FAKE, sourceBytes: 64 << 20 });
  t.match(await client.refusal(), { code: 'limit', message: /200 times/ });
  client.beginRaw(bomb, { toolchain: FAKE, sourceBytes: 1000 });
  t.match(await client.refusal(), { code: 'source', message: /more than the 1000 bytes/ });
});

await t.test('an output that is no file is not opened', async (t) => {
  const client = await newClient(t);
  for (const kind of ['link', 'fifo', 'directory'] as const) {
    client.begin(FAKE, kind);
    const run = await fake.nextInvocation();
    const output = `${run.cwd}/${run.valueOf('-o')}`;
    if (kind === 'link') execFileSync('ln', ['-s', '/etc/hostname', output]);
    if (kind === 'fifo') execFileSync('mkfifo', [output]);
    if (kind === 'directory') execFileSync('mkdir', [output]);
    await run.exit(0);
    t.match(await client.refusal(), { code: 'failed' }, kind);
  }
  client.begin(FAKE, 'nothing');
  await (await fake.nextInvocation()).exit(0);
  t.match(await client.refusal(), { code: 'failed', message: /without making its output/ });
});

await t.test('a large output comes through whole, compressed or not', async (t) => {
  const client = await newClient(t);
  const size = SERVER.outputInMemory + 12_345;
  const noise = randomBytes(size);
  for (const [content, encoding] of [
    [noise, 'none'],
    [Buffer.alloc(size, 'object'), 'brotli'],
  ] as const) {
    client.begin(FAKE, 'x');
    const run = await fake.nextInvocation();
    await run.write(run.valueOf('-o') ?? '', content);
    await run.stderr('a word');
    await run.exit(0);
    const { result, output, stderr } = await client.answer();
    t.equal(result.outputEncoding, encoding);
    t.equal(result.outputDigest, digestOf(content));
    t.ok(output.equals(content));
    t.equal(stderr.toString(), 'a word');
  }
});

await t.test('a compiler that prints without end is cut off', async (t) => {
  const client = await newClient(t);
  client.begin(FAKE, 'x');
  const run = await fake.nextInvocation();
  await run.stderr(Buffer.alloc(WIRE.diagnosticsBytes + 1, 'x'));
  await run.write(run.valueOf('-o') ?? '', 'object');
  await run.exit(0);
  t.match(await client.refusal(), { code: 'limit', message: /standard error/ });
});

await t.test('options that cannot be expressed are refused', async (t) => {
  const client = await newClient(t);
  client.begin(FAKE, 'x', { options: [['-fplugin=', '/evil.so']] });
  t.match(await client.refusal(), { code: 'option', message: /-fplugin=/ });
  const strict = await TestServer.start([GCC], { renderArguments: () => failure('no way') });
  t.teardown(() => strict.stop());
  const other = await WireClient.greeted(strict.port);
  other.begin(identityOf(GCC), 'x');
  t.match(await other.refusal(), { code: 'option', message: 'no way' });
  other.close();
});

await t.test('a compiler that this server lacks is refused', async (t) => {
  const client = await newClient(t);
  t.equal(await client.knows(digestOf('other'), 'gcc'), false);
  client.begin(digestOf('other'), 'int x;');
  t.match(await client.refusal(), { code: 'toolchain' });
});

await t.test('when the runner dies its jobs fail and the next one runs', async (t) => {
  const client = await newClient(t);
  client.begin(FAKE, 'x');
  const run = await fake.nextInvocation();
  await run.child();
  process.kill(server.runner.pid ?? 0, 'SIGKILL');
  t.match(await client.refusal(), { code: 'failed', message: /runner ended \(SIGKILL\)/ });
  await run.gone;
  client.begin(identityOf(GCC), 'int x;');
  t.equal((await client.answer()).result.status, 0);
});

await t.test('a compiler cannot fill the disk with one file', async (t) => {
  const client = await newClient(t);
  client.begin(identityOf(GCC), `char huge[${SERVER.jobFile + 1}L] = {1};`);
  const { result } = await client.answer();
  t.not(result.status, 0);
});
