import { execFileSync, spawnSync } from 'node:child_process';
import {
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { constants } from 'node:os';
import t, { type Test } from 'tap';
import { INCLUDES } from '../../src/core/include-limits.js';
import { FileNode, type TreeNode } from '../../src/include-server/tree-nodes.js';
import { Vouchers, type Degradation } from '../../src/include-server/vouchers.js';
import type { Watcher } from '../../src/include-server/watcher.js';
import type { Clock } from '../../src/platform/clock.js';
import { ManualClock } from '../fixtures/manual-clock.js';
import { without } from '../fixtures/tools.js';
import { TreeBench } from '../fixtures/tree-bench.js';
import { until } from '../fixtures/until.js';

async function setUp(t: Test, clock?: Clock): Promise<TreeBench> {
  const root = t.testdir({ state: {}, a: { 'x.h': 'x', 'y.h': 'y' }, busy: {} });
  const bench = new TreeBench(root, 'watched', clock);
  t.teardown(() => bench.tree.close());
  for (const path of ['a/x.h', 'a/y.h', 'a/none.h', 'busy/none.h']) bench.see(path);
  await bench.settle();
  t.equal(await bench.tree.catchUp(), 'watched');
  return bench;
}

await t.test('the queue runs over while the event loop is blocked', async (t) => {
  const bench = await setUp(t);
  const { root, tree } = bench;
  const { version } = tree;
  const most = Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'latin1'));
  // No turn of the event loop from here: the watcher's pipe fills, it blocks, its queue runs over.
  writeFileSync(`${root}/a/x.h`, 'X');
  writeFileSync(`${root}/busy/0`, '');
  for (let index = 0; index < most + 8_000; index++) {
    renameSync(`${root}/busy/${index}`, `${root}/busy/${index + 1}`);
  }
  writeFileSync(`${root}/a/none.h`, 'there');
  unlinkSync(`${root}/a/y.h`);
  t.strictSame(bench.degraded, [], 'nothing has been told yet');

  t.equal(await tree.catchUp(), 'stat');
  t.strictSame(bench.degraded, [{ kind: 'overflow' }]);
  t.ok(tree.version > version);
  t.match(bench.see('a/x.h'), /: X /);
  t.equal(bench.see('a/y.h'), 'absent a/y.h');
  t.match(bench.see('a/none.h'), /: there /);

  await bench.settle();
  t.equal(await tree.catchUp(), 'watched', 'all has been looked at since');
  writeFileSync(`${root}/a/none.h`, 'THERE');
  t.equal(await tree.catchUp(), 'watched');
  t.match(bench.see('a/none.h'), /: THERE /);
});

await t.test('an overflow in which a file was rewritten within a tick', async (t) => {
  const bench = await setUp(t);
  const { root, tree } = bench;
  writeFileSync(`${root}/a/x.h`, '1');
  await tree.catchUp();
  t.match(bench.see('a/x.h'), /: 1 /);
  // Same size, same tick: only the doubt about young stamps can tell.
  writeFileSync(`${root}/a/x.h`, '2');
  bench.watch?.kill();
  await until(() => bench.degraded.length > 0);
  await tree.catchUp();
  t.match(bench.see('a/x.h'), /: 2 /);
});

await t.test('the watcher dies, and another one is started after a while', async (t) => {
  const clock = new ManualClock();
  const bench = await setUp(t, clock);
  const { root, tree } = bench;
  t.equal(clock.pending, 0, 'nobody waits for a cookie');
  bench.watch?.kill();
  writeFileSync(`${root}/a/x.h`, 'X');
  t.equal(await tree.catchUp(), 'stat');
  t.match(bench.degraded, [{ kind: 'lost', reason: /tscc-watch ended: .*SIGKILL/ }]);
  t.match(bench.see('a/x.h'), /: X /);
  writeFileSync(`${root}/a/none.h`, 'there');
  t.equal(await tree.catchUp(), 'stat');
  t.match(bench.see('a/none.h'), /: there /);
  t.equal(bench.watchesStarted, 1);

  clock.advance(INCLUDES.watchPause);
  writeFileSync(`${root}/a/none.h`, 'THERE');
  await tree.catchUp();
  t.match(bench.see('a/none.h'), /: THERE /);
  t.equal(bench.watchesStarted, 2);
  t.equal(await tree.catchUp(), 'watched');
  unlinkSync(`${root}/a/none.h`);
  t.equal(await tree.catchUp(), 'watched');
  t.equal(bench.see('a/none.h'), 'absent a/none.h');
});

await t.test('a watcher that is stopped is given up', async (t) => {
  const clock = new ManualClock();
  const bench = await setUp(t, clock);
  process.kill(bench.watch?.pid ?? 0, 'SIGSTOP');
  const caughtUp = bench.tree.catchUp();
  writeFileSync(`${bench.root}/a/x.h`, 'X');
  await until(() => clock.pending === 1);
  clock.advance(INCLUDES.cookieAnswer);
  t.equal(await caughtUp, 'stat');
  t.match(bench.degraded, [{ kind: 'lost', reason: /not answered for 2000 ms/ }]);
  t.match(bench.see('a/x.h'), /: X /);
});

await t.test('a watcher that cannot be had is no trouble', async (t) => {
  const root = t.testdir({ a: { 'x.h': 'x' } });
  const bench = new TreeBench(root, 'watched');
  t.teardown(() => bench.tree.close());
  t.match(bench.see('a/x.h'), /: x /);
  // There is no state directory.
  t.equal(await bench.tree.catchUp(), 'stat');
  writeFileSync(`${root}/a/x.h`, 'X');
  t.equal(await bench.tree.catchUp(), 'stat');
  t.match(bench.see('a/x.h'), /: X /);
  t.match(bench.degraded, [{ kind: 'lost', reason: /cannot make a file in '.*state'/ }]);
});

await t.test('callers of one turn share a cookie; a later one gets its own', async (t) => {
  const bench = await setUp(t);
  const [first, second] = [bench.tree.startRound(), bench.tree.startRound()];
  t.equal(first, second);
  await first;
  const third = bench.tree.startRound();
  t.not(third, first);
  writeFileSync(`${bench.root}/a/x.h`, 'X');
  const fourth = bench.tree.startRound();
  await fourth;
  t.match(bench.see('a/x.h'), /: X /);
  await third;
});

await t.test('no watches are left for this user', async (t) => {
  const degraded: Degradation[] = [];
  const vouchers = new Vouchers<string>(
    (why) => degraded.push(why),
    () => undefined,
    () => undefined,
  );
  let requests = 0;
  vouchers.begin({ add: () => ++requests, remove: () => undefined } as unknown as Watcher);
  const stamp = { dev: 1, ino: 2, size: 3, mtimeMs: 4, ctimeMs: 5, isDoubtful: false };
  const nodes = [1, 2, 3].map(() => {
    const node = new FileNode<string>(
      { path: '/d' } as FileNode<string>['parent'],
      'x',
      stamp,
      true,
    );
    vouchers.takeUp(node);
    return node;
  });
  const [first, second, third] = nodes as [TreeNode<string>, TreeNode<string>, TreeNode<string>];
  vouchers.refused(1, constants.errno.ENOSPC);
  vouchers.refused(2, constants.errno.ENOSPC);
  vouchers.added(3, 7, stamp);
  for (const node of nodes) vouchers.confirm(node);
  t.strictSame(
    nodes.map(({ vouching }) => vouching),
    ['stat', 'stat', 'vouched'],
  );
  t.strictSame([...vouchers.unvouched], [first, second]);
  t.strictSame(degraded, [{ kind: 'watch-limit', path: '/d/x' }], 'said once');
  vouchers.changed(7, 0x2, undefined);
  t.strictSame([...vouchers.suspects], [third]);
});

await t.test('the watch is told for something else than was read', async (t) => {
  const bench = await setUp(t);
  const { tree, root } = bench;
  // Between reading and watching the file is replaced, and replaced again after.
  mkdirSync(`${root}/c`);
  writeFileSync(`${root}/c/x.h`, '1');
  bench.see('c/x.h');
  writeFileSync(`${root}/c/y.h`, '2');
  renameSync(`${root}/c/x.h`, `${root}/c/kept.h`);
  renameSync(`${root}/c/y.h`, `${root}/c/x.h`);
  await bench.settle();
  t.match(bench.see('c/x.h'), /: 2 /);
  renameSync(`${root}/c/kept.h`, `${root}/c/x.h`);
  await tree.catchUp();
  t.match(bench.see('c/x.h'), /: 1 /);
  writeFileSync(`${root}/c/x.h`, '3');
  await bench.settle();
  t.match(bench.see('c/x.h'), /: 3 /);
  t.equal(await tree.catchUp(), 'watched');
});

await t.test(
  'a file system is mounted over a directory',
  { skip: process.getuid?.() === 0 ? without('mount') : 'needs root to mount one' },
  async (t) => {
    const bench = await setUp(t);
    const { tree, root } = bench;
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', `${root}/a`]);
    t.teardown(() => void spawnSync('umount', [`${root}/a`], { stdio: 'ignore' }));
    await tree.catchUp();
    t.equal(bench.see('a/x.h'), 'absent a/x.h');
    writeFileSync(`${root}/a/x.h`, 'mounted');
    await tree.catchUp();
    t.match(bench.see('a/x.h'), /: mounted /);
    execFileSync('umount', [`${root}/a`]);
    await tree.catchUp();
    t.match(bench.see('a/x.h'), /: x /);
    writeFileSync(`${root}/a/x.h`, 'X');
    await bench.settle();
    t.match(bench.see('a/x.h'), /: X /);
    t.equal(await tree.catchUp(), 'watched');
  },
);

await t.test('what is forgotten is no longer watched, and nothing is left behind', async (t) => {
  const bench = await setUp(t);
  const watches = (): number =>
    readdirSync(`/proc/${bench.watch?.pid}/fdinfo`)
      .map((fd) => readFileSync(`/proc/${bench.watch?.pid}/fdinfo/${fd}`, 'latin1'))
      .flatMap((info) => info.match(/^inotify wd/gm) ?? []).length;
  const before = watches();
  unlinkSync(`${bench.root}/a/x.h`);
  renameSync(`${bench.root}/a`, `${bench.root}/c`);
  await bench.settle();
  bench.see('a/x.h');
  await bench.settle();
  t.equal(watches(), before - 3, 'a directory and its two files');
  t.strictSame(readdirSync(`${bench.root}/state`), [], 'the cookie has no name');
});
