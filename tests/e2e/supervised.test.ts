/** Pump mode on a host that makes no namespace: a supervisor in their stead. */
import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { BuildHost } from '../fixtures/build-host.js';
import { NO_NAMESPACES_TO_TAKE, WITHOUT_NAMESPACES } from '../fixtures/without-namespaces.js';

await t.test('first', { skip: NO_NAMESPACES_TO_TAKE }, async (t) => {
  const host = new BuildHost(t);
  host.env['TSCC_MODE'] = 'pump';
  const logFile = `${host.directory}/tsccd.log`;
  writeFileSync(`${host.directory}/x.c`, '#include <stdio.h>\nint x = sizeof(FILE);\n');
  await host.startServers(['127.0.0.1'], ['--jobs', '2', '--log-file', logFile], WITHOUT_NAMESPACES);
  const line = `gcc -O2 -g -MD -c x.c -o expected.o && tscc gcc -O2 -g -MD -c x.c -o x.o; cmp x.o expected.o`;
  t.strictSame(await host.shell(line), { status: 0, stdout: '', stderr: '' });
  console.log(JSON.stringify(await host.status()));
  console.log(readFileSync(logFile, 'utf8'));
});
