/** Servers by the kinds of address there are. */
import { writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import t from 'tap';
import { BuildHost } from '../fixtures/build-host.js';

const hasIPv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
);

await t.test('IPv6', { skip: hasIPv6 ? false : 'there is no ::1' }, async (t) => {
  const host = new BuildHost(t);
  const { hosts } = await host.startServers(['[::1]']);
  t.match(hosts, /^\[::1\]:[0-9]+$/);
  writeFileSync(`${host.directory}/x.c`, 'int x;\n');
  const env = { TSCC_HOSTS: `${hosts}/1`, TSCC_FALLBACK: '0' };
  t.strictSame(await host.run('tscc', ['gcc', '-c', 'x.c'], { env }), {
    status: 0,
    stdout: '',
    stderr: '',
  });
  const status = await host.status();
  t.match(status.outcomes, { plain: 1, local: 0 });
  t.strictSame(Object.keys(status.hosts), [hosts]);
});
