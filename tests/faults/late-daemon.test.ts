/** A daemon that is stopped with a result in its hands, and goes on when the world is another. */
import { appendFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { TO_LAUNCHER } from '../../src/protocol/launcher-wire.js';
import { finish } from '../fixtures/build-host.js';
import { until } from '../fixtures/until.js';
import { FaultScene } from './fault-scene.js';
import { SOURCES } from './sources.js';

const scene = await FaultScene.start(false, false);
t.teardown(() => scene.close());
await scene.proxies(scene.servers);
const source = `${scene.host.directory}/small.c`;

for (const [mode, isDelivered] of [
  ['pump', false],
  ['pump', true],
] as const) {
  const when = isDelivered ? 'after' : 'before';
  await t.test(`stopped ${when} the launcher hears that its output is there`, async (t) => {
    scene.clearOutputs();
    writeFileSync(source, SOURCES['small']?.text ?? '');
    const older = await finish(scene.host.spawn('gcc', scene.words('small', mode).slice(1)));
    t.match(older, { status: 0 });
    const olderObject = scene.read('small.o');
    scene.clearOutputs();

    const daemon = await scene.startDaemon();
    const proxy = await scene.proxyDaemon(t);
    t.teardown(() => process.kill(daemon, 'SIGCONT'));
    let held: (() => void) | undefined;
    let temporaries = 0;
    proxy.fault = ({ way, type, bytes, connection }) => {
      if (type !== TO_LAUNCHER.done) return connection.send(way, bytes);
      process.kill(daemon, 'SIGSTOP');
      temporaries = scene.host.leftovers().length;
      if (isDelivered) connection.send(way, bytes);
      else held = () => connection.send(way, bytes);
      // What the daemon has is of the source as it was.
      appendFileSync(source, 'int newer;\n');
    };
    const session = `late-${when}`;
    const made = await finish(scene.spawn('small', mode, { TSCC_SESSION: session }));
    t.strictSame(made, { status: 0, stdout: '', stderr: '' });
    t.equal(temporaries, 2, 'object and dependency file were whole beside their targets');
    const object = scene.read('small.o');

    held?.();
    process.kill(daemon, 'SIGCONT');
    const counted = async () => {
      const { outcomes, fallbacks } = await scene.host.status(session);
      return { outcomes, fallbacks };
    };
    if (isDelivered) {
      t.match(await counted(), { outcomes: { pump: 1, local: 0 } });
      t.strictSame(object, olderObject, 'of the source at the time of the request');
      t.strictSame(scene.read('small.o'), object);
    } else {
      t.match(await counted(), {
        outcomes: { pump: 0, local: 1 },
        fallbacks: { 'daemon-silent': 1 },
      });
      await until(() => scene.host.leftovers().length === 0);
      const local = scene.read('small.o');
      t.strictSame(local, object, 'the late daemon has not touched it');
      t.notSame(local, olderObject);
      scene.clearOutputs();
      await finish(scene.host.spawn('gcc', scene.words('small', mode).slice(1)));
      t.strictSame(scene.read('small.o'), local, 'it is the newer one, made here');
      // Its servers have given the daemon up meanwhile, and it hears of it only now.
      proxy.fault = ({ way, bytes, connection }) => connection.send(way, bytes);
      const next = `next-${when}`;
      const compiled = await finish(scene.spawn('small', mode, { TSCC_SESSION: next }));
      t.strictSame(compiled, { status: 0, stdout: '', stderr: '' });
      t.match(await scene.host.status(next), { outcomes: { pump: 1, local: 0 } });
    }
    t.strictSame(scene.host.leftovers(), []);
  });
}
