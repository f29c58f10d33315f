/** Commands and messages larger than a frame of the launcher's wire. */
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { BuildHost } from '../fixtures/build-host.js';

const hasClang = spawnSync('clang', ['--version']).status === 0;

await t.test(
  'an @file that expands beyond a frame stays here, with its reason',
  { skip: hasClang ? false : 'clang is not installed' },
  async (t) => {
    const host = new BuildHost(t);
    await host.startServers(['127.0.0.1']);
    writeFileSync(`${host.directory}/x.c`, 'int x = M7 + sizeof M8;\n');
    const defines = Array.from({ length: 3000 }, (_, n) => `-DM${n}=${'1'.padStart(100, '0')}\n`);
    writeFileSync(`${host.directory}/defines`, defines.join(''));
    const built = await host.run('tscc', ['clang', '@defines', '-c', 'x.c']);
    t.strictSame(built, { status: 0, stdout: '', stderr: '' });
    t.ok(existsSync(`${host.directory}/x.o`));
    t.match(await host.status(), { declines: { 'command-too-long': 1 }, cancelled: 0 });
  },
);

await t.test('more messages than a frame holds, where nothing may fall back', async (t) => {
  const host = new BuildHost(t);
  await host.startServers(['127.0.0.1']);
  const lines = Array.from({ length: 4000 }, (_, n) => `int f${n}(void) { int unused${n}; }\n`);
  writeFileSync(`${host.directory}/x.c`, lines.join(''));
  const built = await host.run('tscc', ['gcc', '-Wall', '-c', 'x.c'], {
    env: { TSCC_FALLBACK: '0' },
  });
  t.equal(built.status, 100);
  t.match(built.stderr, /^x\.c: In function 'f0':/);
  t.match(
    built.stderr,
    /unused3999.*\ntscc: plain-diagnostics: .*forbids compiling it locally\n$/s,
  );
  t.notOk(existsSync(`${host.directory}/x.o`), 'it did not run here');
});
