import { join } from 'node:path';
import t from 'tap';
import { LauncherSandbox } from '../fixtures/launcher-sandbox.js';

await t.test(
  'subcommands and options of tscc go to node, with the script beside bin',
  async (t) => {
    const sandbox = new LauncherSandbox(t);
    const node = sandbox.script('stand-in', 'echo "$*"', sandbox.directory);
    const program = sandbox.compileLauncher([`-DTSCC_NODE="${node}"`]);
    const main = join(sandbox.directory, 'own/build/src/cli/main.js');
    const tools = [
      'status report explain hosts stop keygen install verify doctor top closure completion',
      '--version --help -h --show-hosts -j',
    ];
    for (const word of tools.join(' ').split(' ')) {
      const ending = await sandbox.run([word, 'x y'], { program });
      t.equal(ending.stdout.toString(), `${main} ${word} x y\n`, word);
    }
  },
);

await t.test('a node that was packed with tscc goes first', async (t) => {
  const sandbox = new LauncherSandbox(t);
  sandbox.script('node', 'echo "from PATH: $2"');
  const built = sandbox.script('stand-in', 'echo "of the build: $2"', sandbox.directory);
  const program = sandbox.compileLauncher([`-DTSCC_NODE="${built}"`]);
  const before = await sandbox.run(['status'], { program });
  t.equal(before.stdout.toString(), 'of the build: status\n');
  sandbox.script('node', 'echo "packed: $2"', join(sandbox.directory, 'own/libexec'));
  const packed = await sandbox.run(['status'], { program });
  t.equal(packed.stdout.toString(), 'packed: status\n');
});

await t.test('links by the names of the other programs start these', async (t) => {
  const sandbox = new LauncherSandbox(t);
  sandbox.script('node', 'echo "$*"');
  const program = sandbox.compileLauncher([]);
  for (const [name, script] of [
    ['tsccd', 'tsccd'],
    ['tscc-pump', 'pump'],
  ] as const) {
    const argv0 = `/some/where/${name}`;
    const ending = await sandbox.run(['--x', 'y z'], { program, argv0 });
    const expected = join(sandbox.directory, `own/build/src/cli/${script}.js`);
    t.equal(ending.stdout.toString(), `${expected} --x y z\n`, name);
  }
});

await t.test('node is looked for along PATH when the one of the build is gone', async (t) => {
  const sandbox = new LauncherSandbox(t);
  sandbox.script('node', 'echo "from PATH: $2"');
  const program = sandbox.compileLauncher(['-DTSCC_NODE="/nowhere/node"']);
  const found = await sandbox.run(['status'], { program });
  t.equal(found.stdout.toString(), 'from PATH: status\n');

  const missing = await sandbox.run(['status'], { program, environment: { PATH: '/nowhere' } });
  t.equal(missing.status, 100);
  t.match(missing.stderr, /^tscc: cannot start node .*install.*\n$/);
});
