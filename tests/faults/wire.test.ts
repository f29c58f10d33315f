/** Faults of the wire, with a key and without. */
import t from 'tap';
import { FaultScene } from './fault-scene.js';
import { runQuickly } from './in-flight.js';

await t.test('without a key', async (t) => {
  const scene = await FaultScene.start(false, false);
  t.teardown(() => scene.close());
  await runQuickly(t, scene, [
    { fault: 'server-down', seed: 1 },
    { fault: 'server-down', seed: 1, layout: 'both', mode: 'plain' },
    { fault: 'black-hole', seed: 1 },
    { fault: 'black-hole', seed: 1, layout: 'one' },
    { fault: 'accepts-then-silent', seed: 1, layout: 'one', mode: 'plain' },
    { fault: 'reset-while-sending', seed: 1 },
    { fault: 'reset-while-sending', seed: 2, layout: 'both', mode: 'plain' },
    { fault: 'reset-in-result', seed: 1 },
    { fault: 'reset-in-result', seed: 2, layout: 'both', sources: ['small', 'warns', 'wrong'] },
    { fault: 'end-before-last-byte', seed: 1 },
    { fault: 'stall', seed: 1, layout: 'both' },
    { fault: 'flipped-bit', seed: 1, layout: 'both' },
    { fault: 'truncated-result', seed: 1, layout: 'both' },
    { fault: 'frame-twice', seed: 1 },
    { fault: 'frames-swapped', seed: 1 },
    { fault: 'slow-and-lossy', seed: 1, mode: 'plain' },
  ]);
});

await t.test('with a key', async (t) => {
  const scene = await FaultScene.start(true, false);
  t.teardown(() => scene.close());
  await runQuickly(t, scene, [
    { fault: 'flipped-bit', seed: 1 },
    { fault: 'truncated-result', seed: 1, layout: 'both' },
    { fault: 'reset-while-sending', seed: 1 },
  ]);
});
