/** tscc among other wrappers around a compiler, and around itself. */
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { BuildHost } from '../fixtures/build-host.js';
import { without } from '../fixtures/tools.js';

async function setUp(t: Test): Promise<BuildHost> {
  const host = new BuildHost(t);
  await host.startServers(['127.0.0.1']);
  host.env['CCACHE_DIR'] = `${host.directory}/.ccache`;
  writeFileSync(`${host.directory}/x.c`, 'int x;\n');
  return host;
}

const FINE = { status: 0, stdout: '', stderr: '' };

await t.test('ccache in front', { skip: without('ccache') }, async (t) => {
  const host = await setUp(t);
  const env = { CCACHE_PREFIX: 'tscc' };
  const compile = () => host.run('ccache', ['gcc', '-O2', '-c', 'x.c', '-o', 'x.o'], { env });
  t.strictSame(await compile(), FINE);
  t.ok(existsSync(`${host.directory}/x.o`));
  t.match(await host.status(), { outcomes: { plain: 1, local: 0 } }, 'a miss goes out');
  t.strictSame(await compile(), FINE);
  t.match(await host.status(), { outcomes: { plain: 1 } }, 'a hit does not');
});

await t.test("ccache's links first on PATH are passed by", async (t) => {
  const host = await setUp(t);
  const links = `${host.directory}/links`;
  mkdirSync(links);
  // Whatever ccache is, it is not run.
  writeFileSync(`${links}/ccache`, '#!/bin/sh\necho ccache was run\nexit 1\n', { mode: 0o755 });
  symlinkSync('ccache', `${links}/gcc`);
  const env = { PATH: `${links}:${host.env['PATH']}` };
  t.strictSame(await host.run('tscc', ['gcc', '-c', 'x.c'], { env }), FINE);
  t.match(await host.status(), { outcomes: { plain: 1, local: 0 } });
});

await t.test('a compiler that is a script works, and stays here', async (t) => {
  const host = await setUp(t);
  const script = '#!/bin/sh\nexec gcc -DX "$@"\n';
  writeFileSync(`${host.directory}/wrapper`, script, { mode: 0o755 });
  writeFileSync(`${host.directory}/x.c`, '#ifndef X\n#error not by the script\n#endif\n');
  t.strictSame(await host.run('tscc', ['./wrapper', '-c', 'x.c']), FINE);
  t.ok(existsSync(`${host.directory}/x.o`));
  t.match(await host.status(), { declines: { 'compiler-is-script': 1 }, outcomes: { local: 1 } });
});

await t.test('a script that calls tscc in its turn', async (t) => {
  const host = await setUp(t);
  writeFileSync(`${host.directory}/wrapper`, '#!/bin/sh\nexec tscc gcc "$@"\n', { mode: 0o755 });
  t.strictSame(await host.run('tscc', ['./wrapper', '-c', 'x.c']), FINE);
  t.match(await host.status(), { outcomes: { plain: 1, local: 1 } }, 'one of each');
});

await t.test('tscc around itself ends with one line', async (t) => {
  const host = await setUp(t);
  const links = `${host.directory}/links`;
  t.match(await host.run('tscc', ['install', links]), { status: 0 });
  const oneLine = (what: string): RegExp => new RegExp(`^tscc: [^\\n]*${what}[^\\n]*\\n$`);
  t.match(await host.shell(`PATH=${links} ${links}/gcc -c x.c`), {
    status: 110,
    stderr: oneLine("compiler 'gcc' not found along PATH"),
  });
  t.match(await host.run('tscc', [`${links}/gcc`, '-c', 'x.c']), {
    status: 111,
    stderr: oneLine(`${links}/gcc' leads back to tscc`),
  });
  t.equal(existsSync(`${host.directory}/x.o`), false);
});

await t.test('a launcher of CMake’s before CC="tscc gcc" is as if it were not there', async (t) => {
  const host = await setUp(t);
  t.strictSame(await host.run('tscc', ['tscc', 'gcc', '-c', 'x.c']), FINE);
  t.ok(existsSync(`${host.directory}/x.o`));
  t.match(await host.status(), { outcomes: { plain: 1 } });
});
