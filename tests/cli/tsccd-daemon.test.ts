import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import t, { type Test } from 'tap';
import { RUN_TSCCD } from '../../benchmarks/servers.js';
import { RUNNER } from '../fixtures/test-server.js';
import { without } from '../fixtures/tools.js';
import { TsccdProcess } from '../fixtures/tsccd-process.js';
import { firstBytesOf, processGone, until } from '../fixtures/until.js';
import { WireClient } from '../fixtures/wire-client.js';

const ANYWHERE = ['--listen', '127.0.0.1:0'];
const isRoot = process.getuid?.() === 0;

/** A directory that any user may write. */
function openDirectory(t: Test): string {
  const directory = mkdtempSync(`${tmpdir()}/tscc-daemon-`);
  chmodSync(directory, 0o777);
  t.teardown(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** A server that has detached from the command which started it. */
async function startDetached(t: Test, directory: string, words: readonly string[] = []) {
  const pidFile = `${directory}/pid`;
  const command = new TsccdProcess(t, [
    ...ANYWHERE,
    ...['--daemon', '--pid-file', pidFile, '--store', `${directory}/store`],
    ...words,
  ]);
  const port = await command.port();
  const pid = Number(readFileSync(pidFile, 'latin1'));
  t.teardown(() => {
    if (existsSync(pidFile)) process.kill(pid, 'SIGKILL');
  });
  return { command, port, pid, pidFile };
}

/** Resolves when a directory has (or has no more) such a file. */
async function seen(path: string, isThere: boolean): Promise<void> {
  const watcher = watch(path.slice(0, path.lastIndexOf('/')));
  try {
    const changes = once(watcher, 'change');
    for (let change = changes; existsSync(path) !== isThere; change = once(watcher, 'change')) {
      await change;
    }
  } finally {
    watcher.close();
  }
}

await t.test('--daemon leaves a server behind, and ends when that listens', async (t) => {
  const directory = openDirectory(t);
  const { command, port, pid, pidFile } = await startDetached(t, directory);
  t.equal(await command.exited, 0);
  t.equal(command.stderr, '');
  t.equal(command.stdout, `tsccd: listening on 127.0.0.1:${port}\n`);
  t.not(pid, command.process.pid);

  const [, , , session] = statOf(pid);
  t.equal(session, String(pid), 'a session of its own');
  t.equal(readlinkSync(`/proc/${pid}/cwd`), '/');
  for (const descriptor of [0, 1, 2]) {
    t.equal(readlinkSync(`/proc/${pid}/fd/${descriptor}`), '/dev/null');
  }
  const client = await WireClient.connect(port);
  await client.greet();
  process.kill(pid, 'SIGTERM');
  t.match(await client.ended, { kind: 'goodbye' });
  await seen(pidFile, false);
  const log = readFileSync(`${directory}/store/tsccd.log`, 'latin1');
  t.match(log, new RegExp(`pid ${pid}, .*listening on 127.0.0.1:${port}\n`));
  t.match(log, /SIGTERM: no new jobs/);
});

/** State, parent, process group and session of a process. */
function statOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

await t.test('what keeps it from listening is told by the command that was given', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const root = t.testdir({ file: '', pid: '1\n' });
  const store = ['--store', `${root}/store`];
  const cases: [words: string[], status: number, message: RegExp][] = [
    [['--listen', `127.0.0.1:${port}`, ...store], 102, /the port is taken/],
    [[...ANYWHERE, '--store', `${root}/file`], 107, /store .* cannot be used/],
    [
      [...ANYWHERE, ...store, '--log-file', root],
      107,
      /log file cannot be written: EISDIR.*--log-file/,
    ],
    [
      [...ANYWHERE, ...store, '--pid-file', '/dev/null'],
      107,
      /pid file \/dev\/null .* no regular file/,
    ],
    [
      [...ANYWHERE, ...store, '--pid-file', `${root}/none/pid`],
      107,
      /pid file .*ENOENT.*--pid-file/,
    ],
    [['--listen', '0.0.0.0:0', ...store], 101, /without --key-file/],
  ];
  for (const daemon of [['--daemon'], []]) {
    const results = await Promise.all(
      cases.map(([words]) => new TsccdProcess(t, [...daemon, ...words]).failure()),
    );
    for (const [index, [words, status, message]] of cases.entries()) {
      const [exit, stderr] = results[index] ?? [];
      t.equal(exit, status, [...daemon, ...words].join(' '));
      t.match(stderr, message);
      t.match(stderr, /^tsccd: [^\n]+\n$/, 'one line');
    }
  }
  t.ok(statSync('/dev/null').isCharacterDevice());
});

await t.test('the pid file', async (t) => {
  const directory = openDirectory(t);
  const pidFile = `${directory}/pid`;
  const words = [...ANYWHERE, '--pid-file', pidFile];
  writeFileSync(pidFile, '1\n');
  const first = new TsccdProcess(t, words);
  await first.port();
  t.equal(readFileSync(pidFile, 'latin1'), `${first.process.pid}\n`, 'a stale one is replaced');
  const second = new TsccdProcess(t, words);
  await second.port();
  first.process.kill('SIGTERM');
  t.equal(await first.exited, 0);
  t.equal(readFileSync(pidFile, 'latin1'), `${second.process.pid}\n`, 'another’s is left');
  second.process.kill('SIGTERM');
  t.equal(await second.exited, 0);
  t.notOk(existsSync(pidFile), 'its own is removed');

  symlinkSync(`${directory}/elsewhere`, pidFile);
  const [status] = await new TsccdProcess(t, words).failure();
  t.equal(status, 107, 'a link is not followed');
});

await t.test('the log file is appended to, and opened again on SIGHUP', async (t) => {
  const directory = openDirectory(t);
  const log = `${directory}/log`;
  writeFileSync(log, 'older\n');
  const daemon = new TsccdProcess(t, [...ANYWHERE, '--log-file', log]);
  await daemon.port();
  renameSync(log, `${log}.1`);
  daemon.process.kill('SIGHUP');
  await until(() => existsSync(log) && /read again/.test(readFileSync(log, 'latin1')));
  daemon.process.kill('SIGTERM');
  t.equal(await daemon.exited, 0);
  t.match(readFileSync(`${log}.1`, 'latin1'), /^older\n.*listening on/s);
  t.match(
    readFileSync(log, 'latin1'),
    /^\S+ tsccd: SIGHUP: read again: [^\n]*\n\S+ tsccd: SIGTERM[^\n]*\n$/,
  );
  t.equal(daemon.stderr, '');
});

await t.test('SIGHUP without a log file is no end', async (t) => {
  const daemon = new TsccdProcess(t, ANYWHERE);
  await daemon.port();
  daemon.process.kill('SIGHUP');
  await daemon.logged(/SIGHUP: read again: \/dev\/null; \d+ slots, all may connect\n/);
  daemon.process.kill('SIGTERM');
  t.equal(await daemon.exited, 0);
});

await t.test('the end of its terminal is its end', { skip: without('script') }, async (t) => {
  const directory = openDirectory(t);
  const pidFile = `${directory}/pid`;
  const words = ['--config', '/dev/null', ...ANYWHERE, '--store', `${directory}/store`];
  const line = [...RUN_TSCCD, ...words, '--pid-file', pidFile].join(' ');
  const terminal = spawn('script', ['-qec', line, '/dev/null'], { stdio: 'ignore' });
  const ended = once(terminal, 'close');
  const pid = Number(await firstBytesOf(pidFile));
  process.kill(pid, 'SIGHUP');
  await processGone(pid);
  t.same(await ended, [129, null]);
});

await t.test('--daemon by a file', async (t) => {
  const directory = openDirectory(t);
  const file = `${directory}/tsccd.toml`;
  writeFileSync(
    file,
    'listen = "127.0.0.1:0"\ndaemon = true\npid-file = "pid"\nstore = "store"\nlog-file = "log"\n',
  );
  const command = new TsccdProcess(t, ['--config', file]);
  await command.port();
  t.equal(await command.exited, 0);
  const pid = Number(readFileSync(`${directory}/pid`, 'latin1'));
  t.teardown(() => existsSync(`${directory}/pid`) && process.kill(pid, 'SIGKILL'));
  const log = (name: string) => (existsSync(name) ? readFileSync(name, 'latin1') : '');
  appendFileSync(file, 'jobs = 77\n');
  process.kill(pid, 'SIGHUP');
  await until(() => /read again: .*; 77 slots/.test(log(`${directory}/log`)));
  writeFileSync(file, 'listen = "127.0.0.1:0"\nstore = "store"\n');
  process.kill(pid, 'SIGHUP');
  const elsewhere = `${directory}/store/tsccd.log`;
  await until(() => /take a restart: daemon, pid-file\n/.test(log(elsewhere)));
  process.kill(pid, 'SIGTERM');
  await seen(`${directory}/pid`, false);
});

/** Whether any user has a way to this file. */
function isOpenToAll(path: string): boolean {
  const parent = dirname(path);
  return (statSync(path).mode & 0o001) !== 0 && (parent === path || isOpenToAll(parent));
}

const noUser = !isRoot
  ? 'only root becomes others'
  : !isOpenToAll(RUNNER) && 'the installation is closed to other users';

await t.test('--user', { skip: noUser }, async (t) => {
  const directory = openDirectory(t);
  const log = `${directory}/log`;
  const { pid, command } = await startDetached(t, directory, [
    '--user',
    'nobody',
    '--log-file',
    log,
  ]);
  t.equal(await command.exited, 0);
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const uid = statSync(log).uid;
  t.not(uid, 0);
  t.match(status, new RegExp(`^Uid:\t${uid}\t${uid}\t${uid}\t${uid}$`, 'm'));
  t.notMatch(status, /^Gid:.*\t0\b/m);
  t.notMatch(status, /^Groups:.*\b0 /m);
  t.match(status, /^CapEff:\t0+$/m);
  for (const path of ['pid', 'store']) {
    t.equal(statSync(`${directory}/${path}`).uid, uid, path);
  }
  t.notMatch(readFileSync(log, 'latin1'), /as root/);

  const [exit, stderr] = await new TsccdProcess(t, ['--user', 'no such user']).failure();
  t.equal(exit, 112);
  t.match(stderr, /^tsccd: cannot become --user no such user: [^\n]+\n$/);
});

await t.test('root without --user is warned', { skip: isRoot ? false : 'not root' }, async (t) => {
  const daemon = new TsccdProcess(t, ANYWHERE);
  await daemon.port();
  daemon.process.kill('SIGTERM');
  await daemon.exited;
  t.match(daemon.stderr, /compilers run as root: give --user NAME/);
});
