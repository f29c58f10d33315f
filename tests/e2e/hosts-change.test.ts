/** Hosts that come and go while a build runs. */
import { writeFileSync } from 'node:fs';
import t from 'tap';
import { BuildHost } from '../fixtures/build-host.js';

await t.test('no server: told once a session, though each host says it anew', async (t) => {
  const host = new BuildHost(t);
  writeFileSync(`${host.directory}/x.c`, 'int x;\n');
  const compile = (hosts: string) =>
    host.run('tscc', ['gcc', '-c', 'x.c'], { env: { TSCC_HOSTS: hosts, TSCC_SESSION: 'one' } });
  t.match((await compile('127.0.0.1:1')).stderr, /^tscc: no-server: 127\.0\.0\.1:1: .*\n$/);
  t.strictSame(await compile('127.0.0.1:1 127.0.0.2:1'), { status: 0, stdout: '', stderr: '' });
  t.match(await host.status('one'), { fallbacks: { 'no-server': 2 } });
});
