import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  truncateSync,
  unlinkSync,
} from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { digestOf, type Digest } from '../../src/core/digest.js';
import { SERVER, STORE } from '../../src/core/limits.js';
import { realClock } from '../../src/platform/clock.js';
import { HeldClock } from '../fixtures/held-clock.js';
import type { FileEntry, TreeEntry } from '../../src/protocol/tree-entry.js';
import { BlobStore } from '../../src/server/blob-store.js';
import { ClientTree, type TreeSnapshot } from '../../src/server/client-tree.js';
import { viewOf } from '../fixtures/layer-view.js';
import { until } from '../fixtures/until.js';

const never = new AbortController().signal;

/** Of all files that tests make. */
const contents = new Map<Digest, string>();

function file(path: string, content = path, more: Partial<FileEntry> = {}): FileEntry {
  contents.set(digestOf(content), content);
  const facts = { digest: digestOf(content), size: content.length, mtime: 1000, mode: 0o644 };
  return { kind: 'file', path, ...facts, ...more };
}

const absent = (path: string): TreeEntry => ({ kind: 'absent', path });
const directory = (path: string): TreeEntry => ({ kind: 'directory', path });
const symlink = (path: string, target: string): TreeEntry => ({ kind: 'symlink', path, target });

/** A tree whose client gives what it is asked for, if it has it and is not told to wait. */
class Bench {
  readonly root: string;
  readonly store: BlobStore;
  readonly tree: ClientTree;
  readonly asked: Digest[] = [];
  readonly log: string[] = [];
  /** Contents have as long as the test likes. */
  readonly clock = new HeldClock(SERVER.contentsUpload);
  /** The client does not have these any more. */
  readonly lacks = new Set<Digest>();
  gives = true;
  given = 0;
  readonly #held: TreeSnapshot[] = [];
  #closed: Promise<void> | undefined;

  private constructor(root: string, store: BlobStore) {
    this.root = root;
    this.store = store;
    mkdirSync(`${root}/tree`);
    this.tree = new ClientTree(
      `${root}/tree`,
      store,
      (digests) => {
        this.asked.push(...digests);
        if (this.gives) void this.give(digests);
      },
      (line) => this.log.push(line),
      this.clock,
    );
  }

  static async open(t: Test, limit = 1e9): Promise<Bench> {
    const root = t.testdir({});
    const bench: Bench = new Bench(
      root,
      await BlobStore.open(`${root}/store`, limit, (line) => bench.log.push(line)),
    );
    t.teardown(() => bench.end());
    return bench;
  }

  /** Resolves when no layer is on the disk but these snapshots' and those that the next job gets. */
  async keepsOnly(closure: readonly number[], snapshots: readonly TreeSnapshot[]): Promise<void> {
    for (;;) {
      const newest = await this.tree.snapshot(closure, never);
      const held = new Set([newest, ...snapshots].flatMap(({ layers }) => layers));
      newest.release();
      const found = readdirSync(`${this.root}/tree`).filter((name) => /^[0-9]+$/.test(name));
      if (found.length === held.size) return;
      await setImmediate();
    }
  }

  async give(digests: readonly Digest[]): Promise<void> {
    for (const digest of digests) {
      if (this.lacks.has(digest)) {
        this.tree.gone([digest]);
      } else {
        await this.store.put(digest, Buffer.from(contents.get(digest) ?? ''));
        this.tree.arrived(digest);
        this.given++;
      }
    }
  }

  async snapshot(closure: readonly number[], signal: AbortSignal): Promise<TreeSnapshot> {
    const snapshot = await this.tree.snapshot(closure, signal);
    this.#held.push(snapshot);
    return snapshot;
  }

  /** Numbers of the new entries. */
  add(...entries: readonly TreeEntry[]): number[] {
    const first = this.tree.count + 1;
    this.tree.add(entries);
    return entries.map((_, index) => first + index);
  }

  async view(closure: readonly number[]): Promise<Map<string, string>> {
    const snapshot = await this.tree.snapshot(closure, never);
    const view = viewOf(snapshot.layers);
    snapshot.release();
    return view;
  }

  blob(digest: Digest): string {
    return `${this.root}/store/blobs-v1/${digest}`;
  }

  /** Resolves when the last snapshot is released. */
  close(): Promise<void> {
    this.#closed ??= this.tree.close().then(() => this.store.close());
    return this.#closed;
  }

  async end(): Promise<void> {
    const closed = this.close();
    for (const snapshot of this.#held) snapshot.release();
    await closed;
  }
}

await t.test('a closure becomes a layer, and nothing new becomes none', async (t) => {
  const bench = await Bench.open(t);
  const closure = bench.add(
    file('/src/a.h'),
    file('/src/b.h', '/src/b.h', { mode: 0o700 }),
    directory('/src/empty'),
    symlink('/src/l', '../src/a.h'),
  );
  const snapshot = await bench.snapshot(closure, never);
  t.same(
    viewOf(snapshot.layers),
    new Map([
      ['/src', 'directory'],
      ['/src/a.h', 'file /src/a.h 1000 644'],
      ['/src/b.h', 'file /src/b.h 1000 744'],
      ['/src/empty', 'directory'],
      ['/src/l', '-> ../src/a.h'],
    ]),
  );
  t.equal(snapshot.fileAt('/src/empty/../l'), closure[0]);
  t.same(bench.asked, [digestOf('/src/a.h'), digestOf('/src/b.h')]);
  const same = await bench.snapshot(closure.slice(1), never);
  t.same(same.layers, snapshot.layers);
  t.equal(same.fileAt('/src/a.h'), undefined, 'there, but not of this closure');
  t.same((await bench.snapshot([], never)).layers, snapshot.layers);
});

await t.test('a tree without entries has no layers', async (t) => {
  const bench = await Bench.open(t);
  t.same((await bench.snapshot([], never)).layers, []);
});

await t.test('two jobs have different versions of one file at once', async (t) => {
  const bench = await Bench.open(t);
  const path = '/generated.h';
  const [old, young] = [bench.add(file(path, 'old')), bench.add(file(path, 'young'))];
  const both = await Promise.all([
    bench.snapshot(old, never),
    bench.snapshot(young, never),
    bench.snapshot(old, never),
  ]);
  t.same(
    both.map(({ layers }) => viewOf(layers).get(path)),
    ['file old 1000 644', 'file young 1000 644', 'file old 1000 644'],
  );
});

await t.test('what is gone is hidden, for jobs that came after that word', async (t) => {
  const bench = await Bench.open(t);
  const [a, b] = bench.add(file('/i/a.h'), file('/i/b.h'));
  if (!a || !b) throw new Error('two entries');
  bench.gives = false;
  const before = bench.snapshot([a, b], never);
  bench.add(absent('/i/a.h'));
  const between = bench.snapshot([b], never);
  bench.add(file('/i/a.h'));
  const after = bench.snapshot([b], never);
  await until(() => bench.asked.length === 2);
  await bench.give(bench.asked);
  const views = [before, between, after].map(async (snapshot) => viewOf((await snapshot).layers));
  const [one, two] = await Promise.all(views);
  t.ok(one?.has('/i/a.h'));
  t.notOk(two?.has('/i/a.h'), 'it was not there when that job came');
  t.ok(two?.has('/i/b.h'));
  bench.gives = true;
  const again = bench.add(file('/i/a.h'));
  t.ok((await bench.view(again)).has('/i/a.h'), 'and comes back');
});

await t.test('a directory turns into a link and back', async (t) => {
  const bench = await Bench.open(t);
  const first = bench.add(file('/d/x.h'), file('/e/y.h'));
  await bench.view(first);
  const link = bench.add(symlink('/d', 'e'));
  t.same([...(await bench.view(link)).keys()].toSorted(), ['/d', '/e', '/e/y.h']);
  const back = bench.add(file('/d/z.h'));
  t.same([...(await bench.view(back)).keys()].toSorted(), ['/d', '/d/z.h', '/e', '/e/y.h']);
  t.ok((await bench.view(first)).has('/d/x.h'), 'an earlier closure has what it names');
});

await t.test('a directory that was there only for its files goes with them', async (t) => {
  const bench = await Bench.open(t);
  const [x] = bench.add(
    file('/x'),
    file('/only/here/a.h'),
    directory('/named'),
    file('/named/b.h'),
  );
  await bench.view([1, 2, 3, 4]);
  bench.add(absent('/only/here/a.h'), absent('/named/b.h'));
  t.same([...(await bench.view([x ?? 0])).keys()].toSorted(), ['/named', '/x']);
});

await t.test('closures that are no file system are refused', async (t) => {
  const bench = await Bench.open(t);
  bench.add(file('/a/b'), file('/a', 'a'), file('/a/b', 'other'));
  const refusal = (message: RegExp) => ({ name: 'JobRefused', code: 'source', message });
  await t.rejects(bench.snapshot([1, 2], never), refusal(/\/a is a file .* something in it/));
  await t.rejects(bench.snapshot([1, 3], never), refusal(/two entries for \/a\/b/));
  const malformed = { name: 'MalformedFrame' };
  for (const number of [0, 4, -1, 0.5]) await t.rejects(bench.snapshot([number], never), malformed);
  bench.add(absent('/a'));
  await t.rejects(bench.snapshot([4], never), malformed);
  t.throws(() => bench.tree.add([file('/a/../b')]), malformed);
  t.throws(
    () => bench.tree.add(Array.from({ length: STORE.treeEntries }, () => absent('/a'))),
    malformed,
  );
  t.same([...(await bench.view([1])).keys()], ['/a', '/a/b'], 'and harm nobody else');
});

await t.test('devices of the job root are not the client’s', async (t) => {
  const bench = await Bench.open(t);
  const own = bench.add(file('/dev/null', ''), file('/dev/shm/x.h'), directory('/dev'));
  await t.rejects(bench.snapshot(own, never), { message: /its own \/dev\/null/ });
  await bench.view(own.slice(1));
  bench.add(absent('/dev'));
  const view = await bench.view(bench.add(file('/y.h')));
  t.same(
    [...view.keys()].toSorted(),
    ['/dev', '/dev/shm', '/y.h'].filter((path) => view.has(path)),
  );
  t.ok(view.has('/dev'), 'hidden would be the devices, too');
  t.notOk(view.has('/dev/shm/x.h'));
});

await t.test('each content is asked for once, however many jobs wait', async (t) => {
  const bench = await Bench.open(t);
  bench.gives = false;
  const closure = bench.add(file('/a'), file('/b', '/a'), file('/c'));
  const jobs = [1, 2, 3].map(() => bench.snapshot(closure, never));
  bench.tree.add([file('/d', '/a')]);
  await until(() => bench.asked.length === 2);
  t.same(new Set(bench.asked), new Set([digestOf('/a'), digestOf('/c')]));
  await bench.give(bench.asked);
  for (const job of jobs) (await job).release();
  t.equal(bench.asked.length, 2);
});

await t.test('a job whose files are gone is refused, the next one is not', async (t) => {
  const bench = await Bench.open(t);
  const [a, b] = bench.add(file('/a'), file('/b'));
  bench.lacks.add(digestOf('/a'));
  const refused = bench.snapshot([a ?? 0], never);
  const next = bench.snapshot([b ?? 0], never);
  const refusal = { name: 'JobRefused', code: 'missing', message: /is not there any more/ };
  await t.rejects(refused, refusal);
  t.ok(viewOf((await next).layers).has('/b'));
  await t.rejects(bench.snapshot([a ?? 0], never), refusal, 'asked again, and told again');
  bench.lacks.clear();
  t.ok((await bench.view([a ?? 0])).has('/a'), 'and there again');
});

await t.test('a job that is cancelled, or whose client leaves, waits no longer', async (t) => {
  const bench = await Bench.open(t);
  bench.gives = false;
  const closure = bench.add(file('/a'));
  const stop = new AbortController();
  const cancelled = bench.snapshot(closure, stop.signal);
  const left = bench.snapshot(closure, never);
  await until(() => bench.asked.length === 1);
  stop.abort();
  await t.rejects(cancelled, { name: 'JobRefused', message: /cancelled/ });
  const closed = bench.close();
  await t.rejects(left, { name: 'JobRefused', message: /client is gone/ });
  await closed;
  await t.rejects(bench.snapshot(closure, never), { message: /client is gone/ });
  t.notOk(existsSync(`${bench.root}/tree`));
});

await t.test(
  'contents that never come are waited for so long, and the next job is not',
  async (t) => {
    const bench = await Bench.open(t);
    const [a, b] = bench.add(file('/a'), file('/b'));
    await bench.view([b ?? 0]);
    bench.gives = false;
    const [never1] = bench.add(file('/never'));
    const late = bench.snapshot([a ?? 0, never1 ?? 0], never);
    const next = bench.snapshot([b ?? 0], never);
    await bench.clock.armed();
    bench.clock.fire();
    await t.rejects(late, { code: 'limit', message: /needs arrived within 900 s/ });
    t.ok(viewOf((await next).layers).has('/b'));
    t.equal(bench.clock.pending, 0);
  },
);

await t.test('what was evicted is asked for again', async (t) => {
  const bench = await Bench.open(t, 2 * STORE.blockBytes);
  const numbers = bench.add(...['/a', '/b', '/c', '/d'].map((path) => file(path)));
  await until(() => bench.given === 4);
  t.equal((await bench.view(numbers)).size, 4, 'more than the store keeps');
  t.ok(bench.asked.length > 4);
  t.ok(bench.store.bytes > 0);
});

await t.test('what is corrupt on the disk is asked for again', async (t) => {
  const bench = await Bench.open(t);
  await bench.store.put(digestOf('/a'), Buffer.from('/a'));
  await bench.store.put(digestOf('/b'), Buffer.from('/b'));
  const restarted = await BlobStore.open(`${bench.root}/store`, 1e9, (line) =>
    bench.log.push(line),
  );
  mkdirSync(`${bench.root}/tree2`);
  const asked: Digest[] = [];
  const tree: ClientTree = new ClientTree(
    `${bench.root}/tree2`,
    restarted,
    (digests) => {
      asked.push(...digests);
      void restarted
        .put(digestOf('/a'), Buffer.from('/a'))
        .then(() => tree.arrived(digestOf('/a')));
    },
    (line) => bench.log.push(line),
    realClock,
  );
  truncateSync(bench.blob(digestOf('/a')), 1);
  tree.add([file('/a'), file('/b')]);
  const snapshot = await tree.snapshot([1, 2], never);
  t.equal(viewOf(snapshot.layers).get('/a'), 'file /a 1000 644');
  t.same(asked, [digestOf('/a')]);
  // Nothing is left of the first try.
  await until(() => readdirSync(`${bench.root}/tree2`).length === 1);
  snapshot.release();
  await tree.close();
  await restarted.close();
});

await t.test('headers of this host are not asked for', async (t) => {
  const bench = await Bench.open(t);
  const path = realpathSync('/usr/include/stdio.h');
  const content = readFileSync(path);
  const { mtimeMs, mode } = statSync(path);
  const mtime = Math.floor(mtimeMs / 1000);
  const entry = { ...file(path), digest: digestOf(content), size: content.length, mtime, mode };
  bench.tree.add([entry]);
  t.ok((await bench.view([1])).has(path));
  t.same(bench.asked, []);
});

await t.test('a disk that takes nothing is an error of the job', async (t) => {
  const bench = await Bench.open(t);
  const long = `/${Array.from({ length: 16 }, () => 'n'.repeat(240)).join('/')}`;
  const entry = file(`${long}/${'m'.repeat(200)}`, 'x');
  bench.tree.add([entry, file('/b')]);
  await bench.store.put(entry.digest, Buffer.from('x'));
  const refusal = {
    name: 'JobRefused',
    code: 'failed',
    message: /cannot make its tree: ENAMETOOLONG/,
  };
  await t.rejects(bench.snapshot([1], never), refusal);
  t.same([...(await bench.view([2])).keys()], ['/b'], 'and of no other job');
});

await t.test('layers are held as long as a job has them, and not longer', async (t) => {
  const bench = await Bench.open(t);
  const closure = bench.add(file('/a'));
  const snapshots = [await bench.snapshot(closure, never)];
  for (let index = 0; index < 40; index++) {
    closure.push(...bench.add(file(`/f${index}`)));
    const snapshot = await bench.snapshot(closure, never);
    t.ok(snapshot.layers.length <= STORE.layersAtMost);
    if (index === 20) snapshots.push(snapshot);
    else snapshot.release();
  }
  for (const snapshot of snapshots) t.ok(snapshot.layers.every((path) => existsSync(path)));
  t.equal(viewOf(snapshots[0]?.layers ?? []).size, 1);
  t.equal(viewOf(snapshots[1]?.layers ?? []).size, 22);
  await bench.keepsOnly(closure, snapshots);
  let isClosed = false;
  const closed = bench.close().then(() => (isClosed = true));
  snapshots[0]?.release();
  snapshots[0]?.release();
  await once(process, 'nothing', { signal: AbortSignal.timeout(1) }).catch(() => undefined);
  t.notOk(isClosed, 'one is held still');
  t.ok(snapshots[1]?.layers.every((path) => existsSync(path)));
  snapshots[1]?.release();
  await closed;
  t.notOk(existsSync(`${bench.root}/tree`));
  t.same(bench.log, []);
});

await t.test('jobs cannot change blobs through their layers', async (t) => {
  const bench = await Bench.open(t);
  const closure = bench.add(file('/a'));
  const { layers } = await bench.snapshot(closure, never);
  const [layer] = layers;
  t.equal(statSync(`${layer}/a`).ino, statSync(bench.blob(digestOf('/a'))).ino, 'a link');
  unlinkSync(bench.blob(digestOf('/a')));
  t.equal(readFileSync(`${layer}/a`, 'utf8'), '/a', 'which outlives the blob');
});
