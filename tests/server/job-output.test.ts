import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { linkSync, symlinkSync, writeFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';
import t from 'tap';
import { digestOf } from '../../src/core/digest.js';
import { SERVER, WIRE } from '../../src/core/limits.js';
import { encodeOutput, NO_OUTPUT, openContent, type Content } from '../../src/server/job-output.js';

async function collect({ pieces }: Content): Promise<Buffer> {
  const collected: Uint8Array[] = [];
  for await (const piece of pieces) collected.push(piece);
  return Buffer.concat(collected);
}

/** Opens a file that is there. */
async function opened(path: string): Promise<Content> {
  const content = await openContent(path, WIRE.outputBytes, 'output');
  if (content === undefined) throw new Error(`${path} is not there`);
  return content;
}

const cases: [name: string, bytes: Buffer, encoding: 'brotli' | 'none'][] = [
  ['empty', Buffer.alloc(0), 'none'],
  ['small and regular', Buffer.alloc(5000, 'abc'), 'brotli'],
  ['small noise', randomBytes(5000), 'none'],
  ['large and regular', Buffer.alloc(SERVER.outputInMemory + 1, 'abc'), 'brotli'],
  ['large noise', randomBytes(SERVER.outputInMemory + 1), 'none'],
];

for (const [name, bytes, encoding] of cases) {
  await t.test(`an output that is ${name}`, async (t) => {
    const directory = t.testdir({});
    writeFileSync(`${directory}/output`, bytes);
    const content = await opened(`${directory}/output`);
    const output = await encodeOutput(content, 'brotli', `${directory}/scratch`);
    t.match(output, { bytes: bytes.length, digest: digestOf(bytes), encoding });
    const encoded = await collect(output.content);
    t.equal(encoded.length, output.content.bytes);
    const decoded = encoding === 'brotli' ? brotliDecompressSync(encoded) : encoded;
    t.ok(decoded.equals(bytes));
    t.ok((await collect(output.content)).equals(encoded), 'a second time');
    await output.content.close();
  });
}

await t.test('an output goes as it is where the source came so', async (t) => {
  for (const size of [5000, SERVER.outputInMemory + 1]) {
    const bytes = Buffer.alloc(size, 'abc');
    const directory = t.testdir({});
    writeFileSync(`${directory}/output`, bytes);
    const content = await opened(`${directory}/output`);
    const output = await encodeOutput(content, 'none', `${directory}/scratch`);
    t.match(output, { bytes: size, digest: digestOf(bytes), encoding: 'none' });
    t.ok((await collect(output.content)).equals(bytes));
    await output.content.close();
  }
});

await t.test('no output is an output of no bytes', async (t) => {
  t.match(NO_OUTPUT, { bytes: 0, digest: digestOf(''), encoding: 'none' });
  t.equal((await collect(NO_OUTPUT.content)).length, 0);
  t.equal(await openContent(`${t.testdir({})}/none`, 10, 'output'), undefined);
});

await t.test('only a regular file of the allowed size is opened', async (t) => {
  const directory = t.testdir({ file: '12345', folder: {} });
  symlinkSync('file', `${directory}/link`);
  execFileSync('mkfifo', [`${directory}/fifo`]);
  writeFileSync(`${directory}/two`, 'x');
  linkSync(`${directory}/two`, `${directory}/names`);
  const open = (name: string, limit = 5) => openContent(`${directory}/${name}`, limit, 'output');
  t.equal((await open('file'))?.bytes, 5);
  await t.rejects(open('file', 4), { code: 'limit', message: /output has 5 bytes; 4 are allowed/ });
  await t.rejects(open('link'), { code: 'failed', message: /ELOOP/ });
  await t.rejects(open('names'), { code: 'failed', message: /another name/ });
  await t.rejects(open('fifo'), { code: 'failed', message: /not a regular file/ });
  await t.rejects(open('folder'), { code: 'failed', message: /not a regular file/ });
});
