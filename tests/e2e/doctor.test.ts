/** `tscc doctor` against real servers. */
import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import type { Diagnosis } from '../../src/cli/doctor/check.js';
import { VERSION } from '../../src/platform/version.js';
import { formatKey, generateKey } from '../../src/protocol/key-file.js';
import { BuildHost } from '../fixtures/build-host.js';
import { FaultProxy } from '../fixtures/fault-proxy.js';
import { tamperedResults } from '../fixtures/tampered-results.js';
import { NO_NAMESPACES_TO_TAKE, WITHOUT_NAMESPACES } from '../fixtures/without-namespaces.js';

interface Report {
  readonly schema: number;
  readonly status: string;
  readonly checks: readonly Diagnosis[];
}

/** A build host whose temporary files are below its directory. */
function newHost(t: Test): BuildHost {
  const host = new BuildHost(t);
  host.env['TMPDIR'] = `${host.directory}/tmp`;
  mkdirSync(`${host.directory}/tmp`);
  delete host.env['TSCC_MODE'];
  return host;
}

async function examine(t: Test, host: BuildHost, env: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr } = await host.run(host.tscc, ['doctor', '--json'], { env });
  t.equal(stderr, '');
  const report = JSON.parse(stdout) as Report;
  t.equal(status, report.status === 'wrong' ? 1 : 0, 'the exit status says the same');
  t.strictSame(readdirSync(`${host.directory}/tmp`), [], 'nothing is left behind');
  const found = (where: string, check: string) =>
    report.checks.filter((one) => one.where === where && one.check === check);
  return { ...report, found, wrong: report.checks.filter((one) => one.status === 'wrong') };
}

await t.test('a server with which all is well, in both modes', async (t) => {
  const host = newHost(t);
  const { hosts } = await host.startServers(['127.0.0.1']);
  const report = await examine(t, host);
  t.strictSame(report.wrong, []);
  t.equal(report.schema, 1);
  const ok = { status: 'ok', fix: null };
  for (const check of ['name', 'port', 'key', 'protocol', 'slots', 'store', 'skew']) {
    t.match(report.found(hosts, check), [ok], check);
  }
  t.match(report.found(hosts, 'protocol')[0]?.what, `tsccd ${VERSION}, protocol `);
  for (const check of ['pump', 'plain']) {
    t.match(report.found(hosts, check), [{ ...ok, what: /the same object: \d+ ms at first/ }]);
  }
  t.match(report.found('here', 'compilers')[0], ok);
  t.match(report.found('here', 'daemon'), [{ ...ok, what: /^none runs/ }]);
  t.notOk(existsSync(`${host.directory}/tscc`), "the user's own session daemon was not started");

  writeFileSync(`${host.directory}/x.c`, 'int x;\n');
  t.equal((await host.run('tscc', ['gcc', '-c', 'x.c'])).status, 0);
  const again = await examine(t, host);
  t.match(again.found('here', 'daemon'), [
    { ...ok, what: new RegExp(`^tscc ${VERSION}, pid \\d`) },
  ]);

  const { status, stdout } = await host.run('tscc', ['doctor']);
  t.equal(status, 0);
  t.equal(stdout.split('\n').length, again.checks.length + 2, 'a line each, and one with numbers');
  t.match(stdout, / ok, \d+ warnings?, 0 wrong\n$/);
});

await t.test('keys: the right one, a wrong one, none, one open to others', async (t) => {
  const host = newHost(t);
  const file = (name: string) => {
    const path = `${host.directory}/${name}`;
    writeFileSync(path, formatKey(generateKey()), { mode: 0o600 });
    return path;
  };
  const [right, other] = [file('right'), file('other')];
  const { hosts } = await host.startServers(['127.0.0.1'], ['--jobs', '2', '--key-file', right]);
  const good = await examine(t, host, { TSCC_KEY_FILE: right });
  t.strictSame(good.wrong, []);
  t.match(good.found(hosts, 'key'), [{ what: `accepted, of ${right}` }]);
  t.match(good.found(hosts, 'pump'), [{ status: 'ok' }], 'the trial has the key too');

  const bad = await examine(t, host, { TSCC_KEY_FILE: other });
  t.match(bad.wrong, [
    { where: hosts, check: 'key', what: /does not know this key/, fix: /--key-file/ },
  ]);
  t.match(bad.found(hosts, 'port'), [{ status: 'ok' }]);
  t.strictSame(bad.found(hosts, 'pump'), []);

  const none = await examine(t, host);
  t.match(none.wrong, [{ where: hosts, check: 'protocol', what: /TSCC_KEY_FILE/ }]);

  chmodSync(right, 0o644);
  const open = await examine(t, host, { TSCC_KEY_FILE: right });
  t.match(open.wrong, [
    { where: 'here', check: 'key', what: /mode 0644/, fix: /chmod 600/ },
    { where: hosts, check: 'key' },
  ]);
});

await t.test('hosts that do not answer, beside one that does', async (t) => {
  const host = newHost(t);
  const { hosts } = await host.startServers(['127.0.0.1']);
  const silent = createServer((socket) => socket.resume());
  const gone = createServer();
  for (const server of [silent, gone]) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  }
  const [mute, closed] = [silent, gone].map(
    (server) => `127.0.0.1:${(server.address() as AddressInfo).port}`,
  );
  await new Promise((resolve) => gone.close(resolve));
  t.teardown(() => silent.close());
  const list = `${hosts} ${mute} ${closed} no-such-host.invalid`;
  const report = await examine(t, host, { TSCC_HOSTS: list });
  t.match(report.wrong, [
    { where: mute, check: 'protocol', what: /no greeting in 5 s/ },
    { where: closed, check: 'port', what: /connection refused/, fix: /tsccd --listen/ },
    { where: 'no-such-host.invalid', check: 'name', what: /unknown host/, fix: /getent/ },
    // Off this machine there must be one, whatever else is not well.
    { where: 'no-such-host.invalid', check: 'key', what: /a key is needed/ },
  ]);
  t.match(report.found(hosts, 'pump'), [{ status: 'ok' }]);
});

await t.test('a server that sends back something else', async (t) => {
  const host = newHost(t);
  const { hosts } = await host.startServers(['127.0.0.1']);
  const proxy = await FaultProxy.start(t, hosts);
  proxy.fault = tamperedResults((object) => Buffer.concat([object, Buffer.from('x')]));
  const report = await examine(t, host, { TSCC_HOSTS: proxy.host });
  const differs = { where: proxy.host, what: /gives another object/, fix: /TSCC_MODE=local/ };
  t.match(report.wrong, [
    { ...differs, check: 'pump' },
    { ...differs, check: 'plain' },
  ]);
});

await t.test(
  'a server of a lower tier: why, and the fix',
  { skip: NO_NAMESPACES_TO_TAKE },
  async (t) => {
    const host = newHost(t);
    const { hosts } = await host.startServers(['127.0.0.1'], ['--jobs', '2'], WITHOUT_NAMESPACES);
    const report = await examine(t, host);
    t.strictSame(report.wrong, [], 'plain mode works');
    t.match(report.found(hosts, 'sandbox'), [
      {
        status: 'warning',
        what: /^tier 2, of plain jobs 2, so pump mode for compilers that it has itself; .*make namespaces/,
        fix: /^sysctl -w user.max_user_namespaces=/,
      },
    ]);
    t.match(report.found(hosts, 'pump'), [{ status: 'ok' }]);
    t.match(report.found(hosts, 'plain'), [{ status: 'ok' }]);

    const asked = await examine(t, host, { TSCC_MIN_TIER: '3' });
    t.match(asked.wrong, [{ where: hosts, check: 'min-tier', fix: /user.max_user_namespaces=/ }]);
    t.strictSame(
      asked.found(hosts, 'plain'),
      [],
      'nothing is sent to a host that seals too little',
    );
  },
);

await t.test('a server without a sandbox', async (t) => {
  const host = newHost(t);
  const { hosts } = await host.startServers(['127.0.0.1'], ['--jobs', '2', '--unsafe-no-sandbox']);
  const report = await examine(t, host);
  t.match(report.found(hosts, 'sandbox'), [
    { status: 'warning', what: /^tier 0/, fix: 'start it without --unsafe-no-sandbox' },
  ]);
  t.match(report.found(hosts, 'plain'), [{ status: 'ok' }]);
});

await t.test('what is not well here', async (t) => {
  const host = newHost(t);
  const links = `${host.directory}/links`;
  mkdirSync(links);
  symlinkSync(host.tscc, `${links}/gcc`);
  for (const program of ['sh', 'env']) symlinkSync(`/usr/bin/${program}`, `${links}/${program}`);
  mkdirSync(`${host.directory}/open`);
  chmodSync(`${host.directory}/open`, 0o777);
  const report = await examine(t, host, {
    PATH: links,
    TSCC_DIR: `${host.directory}/open`,
    TSCC_HOSTS: 'red:0',
    TSCC_MIN_TIER: 'most',
  });
  const bad = report.checks.filter(({ status }) => status !== 'ok');
  t.match(
    bad.filter(({ check }) => !['inotify', 'disk', 'descriptors', 'tree'].includes(check)),
    [
      { check: 'settings', status: 'warning', what: /TSCC_MIN_TIER=most counts as 3/ },
      { check: 'state', status: 'wrong', what: /mode 0777/ },
      { check: 'hosts', status: 'wrong', what: /^TSCC_HOSTS: line 1, column 4: port '0'/ },
      { check: 'compilers', status: 'wrong', what: /^gcc leads to tscc and its like only/ },
    ],
  );
});
