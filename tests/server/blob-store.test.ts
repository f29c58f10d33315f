import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import t, { type Test } from 'tap';
import { digestOf, type Digest } from '../../src/core/digest.js';
import { STORE } from '../../src/core/limits.js';
import type { FileEntry } from '../../src/protocol/tree-entry.js';
import { BlobStore } from '../../src/server/blob-store.js';

const ENOUGH = 100 * STORE.blockBytes;

function fileOf(content: string | Buffer, more: Partial<FileEntry> = {}): FileEntry {
  const size = content.length;
  const entry = { kind: 'file', path: '/src/x.h', digest: digestOf(content), size } as const;
  return { ...entry, mtime: 1_000_000, mode: 0o640, ...more };
}

class Bench {
  readonly directory: string;
  readonly log: string[] = [];

  constructor(t: Test) {
    this.directory = t.testdir({ layer: {} });
  }

  open(limit = ENOUGH): Promise<BlobStore> {
    return BlobStore.open(`${this.directory}/store`, limit, (line) => this.log.push(line));
  }

  blob(digest: Digest): string {
    return `${this.directory}/store/blobs-v1/${digest}`;
  }

  at(name: string): string {
    return `${this.directory}/layer/${name}`;
  }

  names(): string[] {
    return readdirSync(`${this.directory}/store/blobs-v1`).filter((name) => name !== 'incoming');
  }
}

await t.test('what is put is there after a restart, and placed as its entry says', async (t) => {
  const bench = new Bench(t);
  const store = await bench.open();
  const content = 'int x;\n';
  const entry = fileOf(content);
  t.notOk(store.has(entry.digest));
  await store.put(entry.digest, Buffer.from(content));
  t.ok(store.has(entry.digest));
  await store.close();

  const again = await bench.open();
  t.ok(again.has(entry.digest));
  t.equal(again.bytes, STORE.blockBytes);
  await again.place(entry, bench.at('one'));
  t.equal(readFileSync(bench.at('one'), 'utf8'), content);
  const stats = statSync(bench.at('one'));
  t.equal(stats.mtimeMs, 1_000_000_000);
  t.equal(stats.mode & 0o7777, 0o644);
  await t.rejects(again.place(entry, bench.at('one')), { code: 'EEXIST' });
  await again.close();
  t.same(bench.names(), [entry.digest]);
  t.same(readdirSync(`${bench.directory}/store/blobs-v1/incoming`), []);
});

await t.test('a content of another digest is refused and leaves nothing', async (t) => {
  const bench = new Bench(t);
  const store = await bench.open();
  const digest = digestOf('expected');
  for (const size of [10, STORE.atOnceBytes + 1]) {
    await t.rejects(store.put(digest, Buffer.alloc(size)), { name: 'JobRefused', code: 'source' });
  }
  t.notOk(store.has(digest));
  t.same(bench.names(), []);
  await store.close();
});

await t.test('large contents come in pieces, of the size that was announced', async (t) => {
  const bench = new Bench(t);
  const content = Buffer.alloc(3 * STORE.atOnceBytes, 'abcdefg');
  const entry = fileOf(content);
  const store = await bench.open(1e9);
  const halves = [content.subarray(0, 1000), content.subarray(1000)];
  for (const size of [content.length - 1, content.length + 1]) {
    await t.rejects(store.putPieces(entry.digest, size, halves), { code: 'source' });
  }
  await store.putPieces(entry.digest, content.length, halves);
  await store.place(entry, bench.at('large'));
  t.ok(readFileSync(bench.at('large')).equals(content));

  const restarted = await bench.open(1e9);
  const other = { ...entry, mtime: 5, mode: 0o755 };
  await restarted.place(other, bench.at('other'));
  t.equal(statSync(bench.at('other')).mtimeMs, 5_000, 'read as a stream, and copied');
  await store.close();
  await restarted.close();
});

await t.test('files of one content share it where they look the same', async (t) => {
  const bench = new Bench(t);
  const store = await bench.open();
  const entry = fileOf('shared', { mtime: 7 });
  t.equal(await store.adopt(entry), false, 'the store learns how it will look');
  await store.put(entry.digest, Buffer.from('shared'));
  await store.place(entry, bench.at('a'));
  t.equal(statSync(bench.at('a')).ino, statSync(bench.blob(entry.digest)).ino);
  await store.place({ ...entry, mode: 0o700 }, bench.at('b'));
  const [a, b] = [statSync(bench.at('a')), statSync(bench.at('b'))];
  t.equal(b.mode & 0o777, 0o744, 'readable by all');
  t.not(a.ino, b.ino);
  t.equal(b.ino, statSync(bench.blob(entry.digest)).ino, 'the newest looks are the store’s');
  await store.place(entry, bench.at('c'));
  await store.place(entry, bench.at('d'));
  t.equal(statSync(bench.at('c')).ino, statSync(bench.at('d')).ino);
  t.equal(statSync(bench.at('a')).mtimeMs, 7_000, 'what was placed stays as it was');
  t.equal(statSync(bench.at('b')).mode & 0o777, 0o744);
  await store.close();
});

await t.test('the least recently used go first, also after a restart', async (t) => {
  const bench = new Bench(t);
  const limit = 3 * STORE.blockBytes;
  const store = await bench.open(limit);
  const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map((content) => fileOf(content));
  if (!a || !b || !c || !d || !e) throw new Error('five entries');
  for (const content of ['a', 'b', 'c']) await store.put(digestOf(content), Buffer.from(content));
  await store.place(a, bench.at('a'));
  await store.put(d.digest, Buffer.from('d'));
  t.same(
    [a, b, c, d].map(({ digest }) => store.has(digest)),
    [true, false, false, true],
    'to nine tenths of the limit',
  );
  t.same(new Set(bench.names()), new Set([a.digest, d.digest]));
  await store.close();

  for (const [entry, age] of [
    [a, 10],
    [d, 20],
  ] as const) {
    utimesSync(bench.blob(entry.digest), Date.now() / 1000 - age, entry.mtime);
  }
  const restarted = await bench.open(limit);
  await restarted.put(b.digest, Buffer.from('b'));
  await restarted.put(e.digest, Buffer.from('e'));
  t.same(
    [a, d, b, e].map(({ digest }) => restarted.has(digest)),
    [false, false, true, true],
  );
  await restarted.close();

  const smaller = await bench.open(STORE.blockBytes);
  t.ok(smaller.bytes <= STORE.blockBytes, 'a smaller limit is kept at once');
  await smaller.close();
});

await t.test('what a job waits for is not evicted', async (t) => {
  const bench = new Bench(t);
  const store = await bench.open(2 * STORE.blockBytes);
  const digests = ['a', 'b', 'c', 'd'].map((content) => digestOf(content));
  const letGo = [store.hold(digests), store.hold(digests)];
  for (const content of ['a', 'b', 'c', 'd']) {
    await store.put(digestOf(content), Buffer.from(content));
  }
  t.ok(digests.every((digest) => store.has(digest)));
  letGo[0]?.();
  letGo[0]?.();
  await store.put(digestOf('e'), Buffer.from('e'));
  t.ok(
    digests.every((digest) => store.has(digest)),
    'the second still holds them',
  );
  letGo[1]?.();
  await store.put(digestOf('f'), Buffer.from('f'));
  t.ok(store.bytes <= 2 * STORE.blockBytes);
  t.ok(store.has(digestOf('f')));
  await store.close();
});

await t.test('a use is noted on the disk when the last note is old', async (t) => {
  const bench = new Bench(t);
  const store = await bench.open();
  const entry = fileOf('used');
  await store.put(entry.digest, Buffer.from('used'));
  await store.close();
  const old = Date.now() - 2 * STORE.useResolution;
  utimesSync(bench.blob(entry.digest), old / 1000, entry.mtime);
  const restarted = await bench.open();
  await restarted.place(entry, bench.at('x'));
  const stats = statSync(bench.blob(entry.digest));
  t.ok(stats.atimeMs > old + STORE.useResolution);
  t.equal(stats.mtimeMs, entry.mtime * 1000);
  await restarted.close();
});

await t.test('larger than the store is refused with words', async (t) => {
  const bench = new Bench(t);
  const store = await bench.open(STORE.blockBytes);
  const content = Buffer.alloc(STORE.blockBytes + 1);
  const refusal = { name: 'JobRefused', code: 'limit', message: /4097 bytes.*keeps, 4096/ };
  await t.rejects(store.put(digestOf(content), content), refusal);
  await t.rejects(store.adopt(fileOf(content)), refusal);
  await t.rejects(store.putPieces(digestOf(content), content.length, []), refusal);
  await store.close();
});

await t.test('corrupt and truncated blobs are found when they enter a layer', async (t) => {
  const bench = new Bench(t);
  const store = await bench.open(1e9);
  const long = Buffer.alloc(STORE.atOnceBytes + 1, 'x');
  const contents = [Buffer.from('truncated'), Buffer.from('changed'), long, Buffer.from('emptied')];
  const entries = contents.map((content) => fileOf(content));
  for (const content of contents) await store.put(digestOf(content), content);
  await store.close();
  const [truncated, changed, large, emptied] = entries.map(({ digest }) => bench.blob(digest));
  truncateSync(truncated ?? '', 3);
  writeFileSync(changed ?? '', 'chunged');
  truncateSync(large ?? '', long.length - 1);
  truncateSync(emptied ?? '', 0);

  const restarted = await bench.open(1e9);
  t.same(
    entries.map(({ digest }) => restarted.has(digest)),
    [true, true, true, false],
    'an empty one at once',
  );
  for (const [index, entry] of entries.entries()) {
    await t.rejects(restarted.place(entry, bench.at('x')), { name: 'BlobMissing' });
    t.notOk(existsSync(bench.at('x')));
    t.notOk(restarted.has(entry.digest));
    await restarted.put(entry.digest, contents[index] ?? long);
    await restarted.place(entry, bench.at(`${index}`));
    t.ok(readFileSync(bench.at(`${index}`)).equals(contents[index] ?? long));
  }
  t.match(bench.log, [/empty or foreign/, /corrupt/, /corrupt/, /corrupt/, /gone/]);
  await restarted.close();
});

await t.test('an entry that lies about the size of its content is refused', async (t) => {
  const bench = new Bench(t);
  const store = await bench.open();
  const entry = fileOf('content', { size: 8 });
  await store.put(entry.digest, Buffer.from('content'));
  await t.rejects(store.place(entry, bench.at('x')), {
    name: 'JobRefused',
    message: /7 bytes, not 8/,
  });
  t.notOk(existsSync(bench.at('x')));
  t.ok(store.has(entry.digest), 'and the blob is not to blame');
  await store.close();
});

await t.test('an empty file is a file', async (t) => {
  const bench = new Bench(t);
  const store = await bench.open();
  await store.put(digestOf(''), Buffer.alloc(0));
  await store.close();
  const restarted = await bench.open();
  await restarted.place(fileOf(''), bench.at('empty'));
  t.equal(statSync(bench.at('empty')).size, 0);
  await restarted.close();
});

await t.test('leftovers of dead servers are removed, strangers are not used', async (t) => {
  const bench = new Bench(t);
  const living = await bench.open();
  const crashed = spawn('sleep', ['1000']);
  const start = readFileSync(`/proc/${crashed.pid}/stat`, 'latin1').split(' ')[21];
  crashed.kill('SIGKILL');
  await once(crashed, 'exit');
  const incoming = `${bench.directory}/store/blobs-v1/incoming`;
  mkdirSync(`${incoming}/${crashed.pid}-${start}-abc`);
  writeFileSync(`${incoming}/${crashed.pid}-${start}-abc/1`, 'half a b');
  const [link, directory] = [digestOf('link'), digestOf('directory')];
  symlinkSync('/etc/passwd', bench.blob(link));
  mkdirSync(bench.blob(directory));
  writeFileSync(`${bench.directory}/store/blobs-v1/README`, 'mine');
  const store = await bench.open();
  t.equal(readdirSync(incoming).length, 2, 'two servers live');
  t.notOk(store.has(link) || store.has(directory));
  t.notOk(existsSync(bench.blob(link)));
  t.ok(lstatSync('/etc/passwd').isFile());
  t.equal(readFileSync(`${bench.directory}/store/blobs-v1/README`, 'utf8'), 'mine');
  t.ok(bench.log.some((line) => /foreign names: README/.test(line)));
  await store.close();
  await living.close();
});

await t.test('two servers share a directory', async (t) => {
  const bench = new Bench(t);
  const [one, two] = [await bench.open(), await bench.open()];
  const entry = fileOf('shared', { mtime: 3 });
  await one.put(entry.digest, Buffer.from('shared'));
  t.notOk(two.has(entry.digest));
  t.ok(await two.adopt(entry), 'found where the other has put it');
  await two.place(entry, bench.at('two'));
  // Now the blob is another file than the one that the first server knows.
  await one.place(entry, bench.at('one'));
  t.equal(statSync(bench.at('one')).ino, statSync(bench.at('two')).ino);
  t.equal(statSync(bench.at('one')).mtimeMs, 3_000);

  const small = await bench.open(STORE.blockBytes);
  await small.put(digestOf('more'), Buffer.from('more'));
  t.same(bench.names().length, 0, 'both are evicted');
  await t.rejects(one.place(entry, bench.at('x')), { name: 'BlobMissing' });
  t.notOk(one.has(entry.digest));
  await one.put(entry.digest, Buffer.from('shared'));
  await one.place(entry, bench.at('x'));
  for (const store of [one, two, small]) await store.close();
});

await t.test('one digest is put by many at once', async (t) => {
  const bench = new Bench(t);
  const store = await bench.open(1e9);
  for (const content of [Buffer.from('small'), Buffer.alloc(2 * STORE.atOnceBytes, 'y')]) {
    const entry = fileOf(content);
    await Promise.all(Array.from({ length: 5 }, () => store.put(entry.digest, content)));
    await store.place(entry, bench.at(`${content.length}`));
    t.ok(readFileSync(bench.at(`${content.length}`)).equals(content));
  }
  t.equal(bench.names().length, 2);
  await store.close();
});

await t.test('the server’s own headers are adopted, nothing else of it', async (t) => {
  const bench = new Bench(t);
  const store = await bench.open(1e9);
  const path = '/usr/include/stdio.h';
  const content = readFileSync(path);
  const entry = fileOf(content, { path });
  t.notOk(await store.adopt({ ...entry, digest: digestOf('other') }), 'another content');
  t.notOk(await store.adopt({ ...entry, size: entry.size + 1 }), 'another size');
  t.ok(await store.adopt(entry));
  await store.place(entry, bench.at('stdio.h'));
  t.ok(readFileSync(bench.at('stdio.h')).equals(content));
  t.not(statSync(path).ino, statSync(bench.at('stdio.h')).ino, 'a copy');

  const large = realpathSync('/usr/bin/gcc');
  const bytes = readFileSync(large);
  t.ok(bytes.length > STORE.atOnceBytes);
  t.notOk(await store.adopt(fileOf(bytes, { path: large, digest: digestOf('other') })));
  t.ok(await store.adopt(fileOf(bytes, { path: large })), 'as a stream');
  t.notOk(await store.adopt(fileOf(readFileSync('/etc/passwd'), { path: '/etc/passwd' })));
  const detour = '/usr/../etc/passwd';
  t.notOk(await store.adopt(fileOf(readFileSync(detour), { path: detour })), 'by no detour');
  await store.close();
});
