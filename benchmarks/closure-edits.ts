/**
 * `npm run bench:edits -- [STEPS] [SEED]`: the property test of the include server at length. Random
 * edits of a tree of headers between questions; servers that remember, by watching and by looking,
 * must always answer what a fresh one does. Each seed has a tree of its own, of 500 steps. The last
 * run is kept in benchmarks/results/edits.md.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { IncludeBench } from '../tests/fixtures/include-bench.js';
import { compareUnderEdits } from '../tests/fixtures/random-includes.js';

const STEPS_OF_A_TREE = 500;
const [steps = 10_000, first = 1] = process.argv.slice(2).map(Number);

let closures = 0;
let done = 0;
for (let seed = first; done < steps; seed++) {
  const ends: (() => unknown)[] = [];
  const bench = new IncludeBench({ teardown: (end) => void ends.push(end) });
  try {
    closures += await compareUnderEdits(bench, seed, STEPS_OF_A_TREE);
  } finally {
    for (const end of ends) await end();
  }
  done += STEPS_OF_A_TREE;
}
const text = `${done} steps from seed ${first}: ${closures} closures, the rest reasons; no answer differed.\n`;
process.stdout.write(text);
writeFileSync(fileURLToPath(new URL('../../benchmarks/results/edits.md', import.meta.url)), text);
