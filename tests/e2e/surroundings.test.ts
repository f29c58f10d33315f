/** What a command inherits: umask, files that are there, working directory, HOME, its view of /. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { BuildHost } from '../fixtures/build-host.js';
import { testMode } from '../fixtures/test-mode.js';
import { without } from '../fixtures/tools.js';
import { Twins } from '../fixtures/twins.js';

const twins = await Twins.start(t);

await t.test('umask', async (t) => {
  const line = (mask: string) => `umask ${mask} && $CC -c -MD x.c && $CC -S x.c`;
  for (const mask of ['0', '0137']) {
    t.match(await twins.compare(t, line(mask), ['sent', 'sent']), { status: 0 }, mask);
  }
});

await t.test('a directory that hands its group on', async (t) => {
  await twins.compare(t, 'mkdir -m 2775 o && $CC -MD -c x.c -o o/x.o', 'sent');
});

await t.test('outputs that are there already keep what the compiler leaves of them', async (t) => {
  const make = 'chmod 751 x.o x.d x.s && $CC -c -MD x.c && $CC -S x.c';
  for (const line of [`touch x.o x.d x.s && ${make}`, `echo old | tee x.o x.d >x.s && ${make}`]) {
    t.match(await twins.compare(t, line, ['sent', 'sent']), { status: 0 });
  }
});

await t.test('outputs that are links are written through or replaced', async (t) => {
  const link = 'mkdir d && ln -s d/x.o d/x.d d/x.s . && ';
  const compile = ' && $CC -c -MD x.c && $CC -S x.c';
  const empty = `${link}touch d/x.o d/x.d d/x.s${compile}`;
  await twins.compare(t, empty, ['sent', 'sent']);
  const full = `${link}echo old | tee d/x.o d/x.d >d/x.s && chmod 600 d/x.*${compile}${compile}`;
  await twins.compare(t, full, ['decline output-special', 'sent', 'sent', 'sent']);
});

await t.test('a working directory behind a link, as $PWD says or does not', async (t) => {
  const files = { 'real/x.c': '#include "h.h"\nint x;\n', 'real/h.h': '', 'x.c': 'int y;\n' };
  for (const line of [
    'cd link && $CC -g -MD -c x.c',
    'cd -P link && $CC -g -MD -c x.c',
    'cd link && $CC -g -MD -c "$PWD/x.c"',
    'cd link && env -u PWD $CC -g -MD -c x.c',
    'cd link && PWD=/nowhere $CC -g -MD -c x.c',
    'cd link && $CC -g -MD -c ../x.c',
  ]) {
    const { status, files: made } = await twins.compare(t, `ln -s real link && ${line}`, 'sent', {
      files,
    });
    t.equal(status, 0);
    t.ok('real/x.o' in made, line);
  }
});

await t.test('a working directory that is gone', async (t) => {
  const line = 'mkdir d && cd d && rmdir ../d && $CC -c x.c';
  t.not((await twins.compare(t, line, [])).status, 0);
});

await t.test('standard streams that are closed or full', async (t) => {
  const files = { 'x.c': '#warning careful\nint x;\n' };
  for (const line of ['$CC -c x.c <&-', '$CC -c x.c >&-', '$CC -c x.c >/dev/full']) {
    t.match(await twins.compare(t, line, 'sent'), { status: 0 }, line);
  }
  await twins.compare(
    t,
    '$CC -c x.c 2>/dev/full',
    { plain: 'decline preprocess-diagnostics', pump: 'pump' },
    { files },
  );
});

await t.test('how they ran', (t) => twins.checkFates(t));

await t.test('a HOME of no use, and no state directory named', async (t) => {
  const { host } = twins;
  const HOME = `${host.directory}/.line`;
  const env = { HOME, TSCC_DIR: undefined, XDG_STATE_HOME: undefined, XDG_CONFIG_HOME: undefined };
  const line = "echo 'int x;' >x.c && tscc gcc -c x.c";
  t.strictSame(await host.shell(line, { env }), { status: 0, stdout: '', stderr: '' });
  const status = await host.run('tscc', ['status', '--json'], { env });
  t.match(JSON.parse(status.stdout), { outcomes: { [testMode]: 1, local: 0 } });
  t.match(await host.run('tscc', ['stop'], { env }), { status: 0 });
  t.ok(existsSync(`${host.directory}/tscc/state`), 'the state is beside the socket');
});

/** Options of unshare for a user who may mount in a namespace of their own. */
const UNSHARE = process.getuid?.() === 0 ? ['-m'] : ['-m', '--map-root-user'];

function withoutNamespaces(): string | false {
  const missing = without('unshare') || without('mount') || without('chroot');
  if (missing) return missing;
  const tried = spawnSync('unshare', [...UNSHARE, 'mount', '-t', 'tmpfs', 'none', '/mnt']);
  return tried.status === 0 ? false : 'mounting is not permitted here';
}

await t.test('other files at the same paths', { skip: withoutNamespaces() }, async (t) => {
  const host = new BuildHost(t);
  await host.startServers(['127.0.0.1']);
  mkdirSync(`${host.directory}/inc`);
  writeFileSync(`${host.directory}/inc/h.h`, '#define N 1\n');
  writeFileSync(`${host.directory}/x.c`, '#include "h.h"\nint x = N;\n');
  t.match(await host.shell('tscc gcc -Iinc -c x.c -o 1.o'), { status: 0, stderr: '' });

  await t.test('in another mount namespace', async (t) => {
    const line = `mount -t tmpfs none inc && echo '#define N 2' >inc/h.h && ${compiles(2)}`;
    const ran = await host.run('unshare', [...UNSHARE, 'sh', '-c', line]);
    t.strictSame(ran, { status: 0, stdout: '', stderr: '' });
    compareObjects(t, host, 2);
    t.match(await host.status(), {
      declines: { 'foreign-namespace': 1 },
      outcomes: { [testMode]: 1, local: 1 },
    });
  });

  await t.test('in a chroot that shares the state directory', async (t) => {
    await host.run('tscc', ['stop']);
    // The daemon is started inside the namespace, so that only the root is another one.
    const script = `
      set -e
      tscc gcc -dumpversion >version
      mkdir jail && mount -t tmpfs none jail
      for name in bin lib lib32 lib64 usr proc dev; do
        if [ -L /$name ]; then cp -d /$name jail
        elif [ -d /$name ]; then mkdir jail/$name && mount --rbind /$name jail/$name
        fi
      done
      mkdir -p "jail$PWD" jail/tmp && mount --bind . "jail$PWD"
      mount -t tmpfs none "jail$PWD/inc" && echo '#define N 3' >"jail$PWD/inc/h.h"
      cp "$(command -v tscc)" jail/tscc
      chroot jail sh -c "cd '$PWD' && ${compiles(3).replace('tscc', '/tscc')}"
      tscc status --json >status.json
      tscc stop >stopped`;
    const ran = await host.run('unshare', [...UNSHARE, 'sh', '-c', script]);
    t.strictSame(ran, { status: 0, stdout: '', stderr: '' });
    compareObjects(t, host, 3);
    const status = JSON.parse(readFileSync(`${host.directory}/status.json`, 'utf8'));
    t.match(status, { declines: { 'foreign-namespace': 1 }, other: { query: 1 } });
  });
});

/** Makes N.o by tscc and expected.o without. */
function compiles(n: number): string {
  return `gcc -Iinc -c x.c -o expected.o && tscc gcc -Iinc -c x.c -o ${n}.o`;
}

function compareObjects(t: Test, host: BuildHost, n: number): void {
  const [outside, expected, inside] = ['1.o', 'expected.o', `${n}.o`].map((name) =>
    readFileSync(`${host.directory}/${name}`, 'hex'),
  );
  t.equal(inside, expected, 'the object of the files seen there');
  t.not(inside, outside);
}
