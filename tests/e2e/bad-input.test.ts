/**
 * What users get wrong, and machines: one line that says what, where and what to do; the build goes
 * on here where that is right; nothing half-written stays.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import t, { type Test } from 'tap';
import { BuildHost } from '../fixtures/build-host.js';
import { without } from '../fixtures/tools.js';

const isRoot = process.getuid?.() === 0;
const COMPILE = ['gcc', '-c', 'x.c'];

function withSource(t: Test): BuildHost {
  const host = new BuildHost(t);
  writeFileSync(`${host.directory}/x.c`, 'int x;\n');
  return host;
}

/** Compiles twice: it works both times, and only the first one says why it stayed here. */
async function staysHere(t: Test, host: BuildHost, env: NodeJS.ProcessEnv, said: RegExp) {
  const first = await host.run('tscc', COMPILE, { env });
  t.match(first, { status: 0, stdout: '', stderr: said });
  t.equal(first.stderr.split('\n').length, 2, 'one line');
  t.ok(existsSync(`${host.directory}/x.o`));
  t.match(await host.run('tscc', COMPILE, { env }), { status: 0, stderr: '' }, 'told once');
}

await t.test('refused port', async (t) => {
  const host = withSource(t);
  const said =
    /^tscc: no-server: 127\.0\.0\.1:1: connection refused: no tsccd listens on port 1; compiling locally\n$/;
  await staysHere(t, host, { TSCC_HOSTS: '127.0.0.1:1' }, said);
  t.match(await host.status(), { fallbacks: { 'no-server': 2 }, outcomes: { local: 2 } });
});

await t.test('unknown host', async (t) => {
  const host = withSource(t);
  const key = `${host.directory}/key`;
  await host.run('tscc', ['keygen', key]);
  await staysHere(
    t,
    host,
    { TSCC_HOSTS: 'no-such-host.invalid', TSCC_KEY_FILE: key },
    /^tscc: no-server: no-such-host\.invalid: unknown host: .*; compiling locally\n$/,
  );
});

await t.test('bad host list', async (t) => {
  const said = /^tscc: TSCC_HOSTS: line 1, column 8: port '99999' is not 1 to 65535\n$/;
  await staysHere(t, withSource(t), { TSCC_HOSTS: 'one two:99999' }, said);
});

await t.test(
  'a hosts file is read, told by its name when it is wrong, and read again',
  async (t) => {
    const host = withSource(t);
    mkdirSync(`${host.directory}/.config/tscc`, { recursive: true });
    const file = `${host.directory}/.config/tscc/hosts`;
    writeFileSync(file, '# ours\n127.0.0.1:0\n');
    t.match(
      (await host.run('tscc', COMPILE)).stderr,
      /^tscc: \S+hosts: line 2, column 10: port '0'/,
    );
    const { hosts } = await host.startServers(['127.0.0.1']);
    delete host.env['TSCC_HOSTS'];
    writeFileSync(file, hosts);
    t.match(await host.run('tscc', COMPILE), { status: 0, stderr: '' });
    t.match(await host.status(), { outcomes: { plain: 1, local: 1 } });
  },
);

await t.test('keys', async (t) => {
  const host = withSource(t);
  const [key, other] = [`${host.directory}/key`, `${host.directory}/other`];
  t.match(await host.run('tscc', ['keygen', key]), { status: 0 });
  t.equal(lstatSync(key).mode & 0o777, 0o600);
  t.match(await host.run('tscc', ['keygen', key]), { status: 107, stderr: /exists already/ });
  await host.run('tscc', ['keygen', other]);
  await host.startServers(['127.0.0.1'], ['--key-file', key]);

  await t.test('right', async (t) => {
    t.match(await host.run('tscc', COMPILE, { env: { TSCC_KEY_FILE: key } }), { stderr: '' });
    t.match(await host.status(), { outcomes: { plain: 1 } });
  });
  await t.test('wrong', async (t) => {
    const env = { TSCC_KEY_FILE: other, TSCC_SESSION: 'wrong' };
    const said =
      /^tscc: no-server: \S+: the server does not know this key: copy the key file to it/;
    await staysHere(t, host, env, said);
  });
  await t.test('none', async (t) => {
    const { status, stderr } = await host.run('tscc', COMPILE, { env: { TSCC_SESSION: 'none' } });
    t.equal(status, 0);
    t.match(stderr, /^tscc: no-server: \S+: .*it may use a key \(set TSCC_KEY_FILE\)/);
  });
  await t.test('open to others', async (t) => {
    chmodSync(key, 0o644);
    const env = { TSCC_KEY_FILE: key, TSCC_SESSION: 'open', TSCC_FALLBACK: '0' };
    // A connection that is up already needs no key file; hosts asks anew.
    const { stdout } = await host.run('tscc', ['hosts'], { env });
    t.match(stdout, /down: key file \S+ can be read by others \(mode 0644\): chmod 600 it/);
    chmodSync(key, 0o600);
  });
});

await t.test('off this machine a key is needed', async (t) => {
  const host = withSource(t);
  await staysHere(t, host, { TSCC_HOSTS: '192.0.2.1' }, /a key is needed .* 'tscc keygen FILE'/);
});

await t.test('TSCC_FALLBACK=0', async (t) => {
  const host = withSource(t);
  const env = { TSCC_HOSTS: '127.0.0.1:1', TSCC_FALLBACK: '0' };
  t.match(await host.run('tscc', COMPILE, { env }), {
    status: 100,
    stderr: /^tscc: no-server: .*; TSCC_FALLBACK=0 forbids compiling it locally\n$/,
  });
  t.equal(existsSync(`${host.directory}/x.o`), false);
  t.match(
    await host.run('tscc', ['gcc', '--version'], { env }),
    { status: 0 },
    'other commands run',
  );
  t.match(
    await host.run('tscc', ['gcc', '-flto', '-c', 'x.c'], { env }),
    { status: 0 },
    'declined ones too',
  );
});

await t.test('missing compiler', async (t) => {
  const host = withSource(t);
  t.match(await host.run('tscc', ['no-such-gcc', '-c', 'x.c']), {
    status: 110,
    stderr: /^tscc: compiler 'no-such-gcc' not found along PATH: .*\n$/,
  });
});

await t.test('output to a device', async (t) => {
  const host = withSource(t);
  await host.startServers(['127.0.0.1']);
  t.match(await host.run('tscc', ['gcc', '-c', 'x.c', '-o', '/dev/null']), { status: 0 });
  t.equal(lstatSync('/dev/null').isCharacterDevice(), true, 'it still is one, also for root');
  t.match(await host.status(), { declines: { 'output-special': 1 } });
});

await t.test('state directory that cannot be written', async (t) => {
  const host = withSource(t);
  writeFileSync(`${host.directory}/file`, '');
  const env = { TSCC_DIR: `${host.directory}/file/state`, TSCC_HOSTS: '' };
  t.match(await host.run('tscc', COMPILE, { env }), { status: 0, stderr: '' });
  t.ok(existsSync(`${host.directory}/x.o`));
  await host.run('tscc', ['stop'], { env });
});

await t.test('no place for a socket at all', async (t) => {
  const host = withSource(t);
  writeFileSync(`${host.directory}/file`, '');
  const env = {
    TSCC_DIR: `${host.directory}/file/state`,
    XDG_RUNTIME_DIR: `${host.directory}/file`,
    HOME: '/nonexistent',
  };
  t.match(await host.run('tscc', COMPILE, { env }), { status: 0 });
  t.ok(existsSync(`${host.directory}/x.o`));
  // The daemon of the last resort, below /tmp, is none of the host's own.
  await host.run('tscc', ['stop'], { env });
});

await t.test(
  'unreadable source, as an unprivileged user',
  { skip: isRoot ? without('setpriv') : 'needs root to become somebody else' },
  async (t) => {
    const host = withSource(t);
    await host.startServers(['127.0.0.1']);
    chmodSync(`${host.directory}/x.c`, 0o000);
    chownSync(host.directory, 65_534, 65_534);
    chmodSync(host.directory, 0o755);
    const as = ['--reuid', '65534', '--regid', '65534', '--clear-groups'];
    const env = { TSCC_DIR: `${host.directory}/nobody`, HOME: host.directory };
    const remote = await host.run('setpriv', [...as, host.tscc, ...COMPILE], { env });
    const local = await host.run('setpriv', [...as, ...COMPILE], { env });
    t.strictSame(remote, local);
    t.match(remote, { status: 1, stderr: /Permission denied/ });
    const status = await host.run('setpriv', [...as, host.tscc, 'status', '--json'], { env });
    t.match(JSON.parse(status.stdout), { declines: { 'unreadable-input': 1 } });
    await host.run('setpriv', [...as, host.tscc, 'stop'], { env });
  },
);

await t.test(
  'full disk',
  { skip: isRoot ? without('mount') : 'needs root to mount one' },
  async (t) => {
    const host = withSource(t);
    await host.startServers(['127.0.0.1']);
    const small = `${host.directory}/small`;
    mkdirSync(small);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', small]);
    // A container's root often may not.
    if (mounted.status === 32) {
      t.pass('mounting is not permitted here', { skip: true });
      return;
    }
    t.equal(mounted.status, 0);
    t.teardown(() => void spawnSync('umount', [small]));
    writeFileSync(`${host.directory}/big.c`, 'char big[200000] = {1};\n');
    const { status, stderr } = await host.run('tscc', ['gcc', '-c', 'big.c', '-o', 'small/big.o']);
    t.not(status, 0);
    t.match(stderr, /No space left on device/, "gcc's own words");
    t.notMatch(stderr, /tscc/);
    t.match(await host.status(), { fallbacks: { 'output-failed': 1 } });
    t.strictSame(host.leftovers(), []);
    t.match(await host.run('tscc', ['gcc', '-c', 'x.c', '-o', 'small/x.o']), { status: 0 });
  },
);

await t.test('a taken port, an open server, an unwritable store', async (t) => {
  const host = withSource(t);
  const { hosts } = await host.startServers(['127.0.0.1']);
  const store = ['--store', `${host.directory}/other`];
  t.match(await host.run('tsccd', ['--listen', hosts, ...store]), {
    status: 102,
    stdout: '',
    stderr: /^tsccd: cannot listen on 127\.0\.0\.1:[0-9]+: the port is taken/,
  });
  t.match(await host.run('tsccd', ['--listen', '0.0.0.0:0', ...store]), {
    status: 101,
    stderr: /^tsccd: without --key-file only this machine may connect/,
  });
  t.match(await host.run('tsccd', ['--listen', '127.0.0.1:0', '--store', '/proc/no']), {
    status: 107,
    stderr: /^tsccd: the store \/proc\/no cannot be used: /,
  });
  t.equal(readFileSync(`${host.directory}/x.c`, 'utf8'), 'int x;\n');
});
