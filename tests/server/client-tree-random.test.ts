/** Layers of random trees, as overlayfs shows them: by its rules, and by the kernel itself. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import type { Digest } from '../../src/core/digest.js';
import { realClock } from '../../src/platform/clock.js';
import { BlobStore } from '../../src/server/blob-store.js';
import { ClientTree, type TreeSnapshot } from '../../src/server/client-tree.js';
import { viewOf, type LayerView } from '../fixtures/layer-view.js';
import { faultsOf, RandomTree, type RandomJob } from '../fixtures/random-tree.js';

const viewer = fileURLToPath(new URL('../fixtures/layer-view.js', import.meta.url));

/** As the kernel shows layers. */
function mountedView(layers: readonly string[], at: string): LayerView {
  mkdirSync(`${at}/mnt`, { recursive: true });
  mkdirSync(`${at}/none`, { recursive: true });
  const lower = [...layers, `${at}/none`].join(':');
  const script = 'mount -t overlay overlay -o "lowerdir=$1" "$2/mnt" && exec "$3" "$4" "$2/mnt"';
  const words = ['-Urm', 'sh', '-ec', script, 'sh', lower, at, process.execPath, viewer];
  return new Map(JSON.parse(execFileSync('unshare', words, { encoding: 'utf8' })));
}

const mountWords = 'mount -t overlay overlay -o lowerdir=/usr:/etc /mnt';
const mountable = spawnSync('unshare', ['-Urm', 'sh', '-c', mountWords]).status === 0;

interface Held {
  readonly job: RandomJob;
  readonly snapshot: TreeSnapshot;
  readonly view: LayerView;
}

async function run(t: Test, seed: number, steps: number): Promise<void> {
  const directory = t.testdir({ store: {}, tree: {} });
  const log = (line: string) => t.fail(line);
  const store = await BlobStore.open(`${directory}/store`, 1e9, log);
  const random = new RandomTree(seed);
  const contents = new Map<Digest, string>();
  const ask = (digests: readonly Digest[]) => {
    for (const digest of digests) {
      void store
        .put(digest, Buffer.from(contents.get(digest) ?? ''))
        .then(() => tree.arrived(digest));
    }
  };
  const tree = new ClientTree(`${directory}/tree`, store, ask, log, realClock);
  const signal = new AbortController().signal;
  const held: Held[] = [];
  let running: Promise<void>[] = [];
  const faults: string[] = [];
  const show = async (job: RandomJob) => {
    const snapshot = await tree.snapshot(job.closure, signal);
    const view = viewOf(snapshot.layers);
    for (const fault of faultsOf(job, view)) faults.push(fault);
    held.push({ job, snapshot, view });
  };
  for (let step = 0; step < steps && faults.length === 0; step++) {
    for (let changes = random.pick([0, 1, 1, 2, 5]); changes > 0; changes--) random.change();
    const { entries, job } = random.job();
    for (const entry of entries) {
      if (entry.kind === 'file') {
        contents.set(entry.digest, RandomTree.contentOf(entry.path, entry.mtime));
      }
    }
    tree.add(entries);
    running.push(show(job));
    if (random.pick([true, false])) {
      await Promise.all(running);
      running = [];
    }
    if (random.pick([true, false])) held.splice(0, 1)[0]?.snapshot.release();
  }
  await Promise.all(running);
  t.same(
    faults,
    [],
    `seed ${seed}\n${faults.length > 0 ? random.history.slice(-20).join('\n') : ''}`,
  );
  const changed = held.filter(({ snapshot, view }) => {
    return JSON.stringify([...viewOf(snapshot.layers)]) !== JSON.stringify([...view]);
  });
  t.equal(changed.length, 0, 'held layers are as they were');
  const newest = held.at(-1);
  if (mountable && newest !== undefined) {
    const seen = mountedView(newest.snapshot.layers, directory);
    t.same(faultsOf(newest.job, seen), [], 'the kernel agrees');
  }
  for (const { snapshot } of held) snapshot.release();
  await tree.close();
  await store.close();
}

await t.test('each closure is seen, and nothing that was gone', async (t) => {
  for (let seed = 1; seed <= 5; seed++) await run(t, seed, 40);
});
