/** Roots without namespaces: a supervisor answers for them (decision 27). */
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { JobRoot } from '../../src/server/job-root.js';
import { JobCell, processesWith } from '../fixtures/job-cell.js';
import { addPrograms, programFiles } from '../fixtures/program-layer.js';
import { until } from '../fixtures/until.js';

const SOURCE = fileURLToPath(new URL('../../../tests/fixtures/inmate.c', import.meta.url));

const cell = await JobCell.open(t);
const which = (name: string) => execFileSync('which', [name], { encoding: 'utf8' }).trim();
const SH = which('sh');
const TOOLS = ['sh', 'ls', 'cat', 'sleep'].map(which);
const SHELL = `${cell.store}/shell`;
mkdirSync(SHELL);
addPrograms(SHELL, TOOLS);
const SHELL_FILES = programFiles(TOOLS);

const newShell = (above: readonly string[] = []) =>
  cell.newSupervised([...above, SHELL], SHELL_FILES);
const shell = (root: JobRoot, script: string, cwd = '/') => cell.run(root, [SH, '-c', script], cwd);

const trial = await shell(await newShell(), ':').ended.catch(({ message }: Error) => message);
if (typeof trial === 'string' && process.env['CI'] !== 'true') {
  t.plan(0, `this host supervises no job: ${trial}`);
  process.exit();
}

/** A new layer. */
function layer(name: string, files: Readonly<Record<string, string>>): string {
  const path = `${cell.store}/${name}`;
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(`${path}/${file}`.replace(/\/[^/]*$/, ''), { recursive: true });
    writeFileSync(`${path}/${file}`, content);
  }
  return path;
}

await t.test('nothing of the host is in a root', async (t) => {
  const root = await newShell();
  root.putDirectory('/home/me');
  const inmate = shell(
    root,
    `ls -A / /home /dev; pwd
    for path in /proc /etc/passwd /tmp ${cell.store}; do test -e $path && echo "$path is there"; done
    echo x >/.tscc/x; cat /.tscc/x; echo y >/home/me/y`,
    '/home/me',
  );
  t.match(await inmate.ended, { status: 0 }, inmate.stderr());
  const tops = ['.tscc', 'dev', 'home', ...readdirSync(SHELL)].toSorted();
  t.strictSame(inmate.stdout().split('\n'), [
    ...['/:', ...tops, '', '/dev:', 'null', 'urandom', 'zero', '', '/home:', 'me'],
    ...['/home/me', 'x', ''],
  ]);
  t.equal(readFileSync(`${root.spec.upper}/home/me/y`, 'utf8'), 'y\n');
});

await t.test('layers hide one another as overlayfs has it', async (t) => {
  const lowest = layer('lowest', { 'd/a': 'a0', 'd/b': 'b0', 'd/c/x': 'x0', 'e/y': 'y0', f: 'f0' });
  const middle = layer('middle', { 'd/a': 'a1', e: 'e1', 'g/z': 'z1' });
  execFileSync('mknod', [`${middle}/d/b`, 'c', '0', '0']);
  execFileSync('mknod', [`${middle}/f`, 'c', '0', '0']);
  const top = layer('top', { 'd/n': 'n2', 'e/w': 'w2' });
  symlinkSync('../d/c', `${top}/e/link`);
  const root = await newShell([top, middle, lowest]);
  const inmate = shell(
    root,
    `ls /d /e /g; cat /d/a /d/c/x /e/w /e/link/x; echo
    for path in /d/b /f /e/y; do test -e $path && echo "$path is there"; done
    echo new >/d/b; ls /d; echo more >>/d/a; cat /d/a`,
  );
  t.match(await inmate.ended, { status: 0 }, inmate.stderr());
  t.strictSame(inmate.stdout().split('\n'), [
    ...['/d:', 'a', 'c', 'n', '', '/e:', 'link', 'w', '', '/g:', 'z', 'a1x0w2x0'],
    ...['a', 'b', 'c', 'n', 'a1more', ''],
  ]);
  t.equal(readFileSync(`${middle}/d/a`, 'utf8'), 'a1', 'a layer never changes');
});

await t.test('gcc makes the same object as outside', async (t) => {
  const part = (name: string) =>
    execFileSync('gcc', [`-print-prog-name=${name}`], { encoding: 'utf8' }).trim();
  const parts = ['cc1', 'as'].map(part).map((path) => (path.startsWith('/') ? path : which(path)));
  const programs = ['/usr/bin/gcc', ...parts];
  const gcc = layer('gcc', { 'usr/include/empty.h': '' });
  addPrograms(gcc, programs);
  const work = mkdtempSync(`${tmpdir()}/tscc-ours-`);
  t.teardown(() => rmSync(work, { recursive: true }));
  const files = {
    'x.h': '#define SIZE 7\n',
    'x.c': `#include "x.h"\n#if __has_include("${cell.store}")\n#error the host\n#endif\nint a[SIZE];\n`,
  };
  const root = await cell.newSupervised([gcc], programFiles(programs));
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(`${work}/${name}`, content);
    root.putFile(`${work}/${name}`, Buffer.from(content), { mode: 0o644, mtime: 1 });
  }
  const words = ['/usr/bin/gcc', '-g', '-O2', '-MMD', '-c', 'x.c', '-o', 'x.o'] as const;
  const inmate = cell.run(root, words, work);
  t.match(await inmate.ended, { status: 0 }, inmate.stderr());
  execFileSync('/usr/bin/gcc', words.slice(1), { cwd: work });
  for (const name of ['x.o', 'x.d']) {
    t.ok(readFileSync(`${root.spec.upper}${work}/${name}`).equals(readFileSync(`${work}/${name}`)));
  }
});

// ---- a program that means harm ----

const PROGRAM = `${cell.store}/inmate`;
execFileSync('cc', ['-O1', '-Wall', '-Werror', '-pthread', '-o', PROGRAM, SOURCE]);
const SECRET = `${layer('host', { secret: 'secret\n' })}/secret`;

const hostile = layer('hostile', { shown: 'shown\n', below: 'below\n', 'directory/x': 'x\n' });
writeFileSync(`${hostile}/script`, `#!${SH}\necho ran\n`, { mode: 0o755 });
copyFileSync(PROGRAM, `${hostile}/code.so`);
symlinkSync('/shown', `${hostile}/link`);
symlinkSync('loop', `${hostile}/loop`);
symlinkSync('../../../../../../..', `${hostile}/out`);
addPrograms(hostile, [PROGRAM]);

async function attack(what: string) {
  const root = await cell.newSupervised([hostile], programFiles([PROGRAM]));
  return cell.run(root, [PROGRAM, SECRET, what]);
}

for (const what of ['pointers', 'paths', 'reach', 'change', 'race', 'descriptors']) {
  await t.test(`an attack by ${what}`, async (t) => {
    const inmate = await attack(what);
    t.match(await inmate.ended, { status: 0 });
    t.equal(inmate.stdout(), '');
  });
}

await t.test('the server’s files are as they were', async (t) => {
  t.equal(readFileSync(`${hostile}/shown`, 'utf8'), 'shown\n');
  t.equal(statSync(`${hostile}/shown`).mode & 0o777, 0o644);
  t.equal(readFileSync(SECRET, 'utf8'), 'secret\n');
  t.ok(existsSync(`${hostile}/below`));
});

for (const [what, message] of [
  ['code', /could not keep the client's own programs and libraries out: EACCES/],
  ['start', /could not start a program that this host does not have: EACCES/],
  ['script', /could not start a program that this host does not have: EACCES/],
  ['descriptor', /could not follow a descriptor of a directory/],
] as const) {
  await t.test(`what is not answered ends the job: ${what}`, async (t) => {
    const inmate = await attack(what);
    await t.rejects(inmate.ended, { message });
    t.equal(inmate.stdout(), '');
  });
}

await t.test('a fork bomb is bounded, and ends with the compile', async (t) => {
  const inmate = await attack('fork-bomb');
  t.match(await inmate.ended, { status: 0 });
  t.equal(inmate.stdout(), '');
  await until(() => processesWith('fork-bomb').length === 0);
});

for (const what of ['ask', 'hang']) {
  await t.test(`kill takes a compiler that would ${what} for ever`, async (t) => {
    const inmate = await attack(what);
    await until(() => processesWith(PROGRAM).length > 0);
    inmate.kill();
    t.match(await inmate.ended, { status: 137, signal: 9 });
    await until(() => processesWith(PROGRAM).length === 0);
  });
}

await t.test('a supervisor that is killed takes its compiler along', async (t) => {
  const inmate = await attack('hang');
  await until(() => processesWith(PROGRAM).length > 0);
  const [pid] = processesWith(PROGRAM);
  const parent = Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  process.kill(parent, 'SIGKILL');
  t.match(await inmate.ended, { status: 137, signal: 9 });
  await until(() => processesWith(PROGRAM).length === 0);
});

for (const [how, end] of [
  ['is told to end', (runner: JobCell['runner']) => void runner.close()],
  ['is killed', (runner: JobCell['runner']) => process.kill(runner.pid ?? 0, 'SIGKILL')],
] as const) {
  await t.test(`all dies with a runner that ${how}`, async (t) => {
    const own = await JobCell.open(t);
    const root = await own.newSupervised([hostile], programFiles([PROGRAM]));
    const inmate = own.run(root, [PROGRAM, SECRET, 'hang']);
    await until(() => processesWith(PROGRAM).length > 0);
    end(own.runner);
    await t.rejects(inmate.ended, { message: /runner ended/ });
    await until(() => processesWith(PROGRAM).length === 0);
  });
}

await t.test('what cannot be started says at which step', async (t) => {
  const root = await newShell();
  await t.rejects(cell.run(root, ['/none']).ended, { message: /start the compiler: ENOENT/ });
  const elsewhere = cell.run(await newShell(), [SH, '-c', ':'], cell.store);
  await t.rejects(elsewhere.ended, { message: /enter the job directory: ENOENT/ });
  const noLayer = cell.run(await newShell([`${cell.store}/none`]), [SH, '-c', ':']);
  await t.rejects(noLayer.ended, { message: /open a layer: ENOENT/ });
});

await t.test('many at once', async (t) => {
  const ends = await Promise.all(
    Array.from({ length: 12 }, async (_, i) =>
      shell(await newShell(), `cat /dev/null; exit ${i}`).ended.then(({ status }) => status),
    ),
  );
  t.strictSame(ends, [...ends.keys()]);
});
