import t from 'tap';
import {
  formatAddress,
  isAllowed,
  isLoopback,
  originOf,
  parseAllowed,
  parseListen,
} from '../../src/server/access.js';

await t.test('where to listen', async (t) => {
  const cases: [string, string | undefined, number][] = [
    ['127.0.0.1:80', '127.0.0.1', 80],
    ['localhost:0', 'localhost', 0],
    ['example.org', 'example.org', 3634],
    ['[::1]:5', '::1', 5],
    ['[fe80::1]', 'fe80::1', 3634],
    [':7', undefined, 7],
    ['*:7', undefined, 7],
    ['', undefined, 3634],
  ];
  for (const [text, host, port] of cases) {
    t.same(parseListen(text, 3634), { ok: true, value: { host, port } }, text);
  }
  for (const text of ['::1:80', '[::1:80', '[1.2.3.4]:80', 'a:b', 'a:80:90', 'a:-1', 'a:']) {
    t.match(parseListen(text, 3634), { ok: false, error: /is not HOST:PORT/ }, text);
  }
  t.match(parseListen('a:65536', 3634), { ok: false, error: /larger than 65535/ });
});

await t.test('addresses as people write them', async (t) => {
  t.equal(formatAddress('1.2.3.4', 5), '1.2.3.4:5');
  t.equal(formatAddress('::', 5), '[::]:5');
});

await t.test('what only this machine reaches', async (t) => {
  for (const host of ['127.0.0.1', '127.0.0.8', '::1', 'localhost']) t.ok(isLoopback(host), host);
  for (const host of [undefined, '0.0.0.0', '::', '10.0.0.1', '127.example.org', 'example.org']) {
    t.notOk(isLoopback(host), host ?? 'all');
  }
});

await t.test('who may connect', async (t) => {
  const allowed = parseAllowed(['10.1.0.0/16', '192.168.7.9', 'fd00::/8', '::1']);
  if (!allowed.ok) throw new Error(allowed.error);
  const yes = ['10.1.2.3', '::ffff:10.1.2.3', '192.168.7.9', 'fd12::3', '::1'];
  const no = ['10.2.0.0', '192.168.7.8', 'fe80::1', '::ffff:10.2.0.1', '::2', '', 'nonsense'];
  for (const address of yes) t.ok(isAllowed(allowed.value, address), address);
  for (const address of no) t.notOk(isAllowed(allowed.value, address), address);
  for (const text of [
    '10.0.0.0/33',
    '::/129',
    '10.0.0/8',
    'host',
    '10.0.0.0/8/8',
    '1.2.3.4/',
    '',
  ]) {
    t.match(parseAllowed([text]), { ok: false, error: /is not an address or network/ }, text);
  }
});

await t.test('whose an address is', async (t) => {
  const origins: [string, string][] = [
    ['10.1.2.3', '10.1.2.3'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::6', '2001:db8:0:0::/64'],
    ['2001:db8::3:4:5:6', '2001:db8:0:0::/64'],
    ['2001:db8:1:2:3::', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::1.2.3.4', '64:ff9b:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['', ''],
  ];
  for (const [address, origin] of origins) t.equal(originOf(address), origin, address);
});
