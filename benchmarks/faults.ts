/**
 * `npm run test:faults -- [--minutes N] [--runs N] [--seed S] [--only NAME,…]`: compiles while something goes wrong, a random
 * thing at a random moment, and everything that is seen of each compared with a local compile. Goes on
 * where the kept report ends: `--seed` says with which run to begin instead, and a run of the same
 * number does the same. Two are under way at a time: those with a key, of odd numbers, and those without. With `--only` the named classes are run, with neither a report nor a memory.
 * Ends with status 1 when anything is not as it should be.
 */
import { parseArgs } from 'node:util';
import { FAULT_CLASSES, type FaultName } from '../tests/faults/fault-classes.js';
import { planOf, runFault, type FaultReport } from '../tests/faults/fault-run.js';
import { cannotMount, FaultScene } from '../tests/faults/fault-scene.js';
import { PART_OPTIONS, partOf } from './campaign-part.js';
import { FaultResults } from './faults-report.js';

/** Runs with the same servers: starting them, and giving them a compiler, takes longest. */
const RUNS_PER_SCENE = 40;

const { values } = parseArgs({
  options: {
    ...PART_OPTIONS,
    runs: { type: 'string' },
    seed: { type: 'string' },
    only: { type: 'string' },
  },
});

function namesOf(list: string | undefined): readonly FaultName[] {
  const names = FAULT_CLASSES.map(({ name }): FaultName => name);
  const possible = names.filter((name) => name !== 'server-disk-full' || cannotMount === false);
  if (list === undefined) return possible;
  return list.split(',').map((word) => {
    const found = possible.find((name) => name === word);
    if (found === undefined) throw new Error(`no class ${word}: ${possible.join(', ')}`);
    return found;
  });
}

function tell({ plan, struck, endings, excess, details, wrong }: FaultReport): void {
  const where = struck === undefined ? 'did not happen' : struck;
  const how = `${plan.mode}, ${plan.layout}${plan.isKeyed ? ', key' : ''}`;
  const line = `${plan.seed} ${plan.fault} (${how}) ${where}: ${endings.join(', ')}, ${Math.round(excess)} ms`;
  const more = wrong.length === 0 ? [] : [...wrong.map((text) => `WRONG ${text}`), ...details];
  process.stdout.write([line, ...more].map((text) => `${text}\n`).join('    '));
}

async function main(): Promise<void> {
  const names = namesOf(values.only);
  const results = FaultResults.read();
  const until = performance.now() + partOf(values).minutes * 60_000;
  const runs = Number(values.runs ?? Infinity);
  const isGoingOn = (done: number) => performance.now() < until && done < runs;
  const keep = (report: FaultReport) => {
    tell(report);
    if (report.wrong.length > 0) process.exitCode = 1;
    if (values.only !== undefined) return;
    results.add(report);
    results.write();
  };
  /** Numbers of one parity, which have the same servers; one after the other. */
  const lane = async (parity: 0 | 1) => {
    const first = values.seed === undefined ? results.next(parity) : Number(values.seed) + parity;
    for (let done = 0; isGoingOn(2 * done + parity);) {
      const { isKeyed } = planOf(first, names);
      const scene = await FaultScene.start(isKeyed, names.includes('server-disk-full'));
      try {
        do {
          const report = await runFault(scene, planOf(first + 2 * done, names));
          done++;
          keep(report);
        } while (done % RUNS_PER_SCENE !== 0 && isGoingOn(2 * done + parity));
      } finally {
        await scene.close();
      }
    }
  };
  await Promise.all([lane(0), lane(1)]);
  if (values.only === undefined) process.stdout.write(results.write());
}

await main();
