/** One run of each of some classes: the quick part of what `npm run test:faults` does for hours. */
import type { Test } from 'tap';
import type { FaultName } from './fault-classes.js';
import { runFault } from './fault-run.js';
import type { FaultScene } from './fault-scene.js';
import type { FaultPlan, Layout } from './fault-stage.js';

export interface QuickRun {
  readonly fault: FaultName;
  /** Decides at which moment. */
  readonly seed: number;
  readonly layout?: Layout;
  readonly mode?: FaultPlan['mode'];
  readonly sources?: readonly string[];
}

export async function runQuickly(t: Test, scene: FaultScene, runs: readonly QuickRun[]) {
  for (const { fault, seed, layout = 'two', mode = 'pump', sources = ['large'] } of runs) {
    await t.test(`${fault}, ${layout}`, async (t) => {
      const { isKeyed } = scene;
      const plan = { seed, fault, layout, mode, sources, isKeyed, isWarm: false };
      const { wrong, struck, endings, details } = await runFault(scene, plan);
      t.strictSame(wrong, [], `${struck}: ${[...endings, ...details].join(', ')}`);
      t.ok(struck, 'it came to the fault');
    });
  }
}
