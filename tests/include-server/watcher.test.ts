import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { PassThrough } from 'node:stream';
import t, { type Test } from 'tap';
import { INCLUDES } from '../../src/core/include-limits.js';
import { Watcher, WATCH_MASK, type WatchListener } from '../../src/include-server/watcher.js';
import { realClock } from '../../src/platform/clock.js';
import { startPiped, type PipedProcess } from '../../src/platform/piped-process.js';
import { FieldWriter } from '../../src/protocol/field-codec.js';
import { ManualClock } from '../fixtures/manual-clock.js';
import { assertRefused } from '../fixtures/refused-frames.js';
import { WATCH } from '../fixtures/tree-bench.js';

/** Bits of inotify(7). */
const IN = { modify: 0x2, closeWrite: 0x8, movedFrom: 0x40, movedTo: 0x80, create: 0x100 };

type Told = readonly [keyof WatchListener, ...unknown[]];

function recorder(): { told: Told[]; listener: WatchListener } {
  const told: Told[] = [];
  const say =
    (name: keyof WatchListener) =>
    (...words: unknown[]): void =>
      void told.push([name, ...words]);
  const listener: WatchListener = {
    added: say('added'),
    refused: say('refused'),
    changed: say('changed'),
    overflowed: say('overflowed'),
    remounted: say('remounted'),
    lost: say('lost'),
  };
  return { told, listener };
}

function setUp(t: Test) {
  const root = t.testdir({ state: {}, 'x.h': 'x', d: {} });
  const { told, listener } = recorder();
  const watcher = new Watcher(startPiped(WATCH, [`${root}/state`]), listener, realClock);
  t.teardown(() => watcher.close());
  return { root, told, watcher };
}

await t.test('tells what happens before it says that it has told all', async (t) => {
  const { root, told, watcher } = setUp(t);
  const names = watcher.add('names', root);
  const content = watcher.add('content', `${root}/x.h`);
  t.equal(await watcher.reach(), true);
  const inode = (path: string) => {
    const { dev, ino } = statSync(path);
    return { dev, ino };
  };
  t.match(told, [
    ['added', names, Number, inode(root)],
    ['added', content, Number, inode(`${root}/x.h`)],
  ]);
  const [directory, file] = told.map(([, , watch]) => watch);
  told.length = 0;
  appendFileSync(`${root}/x.h`, 'X');
  writeFileSync(`${root}/new.h`, '');
  renameSync(`${root}/new.h`, `${root}/newer.h`);
  t.equal(await watcher.reach(), true);
  t.strictSame(told, [
    ['changed', file, IN.modify, undefined],
    ['changed', file, IN.closeWrite, undefined],
    ['changed', directory, IN.create, 'new.h'],
    ['changed', directory, IN.movedFrom, 'new.h'],
    ['changed', directory, IN.movedTo, 'newer.h'],
  ]);
});

await t.test('answers for what cannot be watched', async (t) => {
  const { root, told, watcher } = setUp(t);
  const requests = [
    watcher.add('names', `${root}/none`),
    watcher.add('names', `${root}/x.h`),
    watcher.add('names', `/${'n'.repeat(4_094)}`),
  ];
  await watcher.reach();
  t.strictSame(told, [
    ['refused', requests[0], 2],
    ['refused', requests[1], 20],
    ['refused', requests[2], 36],
  ]);
});

await t.test('a watch that is taken back ends', async (t) => {
  const { root, told, watcher } = setUp(t);
  watcher.add('names', root);
  await watcher.reach();
  const watch = Number(told[0]?.[2]);
  watcher.remove(watch);
  mkdirSync(`${root}/made`);
  await watcher.reach();
  // It may be told of once more, if it was quicker.
  t.strictSame(told.at(-1)?.slice(0, 3), ['changed', watch, WATCH_MASK.ignored]);
});

await t.test('one cookie at a time', async (t) => {
  const { watcher } = setUp(t);
  const first = watcher.reach();
  await t.rejects(watcher.reach(), { message: /cookie is on its way/ });
  t.equal(await first, true);
  t.equal(await watcher.reach(), true);
});

await t.test('ends with its daemon', async (t) => {
  const root = t.testdir({});
  const child = startPiped(WATCH, [root]);
  const { listener } = recorder();
  const watcher = new Watcher(child, listener, realClock);
  await watcher.reach();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.kill(child.pid ?? 0, signal);
  t.equal(await watcher.reach(), true, 'signals meant for the daemon do not end it');
  child.stdin.end();
  t.match(await child.ended, /exit status 0/);
});

await t.test('a process that breaks the protocol is given up', async (t) => {
  const cases: [string, Buffer, RegExp][] = [
    ['an unknown type', new FieldWriter().finish(0x55), /unknown frame type 85/],
    ['an unknown cookie', new FieldWriter().add(1, 99).finish(0x84), /unknown cookie/],
    ['a giant frame', Buffer.from('ffffffff', 'hex'), /frame of 4294967295 bytes/],
    ['a missing field', new FieldWriter().add(1, 1).finish(0x81), /field 3 is missing/],
  ];
  for (const [name, bytes, message] of cases) {
    const { told, listener } = recorder();
    const stdout = new PassThrough();
    let isKilled = false;
    const child: PipedProcess = {
      pid: undefined,
      stdin: new PassThrough(),
      stdout,
      ended: new Promise(() => undefined),
      kill: () => void (isKilled = true),
    };
    const clock = new ManualClock();
    const watcher = new Watcher(child, listener, clock);
    const reached = watcher.reach();
    stdout.write(bytes);
    t.equal(await reached, false, name);
    t.match(told, [['lost', message]]);
    t.equal(told.length, 1);
    t.ok(isKilled);
    t.equal(clock.pending, 0);
    t.equal(await watcher.reach(), false, 'for good');
  }
});

await t.test('tscc-watch refuses malformed frames', async (t) => {
  const root = t.testdir({});
  const cookie = new FieldWriter().add(1, 1).finish(0x04);
  const cases: [string, Buffer, RegExp][] = [
    ['length 0', Buffer.from('00000000', 'hex'), /malformed frame: 0 bytes/],
    ['a giant length', Buffer.from('ffffffff', 'hex'), /malformed frame: 4294967295 bytes/],
    ['an unknown type', new FieldWriter().finish(0x55), /unexpected type 85/],
    ['two cookies', Buffer.concat([cookie, cookie]), /unexpected type 4/],
    ['a short number', new FieldWriter().add(1, 'ab').finish(0x04), /field 1 of 2 bytes/],
    ['a long path', new FieldWriter().add(2, 'x'.repeat(4096)).finish(0x01), /field 2 of 4096/],
    ['a long field', Buffer.from('070000000102ff00000000', 'hex'), /runs past it/],
    ['half a header', Buffer.from('03000000010200', 'hex'), /runs past it/],
  ];
  await assertRefused(t, [WATCH, root], cases);
});

await t.test('a program that is not there is told by how it ended', async (t) => {
  const child = startPiped('/nonexistent/tscc-watch', []);
  t.match(await child.ended, /cannot be run: .*ENOENT/);
});

await t.test('both sides know the same bound', async (t) => {
  const source = readFileSync(new URL('../../../native/watch.c', import.meta.url), 'utf8');
  t.equal(Number(/MAX_FRAME = (\d+)/.exec(source)?.[1]), INCLUDES.watchFrameBytes);
});
