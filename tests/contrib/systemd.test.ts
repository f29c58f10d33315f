/** What is shipped for systemd fits the server that it starts. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { parseArguments } from '../../src/cli/tsccd-arguments.js';
import { parseConfig } from '../../src/cli/tsccd-config-file.js';
import { nameOf, OPTION_NAMES } from '../../src/cli/tsccd-options.js';
import { EXIT } from '../../src/core/errors.js';
import { SERVER } from '../../src/core/limits.js';
import { without } from '../fixtures/tools.js';

const contrib = fileURLToPath(new URL('../../../contrib', import.meta.url));
const unit = readFileSync(`${contrib}/systemd/tsccd.service`, 'utf8');
const users = readFileSync(`${contrib}/systemd/tscc.sysusers.conf`, 'utf8');
const sample = readFileSync(`${contrib}/tsccd.toml`, 'utf8');

/** All values of one setting of the unit, comments aside. */
function settings(name: string): string[] {
  return [...unit.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value = '']) => value);
}

function setting(name: string): string {
  const [value, ...others] = settings(name);
  if (value === undefined || others.length > 0) throw new Error(`${name} is not there once`);
  return value;
}

await t.test('the command is one that tsccd understands', async (t) => {
  const [program = '', ...words] = setting('ExecStart').split(' ');
  t.match(program, /\/bin\/tsccd$/);
  const { flags, config } = await parseArguments(words);
  t.equal(config, '/etc/tscc/tsccd.toml');
  t.equal(flags.store, `/var/lib/${setting('StateDirectory')}`, 'which systemd makes');
  t.match(setting('ExecReload'), / -HUP \$MAINPID$/);
  t.equal(flags.daemon, undefined, 'it stays in the foreground');
  t.equal(setting('Type'), 'exec');
});

await t.test('it ends as the server means to', async (t) => {
  t.equal(setting('KillMode'), 'mixed', 'SIGTERM is for the server alone');
  t.ok(Number(setting('TimeoutStopSec')) * 1000 >= SERVER.drain + 5_000);
  t.same(setting('RestartPreventExitStatus').split(' ').map(Number), [EXIT.badArguments]);
});

await t.test('what the runner does is allowed', async (t) => {
  const runner = ['runner-sealed.c', 'runner-root.c']
    .map((name) => readFileSync(`${contrib}/../native/${name}`, 'utf8'))
    .join('');
  const names: Record<string, string> = {
    NEWUSER: 'user',
    NEWNS: 'mnt',
    NEWPID: 'pid',
    NEWNET: 'net',
    NEWIPC: 'ipc',
    NEWUTS: 'uts',
  };
  const used = new Set([...runner.matchAll(/CLONE_(NEW\w+)/g)].map(([, kind = '']) => kind));
  t.ok(used.size > 4, 'some were found');
  t.strictSame(
    setting('RestrictNamespaces').split(' ').toSorted(),
    [...used].map((kind) => names[kind] ?? kind).toSorted(),
  );
  const breaking = [
    'ProtectHostname',
    'ProtectKernelTunables',
    'MemoryDenyWriteExecute',
    'PrivateUsers',
    'RootDirectory',
    'ProcSubset',
  ];
  for (const name of breaking) t.same(settings(name), [], name);
  const filter = setting('SystemCallFilter');
  t.match(filter, /^~/, 'a list of what is forbidden');
  t.notMatch(filter, /@(mount|sandbox|privileged|process|keyring|system-service|resources)\b/);
  t.equal(setting('SystemCallErrorNumber'), 'EPERM', 'a canary is to be refused, not killed');
  t.match(setting('RestrictAddressFamilies'), /\bAF_UNIX\b/, 'pipes to the runner');
});

await t.test('its user is made', async (t) => {
  t.match(users, new RegExp(`^u ${setting('User')} - "[^"]+" /var/lib/tscc$`, 'm'));
  t.equal(setting('Group'), setting('User'));
});

await t.test('the sample names every key, and each line of it can be used', async (t) => {
  const all = sample.replaceAll(/^# ([a-z-]+ = )/gm, '$1');
  const config = await parseConfig(all, '/etc/tscc/tsccd.toml');
  t.strictSame(Object.keys(config).toSorted(), [...OPTION_NAMES].toSorted());
  for (const name of OPTION_NAMES) t.match(all, new RegExp(`^${nameOf(name)} = `, 'm'));
  const given = await parseConfig(sample, '/etc/tscc/tsccd.toml');
  t.match(given, { keyFile: ['/etc/tscc/key'], listen: { port: SERVER.port } });
  t.equal(given.unsafeNoSandbox, undefined);
});

await t.test('systemd has nothing to say', { skip: without('systemd-analyze') }, async (t) => {
  const directory = t.testdir({});
  // The program need not be installed here; all else is as it is.
  writeFileSync(
    `${directory}/tsccd.service`,
    unit.replace(
      '/opt/tscc/bin/tsccd',
      fileURLToPath(new URL('../../../bin/tsccd', import.meta.url)),
    ),
  );
  const verified = spawnSync(
    'systemd-analyze',
    ['verify', '--man=no', `${directory}/tsccd.service`],
    { encoding: 'utf8' },
  );
  const words = verified.stderr.split('\n').filter((line) => line.includes('tsccd.service'));
  t.strictSame(words, []);
  t.equal(verified.status, 0);
});

await t.test('systemd makes the user', { skip: without('systemd-sysusers') }, async (t) => {
  const root = `${t.testdir({})}/root`;
  mkdirSync(`${root}/etc`, { recursive: true });
  execFileSync('systemd-sysusers', [`--root=${root}`, `${contrib}/systemd/tscc.sysusers.conf`], {
    stdio: 'ignore',
  });
  t.match(
    readFileSync(`${root}/etc/passwd`, 'utf8'),
    /^tscc:[^\n]*:\/var\/lib\/tscc:[^\n]*nologin$/m,
  );
});
