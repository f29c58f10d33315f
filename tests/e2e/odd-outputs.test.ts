/** Outputs that gcc treats in a way of its own: the same must come of them through tscc. */
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { BuildHost } from '../fixtures/build-host.js';

await t.test('-o names the source, by whatever path: the source stays', async (t) => {
  const host = new BuildHost(t);
  await host.startServers(['127.0.0.1']);
  const source = `${host.directory}/x.c`;
  writeFileSync(source, 'int x;\n');
  symlinkSync('x.c', `${host.directory}/link.c`);
  for (const output of ['x.c', './x.c', source, 'link.c']) {
    const command = ['gcc', '-c', 'x.c', '-o', output];
    const local = await host.run('env', command);
    t.not(local.status, 0);
    t.strictSame(await host.run('tscc', command), local, output);
    t.equal(readFileSync(source, 'utf8'), 'int x;\n');
  }
  t.match(await host.status(), { declines: { 'output-special': 4 } });
});
