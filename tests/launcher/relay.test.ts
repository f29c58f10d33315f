import { execFileSync } from 'node:child_process';
import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { LAUNCHER } from '../../src/core/limits.js';
import { launcherStage, startLauncher, type WaitingLauncher } from '../fixtures/launcher-stage.js';

/** A launcher that has sent its request and waits. */
async function waiting(t: Test): Promise<WaitingLauncher> {
  const stage = await launcherStage(t);
  stage.sandbox.script('mycc', 'echo "local $*"; exit 3');
  return startLauncher(stage, ['mycc', 'x']);
}

await t.test('output is relayed as bytes, whole and in order', async (t) => {
  const { launcher, connection } = await waiting(t);
  const big = Buffer.alloc(LAUNCHER.frameBytes - 1, 'x');
  connection.send(
    { kind: 'stdout', bytes: Buffer.from('first\0\xff') },
    { kind: 'beat' },
    { kind: 'stderr', bytes: Buffer.from('warning\n') },
    ...Array.from({ length: 8 }, () => ({ kind: 'stdout', bytes: big }) as const),
    { kind: 'stdout', bytes: Buffer.from('last') },
    { kind: 'done', status: 7, renames: [] },
  );
  t.same(await connection.expect('committed'), { kind: 'committed', errno: 0, target: '' });
  const ending = await launcher.ending;
  t.match(ending, { status: 7, signal: null, stderr: 'warning\n' });
  const expected = [Buffer.from('first\0\xff'), ...Array(8).fill(big), Buffer.from('last')];
  t.ok(ending.stdout.equals(Buffer.concat(expected)), 'every byte');
});

await t.test('a reader that closes ends the launcher as it ends a compiler', async (t) => {
  const { sandbox, launcher, connection } = await waiting(t);
  const temporary = join(sandbox.work, 'a.o.tmp');
  writeFileSync(temporary, 'half');
  launcher.child.stdout?.destroy();
  connection.send({ kind: 'temporary', path: temporary });
  connection.send({ kind: 'stdout', bytes: Buffer.from('nobody reads this') });
  t.equal((await launcher.ending).signal, 'SIGPIPE');
  t.same(sandbox.list(), [], 'the temporary is gone');
});

await t.test('DONE moves outputs into place in the given order', async (t) => {
  const { sandbox, launcher, connection } = await waiting(t);
  const at = (name: string): string => join(sandbox.work, name);
  for (const name of ['1', '2', 'left-over']) writeFileSync(at(name), name);
  writeFileSync(at('a.o'), 'old');
  // The second pair has the first's target as its source: it works in one order only.
  connection.send(
    { kind: 'temporary', path: at('left-over') },
    {
      kind: 'done',
      status: 0,
      renames: [
        { temporary: at('1'), target: at('between') },
        { temporary: at('between'), target: at('a.o') },
        { temporary: at('2'), target: at('\xe4.d') },
      ],
    },
  );
  t.equal((await connection.expect('committed')).errno, 0);
  t.match(await launcher.ending, { status: 0, stderr: '' });
  t.equal(sandbox.read('a.o'), '1');
  t.equal(sandbox.list().length, 2, 'nothing is left over');
});

await t.test('what is not a regular file is not replaced', async (t) => {
  const obstacles: [string, (path: string) => void, string][] = [
    ['a directory', (path) => mkdirSync(path), 'EISDIR'],
    ['a FIFO', (path) => execFileSync('mkfifo', [path]), 'EEXIST'],
    ['a symbolic link', (path) => symlinkSync('elsewhere', path), 'EEXIST'],
  ];
  const numbers: Record<string, number> = { EISDIR: 21, EEXIST: 17, ENOENT: 2 };
  for (const [name, make, code] of obstacles) {
    const { sandbox, launcher, connection } = await waiting(t);
    const at = (name: string): string => join(sandbox.work, name);
    writeFileSync(at('1'), 'new');
    writeFileSync(at('2'), 'new');
    make(at('a.o'));
    const before = statSync(at('a.o'), { throwIfNoEntry: false })?.ino;
    connection.send({ kind: 'temporary', path: at('1') }, { kind: 'temporary', path: at('2') });
    connection.send({
      kind: 'done',
      status: 0,
      renames: [
        { temporary: at('1'), target: at('a.d') },
        { temporary: at('2'), target: at('a.o') },
      ],
    });
    const { errno, target } = await connection.expect('committed');
    t.same([errno, target], [numbers[code], at('a.o')], name);
    t.same(sandbox.list(), ['a.o'], `${name}: nothing was moved, the temporaries are gone`);
    t.equal(statSync(at('a.o'), { throwIfNoEntry: false })?.ino, before, name);
    connection.send({ kind: 'beat' }, { kind: 'exec' });
    const ending = await launcher.ending;
    t.match(ending, { status: 3, stderr: '' }, `${name}: then the compiler runs`);
    t.equal(ending.stdout.toString(), 'local x\n', name);
  }
});

await t.test('a rename that fails is told too', async (t) => {
  const { sandbox, launcher, connection } = await waiting(t);
  const target = join(sandbox.work, 'a.o');
  connection.send({
    kind: 'done',
    status: 0,
    renames: [{ temporary: join(sandbox.work, 'missing'), target }],
  });
  t.same(await connection.expect('committed'), { kind: 'committed', errno: 2, target });
  connection.send({ kind: 'exec' });
  t.equal((await launcher.ending).status, 3);
});

await t.test('FAIL is one line and a status, and removes the temporaries', async (t) => {
  const { sandbox, launcher, connection } = await waiting(t);
  const temporary = join(sandbox.work, 'a.o.tmp');
  writeFileSync(temporary, 'half');
  connection.send({ kind: 'temporary', path: temporary });
  connection.send({ kind: 'fail', status: 116, message: 'no servers: set TSCC_HOSTS' });
  const ending = await launcher.ending;
  t.match(ending, { status: 116, stderr: 'tscc: no servers: set TSCC_HOSTS\n' });
  t.equal(ending.stdout.length, 0);
  t.same(sandbox.list(), []);
});

await t.test('after a malformed frame the compiler runs here', async (t) => {
  const frames: [string, Buffer][] = [
    ['an unknown type', Buffer.from([1, 0, 0, 0, 0x7f])],
    ['no type', Buffer.from([0, 0, 0, 0])],
    ['too long', Buffer.from([0xff, 0xff, 0xff, 0x7f, 0x85])],
    ['DONE without a status', Buffer.from([1, 0, 0, 0, 0x87])],
    ['a field that runs past its frame', Buffer.from([6, 0, 0, 0, 0x87, 20, 9, 0, 0, 0])],
    ['a field cut short', Buffer.from([3, 0, 0, 0, 0x83, 30, 1])],
  ];
  for (const [name, bytes] of frames) {
    const { sandbox, launcher, connection } = await waiting(t);
    const temporary = join(sandbox.work, 'a.o.tmp');
    writeFileSync(temporary, 'half');
    connection.send({ kind: 'temporary', path: temporary });
    connection.sendBytes(bytes);
    const ending = await launcher.ending;
    t.match(ending, { status: 3, stderr: '' }, name);
    t.equal(ending.stdout.toString(), 'local x\n', name);
    t.same(sandbox.list(), [], `${name}: no temporaries`);
  }
});
