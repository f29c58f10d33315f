/** Servers that cannot seal jobs off, and hosts that the list wants in plain mode. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { buildBareHost, buildOldHost, CANNOT_BE_BARE } from '../fixtures/bare-host.js';
import { BuildHost } from '../fixtures/build-host.js';
import { NO_NAMESPACES_TO_TAKE, WITHOUT_NAMESPACES } from '../fixtures/without-namespaces.js';

function newHost(t: Test): BuildHost {
  const host = new BuildHost(t);
  host.env['TSCC_MODE'] = 'pump';
  writeFileSync(`${host.directory}/x.c`, '#include <stdio.h>\nint x = sizeof(FILE);\n');
  writeFileSync(`${host.directory}/s.S`, 'nop\n');
  return host;
}

async function compile(t: Test, host: BuildHost, words: string, count = 1): Promise<void> {
  const line = `gcc ${words} -c -o expected.o && for i in $(seq ${count}); do
    tscc gcc ${words} -c -o $i.o && cmp $i.o expected.o || exit
  done`;
  t.strictSame(await host.shell(line), { status: 0, stdout: '', stderr: '' }, words);
}

await t.test(
  'a server without a sandbox: plain mode, and everybody is told why',
  { skip: NO_NAMESPACES_TO_TAKE || CANNOT_BE_BARE },
  async (t) => {
    const host = newHost(t);
    const logFile = `${host.directory}/tsccd.log`;
    await host.startServers(
      ['127.0.0.1'],
      ['--jobs', '2', '--log-file', logFile],
      [buildOldHost(t), ...WITHOUT_NAMESPACES],
    );
    await compile(t, host, '-O2 x.c', 3);
    await compile(t, host, '-g s.S');
    t.match(await host.status(), {
      outcomes: { pump: 0, plain: 3, local: 1 },
      demotions: { 'no-sandbox': 3 },
      declines: { 'assembler-source': 1 },
      fallbacks: {},
    });
    const log = readFileSync(logFile, 'utf8');
    t.match(log, /jobs cannot be sealed off in roots of their own: .*max_user_namespaces/);
    t.match(log, /nor can a supervisor answer for such roots: .*answered: EINVAL \(.*Linux 5\.14/);
    t.notOk(existsSync(`${host.directory}/.stores/0/trees`));
    t.match((await host.run('tscc', ['status'])).stdout, /no-sandbox/);
    t.match((await host.run('tscc', ['hosts'])).stdout, /plain mode only/);
    await host.run('tscc', ['stop']);
    host.env['TSCC_MODE'] = 'plain';
    host.env['TSCC_SESSION'] = 'plain';
    await compile(t, host, '-O2 x.c');
    t.match(await host.status('plain'), { outcomes: { plain: 1 }, demotions: {} });
  },
);

await t.test('a server in tier 1, and a client that minds', { skip: CANNOT_BE_BARE }, async (t) => {
  const host = newHost(t);
  await host.startServers(['127.0.0.1'], ['--jobs', '2'], [buildBareHost(t)]);
  await compile(t, host, '-O2 x.c', 3);
  t.match(await host.status(), {
    outcomes: { pump: 0, plain: 3, local: 0 },
    demotions: { 'no-sandbox': 3 },
    tiers: { 1: 3 },
  });
  t.match((await host.run('tscc', ['hosts'])).stdout, /sandbox tier 1 \(plain 1\)/);
  host.env['TSCC_MIN_TIER'] = '2';
  host.env['TSCC_SESSION'] = 'minds';
  await compile(t, host, '-O2 x.c');
  t.match(await host.status('minds'), { outcomes: { plain: 0, local: 1 } });
});

await t.test('a host that the list wants in plain mode', async (t) => {
  const host = newHost(t);
  const { hosts } = await host.startServers(['127.0.0.1']);
  host.env['TSCC_HOSTS'] = `${hosts},plain`;
  await compile(t, host, '-O2 x.c', 2);
  await compile(t, host, '-g s.S');
  const expected = {
    outcomes: { pump: 0, plain: 2, local: 1 },
    demotions: { 'host-plain': 2 },
    declines: { 'assembler-source': 1 },
  };
  t.match(await host.status(), expected);
});

await t.test('hosts of all kinds in one list', { skip: CANNOT_BE_BARE }, async (t) => {
  const host = newHost(t);
  const { hosts: unsealed } = await host.startServers(
    ['127.0.0.1'],
    ['--jobs', '2'],
    [buildBareHost(t)],
  );
  const { hosts } = await host.startServers(['127.0.0.2', '127.0.0.3'], ['--jobs', '2']);
  const [sealed, plain] = hosts.split(' ');
  host.env['TSCC_HOSTS'] = `${unsealed} ${plain},plain ${sealed}`;
  await compile(t, host, '-O2 x.c', 6);
  await compile(t, host, '-g s.S');
  const status = await host.status();
  t.match(status, { outcomes: { pump: 7, plain: 0, local: 0 }, demotions: {}, fallbacks: {} });
  host.env['TSCC_MODE'] = 'plain';
  host.env['TSCC_SESSION'] = 'plain';
  await compile(t, host, '-O2 x.c', 6);
  t.match(await host.status('plain'), { outcomes: { plain: 6 }, demotions: {} });
});
