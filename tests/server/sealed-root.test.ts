import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import t from 'tap';
import type { JobRoot } from '../../src/server/job-root.js';
import { JobCell, processesWith } from '../fixtures/job-cell.js';
import { addPrograms } from '../fixtures/program-layer.js';
import { without } from '../fixtures/tools.js';
import { until } from '../fixtures/until.js';

const isRoot = process.getuid?.() === 0;
const cell = await JobCell.open(t);
const sealed = await cell.canSeal();
if (sealed !== true && process.env['CI'] !== 'true') {
  t.plan(0, `this host seals no job: ${sealed}`);
  process.exit();
}

const which = (name: string) => execFileSync('which', [name], { encoding: 'utf8' }).trim();
const SH = which('sh');

/** A layer with a shell and what the scripts below call. */
function makeShell(store: string): string {
  const layer = `${store}/shell`;
  mkdirSync(layer);
  addPrograms(layer, ['sh', 'ls', 'id', 'setsid', 'sleep', 'touch', 'mkdir'].map(which));
  return layer;
}

const SHELL = makeShell(cell.store);

const shell = (root: JobRoot, script: string, in_ = cell) => in_.run(root, [SH, '-c', script]);

await t.test('gcc makes the same object as outside', async (t) => {
  const layer = `${cell.store}/gcc`;
  mkdirSync(layer);
  const part = (name: string) =>
    execFileSync('gcc', [`-print-prog-name=${name}`], { encoding: 'utf8' }).trim();
  const parts = ['cc1', 'as'].map(part).map((path) => (path.startsWith('/') ? path : which(path)));
  addPrograms(layer, ['/usr/bin/gcc', ...parts]);
  // Without any directory to search, gcc complains of that.
  mkdirSync(`${layer}/usr/include`, { recursive: true });

  const work = mkdtempSync(`${tmpdir()}/tscc-ours-`);
  t.teardown(() => rmSync(work, { recursive: true }));
  const files = {
    'x.h': '#define SIZE 7\n',
    'x.c': '#include "x.h"\nstatic int a[SIZE];\nint *f(int i) { return a + i; }\n',
  };
  const root = await cell.newRoot([layer]);
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(`${work}/${name}`, content);
    root.putFile(`${work}/${name}`, Buffer.from(content), { mode: 0o644, mtime: 1_000_000_000 });
  }
  const words = ['/usr/bin/gcc', '-g', '-O2', '-Wall', '-c', 'x.c', '-o', 'x.o'] as const;
  execFileSync(words[0], words.slice(1), { cwd: work, env: { PATH: '/usr/bin' } });
  const inmate = cell.run(root, [...words], work);
  t.match(await inmate.ended, { status: 0 }, inmate.stderr());
  const object = await root.openOutput(`${work}/x.o`, 1 << 20, 'object');
  const pieces: Uint8Array[] = [];
  for await (const piece of object?.pieces ?? []) pieces.push(piece);
  t.ok(Buffer.concat(pieces).equals(readFileSync(`${work}/x.o`)));
  t.equal(await root.openOutput(`${work}/x.d`, 1 << 20, 'object'), undefined);

  // The host has it, the root has not.
  const failing = await cell.newRoot([layer]);
  failing.putFile('/src/y.c', Buffer.from('#include <stdio.h>\n'), { mode: 0o644, mtime: 1 });
  const failed = cell.run(failing, ['/usr/bin/gcc', '-c', 'y.c', '-o', 'y.o'], '/src');
  t.match(await failed.ended, { status: 1, signal: 0 });
  t.match(failed.stderr(), /stdio\.h: No such file/);
});

await t.test('nothing of the host is in a root', async (t) => {
  const root = await cell.newRoot([SHELL]);
  root.putDirectory('/home/me');
  const script = `
    ls -A /; ls -A /home /dev /.tscc; id -u; id -g; echo $$
    for path in /proc /etc /tmp ${cell.store}; do test -e $path && echo "$path is there"; done
    touch /.tscc/x /home/me/x && ls /.tscc`;
  const inmate = shell(root, script);
  t.match(await inmate.ended, { status: 0 }, inmate.stderr());
  const top = ['dev', 'home', '.tscc', ...tops()].toSorted();
  const lines = inmate.stdout().split('\n');
  t.strictSame(lines.slice(0, top.length).toSorted(), top);
  t.strictSame(lines.slice(top.length), [
    ...['/.tscc:', '', '/dev:', 'null', 'urandom', 'zero', '', '/home:', 'me'],
    ...['1000', '1000', '2', 'x', ''],
  ]);
  t.equal(lstatSync(`${root.spec.upper}/home/me/x`).uid, process.getuid?.());
  t.notOk(existsSync(`${root.spec.upper}/.tscc`), 'temporary files are in memory');
});

await t.test('status and signal are the program’s own', async (t) => {
  const cases = [
    ['exit 3', { status: 3, signal: 0 }],
    ['kill -TERM $$', { status: 143, signal: 15 }],
    ['kill -ABRT $$', { status: 134, signal: 6 }],
    ['sh -c "kill -KILL \\$\\$"', { status: 137, signal: 0 }],
  ] as const;
  for (const [script, end] of cases) {
    const { ended } = shell(await cell.newRoot([SHELL]), script);
    t.match(await ended, end, script);
  }
  const { cpuMicroseconds } = await shell(
    await cell.newRoot([SHELL]),
    'i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done',
  ).ended;
  t.ok(cpuMicroseconds > 1_000, `${cpuMicroseconds} µs`);
});

await t.test('what cannot be started says at which step', async (t) => {
  const root = await cell.newRoot([SHELL]);
  const message = /could not start the compiler: ENOENT/;
  await t.rejects(cell.run(root, [SHELL + SH]).ended, { message });
  const elsewhere = await cell.newRoot([SHELL]);
  const noDirectory = cell.run(elsewhere, [SH, '-c', ':'], cell.store);
  await t.rejects(noDirectory.ended, { message: /enter the job directory: ENOENT/ });
  const noLayer = await cell.newRoot([`${cell.store}/none`]);
  await t.rejects(shell(noLayer, ':').ended, { message: /open a layer: ENOENT/ });
});

await t.test('layers hide one another, whatever they are called', async (t) => {
  const layers = ['a:b', 'c,d', 'e\\f', 'g h'].map((name) => `${cell.store}/${name}`);
  for (const [index, layer] of layers.entries()) {
    mkdirSync(layer);
    for (let file = index; file < layers.length; file++) {
      writeFileSync(`${layer}/${file}`, String(index));
    }
  }
  const root = await cell.newRoot([...layers.toReversed(), SHELL]);
  const inmate = shell(root, 'for f in 0 1 2 3; do read x < $f; echo $f$x; done; echo new > 3');
  await inmate.ended;
  t.equal(inmate.stdout().replaceAll('\n', ' '), '00 11 22 33 ');
  t.equal(readFileSync(`${layers[3]}/3`, 'utf8'), '3', 'a layer never changes');
});

/** Leaves the session, and is there until it is killed. */
const strayScript = (seconds: string, then: string) => `
  setsid sh -c 'touch /ready; sleep ${seconds}; :' > /dev/null 2>&1 < /dev/null &
  while ! test -e /ready; do sleep 0.01; done; ${then}`;

await t.test('what leaves its session dies with the compile', async (t) => {
  const root = await cell.newRoot([SHELL]);
  t.match(await shell(root, strayScript('71717171', 'exit 5')).ended, { status: 5 });
  t.ok(existsSync(`${root.spec.upper}/ready`));
  t.strictSame(processesWith('71717171'), []);
});

await t.test('kill takes what left its session', async (t) => {
  const root = await cell.newRoot([SHELL]);
  const inmate = shell(root, strayScript('72727272', 'sleep 72727272'));
  await until(() => existsSync(`${root.spec.upper}/ready`));
  t.not(processesWith('72727272').length, 0);
  inmate.kill();
  t.match(await inmate.ended, { status: 137, signal: 9 });
  t.strictSame(processesWith('72727272'), []);
});

for (const [how, end] of [
  ['is told to end', (runner: JobCell['runner']) => void runner.close()],
  ['is killed', (runner: JobCell['runner']) => process.kill(runner.pid ?? 0, 'SIGKILL')],
] as const) {
  await t.test(`all dies with a runner that ${how}`, async (t) => {
    const own = await JobCell.open(t);
    const root = await own.newRoot([SHELL]);
    const marker = `7373737${how.length}`;
    const inmate = shell(root, strayScript(marker, `sleep ${marker}`), own);
    await until(() => existsSync(`${root.spec.upper}/ready`));
    end(own.runner);
    await t.rejects(inmate.ended, { message: /runner ended/ });
    await until(() => processesWith(marker).length === 0);
  });
}

await t.test('many at once', async (t) => {
  const ends = await Promise.all(
    Array.from({ length: 12 }, async (_, i) =>
      shell(await cell.newRoot([SHELL]), `exit ${i}`).ended.then(({ status }) => status),
    ),
  );
  t.strictSame(ends, [...ends.keys()]);
});

await t.test('a server that is not root', { skip: isRoot && without('setpriv') }, async (t) => {
  const other = 'exec setpriv --reuid=65534 --regid=65534 --clear-groups "$RUNNER"';
  const own = await JobCell.open(t, isRoot ? other : undefined);
  chmodSync(own.store.replace(/\/store$/, ''), 0o755);
  const root = await own.newRoot([makeShell(own.store)]);
  root.putFile('/src/x', Buffer.from('x'), { mode: 0o644, mtime: 1 });
  if (isRoot) own.giveTo(65534);
  // What it makes inside, the server can remove.
  const inmate = shell(root, 'mkdir -m 755 /src/new; echo $(id -u) > /src/x; exit 4', own);
  t.match(await inmate.ended, { status: 4 });
  t.equal(readFileSync(`${root.spec.upper}/src/x`, 'utf8'), '1000\n');
  if (isRoot) t.equal(lstatSync(`${root.spec.upper}/src/new`).uid, 65534);
  const work = root.spec.upper.replace(/upper$/, 'work/work');
  t.equal(lstatSync(work).mode & 0o777, 0o700);
});

/** What the shell's layer has at its top. */
function tops(): string[] {
  return execFileSync('ls', ['-A', SHELL], { encoding: 'utf8' }).trim().split('\n');
}
