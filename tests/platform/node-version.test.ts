import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { isNewEnough } from '../../src/platform/node-version.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

await t.test('as package.json says', async (t) => {
  const { engines } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
    readonly engines: { readonly node: string };
  };
  t.equal(engines.node, '>=20.19');
  for (const version of ['20.19.0', '20.20.2', '21.0.0', '100.1.0']) t.ok(isNewEnough(version));
  for (const version of ['20.18.9', '18.20.4', '9.9.9']) t.notOk(isNewEnough(version));
});

await t.test('every program says so before anything else', async (t) => {
  const older =
    'data:text/javascript,Object.defineProperty(process,"versions",' +
    '{value:{...process.versions,node:"18.20.4"}})';
  const programs = ['cli/main', 'cli/pump', 'cli/tsccd', 'client/session-daemon-main'];
  for (const program of programs) {
    const words = ['--import', older, `${root}build/src/${program}.js`, '--version'];
    const { status, stdout, stderr } = spawnSync('env', [
      '-u',
      'NODE_OPTIONS',
      process.execPath,
      ...words,
    ]);
    t.match(
      stderr.toString(),
      /^tscc: Node.js 18.20.4 \(\S+\) is too old: install 20.19 or newer/,
      program,
    );
    t.strictSame([status, stdout.toString()], [100, '']);
  }
});
