/** Servers, daemons and disks that fail in the middle of pump mode: objects are as local, and nothing is left. */
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import t, { type Test } from 'tap';
import { OWN_STORE, startServers } from '../../benchmarks/servers.js';
import { BuildHost, finish } from '../fixtures/build-host.js';
import { processesWith } from '../fixtures/job-cell.js';
import { until } from '../fixtures/until.js';

/** So that what a job leaves behind is found. */
const IN_STORE = ['--scratch', OWN_STORE];

/** Takes gcc some seconds, and nothing else. */
const SLOW = `#include "h.h"
${Array.from({ length: 150 }, (_, n) => `int f${n}(int *a, int n) { for (int i = 1; i < n; i++) a[i] = a[i - 1] * ${n} + N; return a[n - 1]; }`).join('\n')}
`;

function newHost(t: Test): BuildHost {
  const host = new BuildHost(t);
  host.env['TSCC_MODE'] = 'pump';
  const files = { 'slow.c': SLOW, 'x.c': '#include <stdio.h>\n#include "h.h"\nint x = N;\n' };
  for (const [name, text] of Object.entries(files))
    writeFileSync(`${host.directory}/${name}`, text);
  writeFileSync(`${host.directory}/h.h`, '#define N 3\n');
  return host;
}

/** Compares an object with the one made without tscc. */
async function compare(t: Test, host: BuildHost, words = '-O2 x.c'): Promise<void> {
  const line = `gcc ${words} -c -o expected.o && tscc gcc ${words} -c -o made.o && cmp made.o expected.o`;
  t.match(await host.shell(line), { status: 0, stdout: '' });
  t.strictSame(host.leftovers(), []);
}

/** Bytes that went to servers as contents of files, in each upload. */
function uploads(host: BuildHost): number[] {
  const journal = `${host.directory}/.state/journal`;
  return readdirSync(journal)
    .flatMap((name) => readFileSync(`${journal}/${name}`, 'utf8').trim().split('\n'))
    .map((line) => JSON.parse(line) as { event: string; bytes: number })
    .filter(({ event }) => event === 'upload')
    .map(({ bytes }) => bytes);
}

/** The compilers that run on the servers of a host, which see its paths. */
const compilers = (host: BuildHost) =>
  processesWith('cc1').filter((pid) => readCommand(pid).includes(host.directory));

function readCommand(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    // It has ended since.
    return '';
  }
}

const remains = (store: string) =>
  ['jobs', 'trees', 'blobs-v1/incoming'].flatMap((name) =>
    readdirSync(`${store}/${name}`).flatMap((server) => readdirSync(`${store}/${name}/${server}`)),
  );

function startSlow(host: BuildHost) {
  const words = [
    'gcc',
    '-O3',
    '-funroll-all-loops',
    '-c',
    `${host.directory}/slow.c`,
    '-o',
    'slow.o',
  ];
  const child = host.spawn(host.tscc, words);
  return { child, finished: finish(child) };
}

await t.test('a server is killed while it compiles: another one does it', async (t) => {
  const host = newHost(t);
  const servers = await host.startServers(['127.0.0.1', '127.0.0.2'], ['--jobs', '1', ...IN_STORE]);
  const { finished } = startSlow(host);
  await until(() => compilers(host).length > 0);
  const stores = [0, 1].map((n) => `${host.directory}/.stores/${n}`);
  const at = stores.findIndex((store) => existsSync(`${store}/trees`) && remains(store).length > 0);
  servers.processes[at]?.kill('SIGKILL');
  t.strictSame(await finished, { status: 0, stdout: '', stderr: '' });
  t.match(await host.status(), { outcomes: { pump: 1, local: 0, plain: 0 } });
  await until(() => compilers(host).length === 0);
  t.strictSame(host.leftovers(), []);

  await t.test('and comes back with what its store has', async (t) => {
    await host.run('tscc', ['stop']);
    const before = uploads(host).length;
    const { HOME, PATH } = host.env;
    const again = await startServers(
      ['127.0.0.1'],
      `${host.directory}/.stores`,
      ['--jobs', '1', ...IN_STORE],
      {
        HOME,
        PATH,
      },
    );
    t.teardown(() => again.stop());
    host.env['TSCC_HOSTS'] = again.hosts;
    await compare(t, host, '-O2 x.c');
    await compare(t, host, '-g x.c');
    const bytes = uploads(host)
      .slice(before)
      .reduce((sum, one) => sum + one, 0);
    t.ok(bytes < 10_000, `${bytes} bytes: the compiler and its headers are there`);
    await host.run('tscc', ['stop']);
    await until(() => remains(`${host.directory}/.stores/0`).length === 0);
  });
});

await t.test('a store that was damaged while nobody looked', async (t) => {
  const host = newHost(t);
  const servers = await host.startServers(['127.0.0.1'], ['--jobs', '2', ...IN_STORE]);
  await compare(t, host);
  await host.run('tscc', ['stop']);
  await servers.stop();
  const blobs = `${host.directory}/.stores/0/blobs-v1`;
  for (const [n, name] of readdirSync(blobs)
    .filter((one) => one.length === 64)
    .entries()) {
    if (n % 3 === 0) truncateSync(`${blobs}/${name}`, 10);
    else if (n % 3 === 1) appendFileSync(`${blobs}/${name}`, 'x');
  }
  const { HOME, PATH } = host.env;
  const again = await startServers(['127.0.0.1'], `${host.directory}/.stores`, undefined, {
    HOME,
    PATH,
  });
  t.teardown(() => again.stop());
  host.env['TSCC_HOSTS'] = again.hosts;
  await compare(t, host);
  t.match(await host.status(), { outcomes: { pump: 1, local: 0 } });
});

await t.test('a store that has no room for one closure', async (t) => {
  const host = newHost(t);
  await host.startServers(['127.0.0.1'], ['--jobs', '2', '--store-size', '48M']);
  for (const words of ['-O2 x.c', '-g x.c', '-O1 slow.c']) await compare(t, host, words);
  t.match(await host.status(), { outcomes: { pump: 3, local: 0 } });
  await host.run('tscc', ['stop']);
  host.env['TSCC_SESSION'] = 'again';
  await compare(t, host);
  t.match(await host.status('again'), { outcomes: { pump: 1, local: 0 } });
});

await t.test('a store that has no room for the compiler', async (t) => {
  const host = newHost(t);
  await host.startServers(['127.0.0.1'], ['--jobs', '2', '--store-size', '4M']);
  await compare(t, host);
  t.match(await host.status(), { outcomes: { local: 1 }, fallbacks: { 'server-failed': 1 } });
});

const UNSHARE = process.getuid?.() === 0 ? ['-m'] : ['-m', '--map-root-user'];
const cannotMount =
  spawnSync('unshare', [...UNSHARE, 'mount', '-t', 'tmpfs', 'none', '/mnt']).status !== 0 &&
  'mounting is not permitted here';

await t.test('a disk that is full', { skip: cannotMount }, async (t) => {
  const host = newHost(t);
  const store = `${host.directory}/.stores/0`;
  mkdirSync(store, { recursive: true });
  const small = `mount -t tmpfs -o size=16m none '${store}' && exec "$0" "$@"`;
  const servers = await host.startServers(
    ['127.0.0.1'],
    ['--jobs', '2', ...IN_STORE],
    ['unshare', ...UNSHARE, 'sh', '-c', small],
  );
  await compare(t, host);
  await compare(t, host);
  t.match(await host.status(), {
    outcomes: { pump: 0, local: 2 },
    fallbacks: { 'server-failed': 2 },
  });
  t.equal(servers.processes[0]?.exitCode, null, 'the server goes on');
});

await t.test('an interrupt ends the compiler there and leaves nothing', async (t) => {
  const host = newHost(t);
  await host.startServers(['127.0.0.1'], ['--jobs', '2', ...IN_STORE]);
  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    const { child, finished } = startSlow(host);
    await until(() => compilers(host).length > 0);
    child.kill(signal);
    t.match(await finished, { status: signal, stdout: '', stderr: '' });
    await until(() => compilers(host).length === 0);
    t.equal(existsSync(`${host.directory}/slow.o`), false);
    t.strictSame(host.leftovers(), []);
  }
  t.match(await host.status(), { cancelled: 2, outcomes: { pump: 0, local: 0 } });
  await host.run('tscc', ['stop']);
  await until(() => remains(`${host.directory}/.stores/0`).length === 0);
});

await t.test('the daemon is killed: the compile is done here, its tree is removed', async (t) => {
  const host = newHost(t);
  await host.startServers(['127.0.0.1'], ['--jobs', '2', ...IN_STORE]);
  const { finished } = startSlow(host);
  await until(() => compilers(host).length > 0);
  const log = readFileSync(`${host.directory}/.state/daemon.log`, 'utf8');
  process.kill(Number(/pid ([0-9]+)/.exec(log)?.[1]), 'SIGKILL');
  t.match(await finished, { status: 0 });
  t.ok(existsSync(`${host.directory}/slow.o`));
  t.strictSame(host.leftovers(), []);
  await until(() => remains(`${host.directory}/.stores/0`).length === 0);
});
