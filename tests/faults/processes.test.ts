/** Servers, compilers, launchers and daemons that die or stop, and disks that are full. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { encodeToLauncher, FROM_LAUNCHER } from '../../src/protocol/launcher-wire.js';
import { parseJournal } from '../../src/report/journal.js';
import { finish } from '../fixtures/build-host.js';
import { cannotMount, FaultScene } from './fault-scene.js';
import { runQuickly } from './in-flight.js';

const scene = await FaultScene.start(false, cannotMount === false);
t.teardown(() => scene.close());

await t.test('servers', async (t) => {
  await runQuickly(t, scene, [
    { fault: 'server-killed', seed: 1 },
    { fault: 'server-killed', seed: 2, layout: 'both' },
    { fault: 'runner-killed', seed: 1 },
    { fault: 'server-stopped', seed: 1 },
    { fault: 'server-drains', seed: 1 },
    { fault: 'compiler-killed', seed: 1, layout: 'both', sources: ['slow'] },
    { fault: 'slow-server', seed: 1, sources: ['slow'] },
    { fault: 'contents-vanish', seed: 1 },
    { fault: 'contents-damaged', seed: 1 },
    { fault: 'empty-store', seed: 1 },
    { fault: 'server-out-of-files', seed: 1, layout: 'one' },
  ]);
});

await t.test('a disk of a server', { skip: cannotMount }, (t) =>
  runQuickly(t, scene, [{ fault: 'server-disk-full', seed: 1, layout: 'one' }]),
);

await t.test('a disk of the build host', { skip: cannotMount }, (t) =>
  runQuickly(t, scene, [
    { fault: 'disk-full-here', seed: 1 },
    { fault: 'disk-full-here', seed: 2, sources: ['small'] },
  ]),
);

await t.test('launchers and daemons', async (t) => {
  await runQuickly(t, scene, [
    { fault: 'interrupted', seed: 1, sources: ['slow'] },
    { fault: 'launcher-killed', seed: 1, sources: ['slow'] },
    { fault: 'launcher-killed', seed: 2 },
    { fault: 'daemon-killed', seed: 1, sources: ['small', 'warns', 'wrong'] },
    { fault: 'stale-files', seed: 1 },
  ]);
});

await t.test('the daemon dies with 64 launchers waiting', async (t) => {
  const LAUNCHERS = 64;
  await scene.heal();
  await scene.proxies(scene.servers.slice(0, 2));
  scene.clearOutputs();
  const { object } = await scene.expected('small', 'pump');
  const daemon = await scene.startDaemon();
  const proxy = await scene.proxyDaemon(t);
  let waiting = 0;
  proxy.fault = ({ way, type, bytes, connection }) => {
    if (way === 'down') return;
    connection.send(way, bytes);
    if (type !== FROM_LAUNCHER.run) return;
    waiting++;
    // Each hears that it waits, and nobody gets an answer before all do.
    connection.send('down', encodeToLauncher({ kind: 'beat' }));
    if (waiting < LAUNCHERS) return;
    waiting = 0;
    process.kill(daemon, 'SIGKILL');
    scene.uncoverDaemon();
  };
  const words = scene.words('small', 'pump');
  const outputs = Array.from({ length: LAUNCHERS }, (_, n) => `${scene.host.directory}/out/${n}.o`);
  const finished = await Promise.all(
    outputs.map((output) => {
      const own = words.map((word) => (word === 'out/small.o' ? output : word));
      const command = own.filter((word) => !word.startsWith('-M') && word !== 'out/small.d');
      const env = { TSCC_MODE: 'pump', TSCC_SESSION: 'orphans' };
      return finish(scene.host.spawn(scene.host.tscc, command, { env }));
    }),
  );
  t.strictSame(
    finished.filter(({ status, stderr }) => status !== 0 || stderr !== ''),
    [],
  );
  const differ = outputs.filter((output) => object?.equals(readFileSync(output)) !== true);
  t.strictSame(differ, []);
  t.strictSame(scene.host.leftovers(), []);
  t.not(await scene.startDaemon(), daemon, 'one of them started another one');
  await scene.flush('orphans');
  const journal = readFileSync(`${scene.state}/journal/orphans.jsonl`, 'utf8');
  const compiles = [...parseJournal(journal)].filter(({ event }) => event === 'compile');
  t.equal(compiles.filter((line) => 'askedAgain' in line).length, LAUNCHERS, 'and has them all');
});
