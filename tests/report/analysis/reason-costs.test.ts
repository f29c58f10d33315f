import t from 'tap';
import { buildModel } from '../../../src/report/analysis/build-model.js';
import { reasonCosts } from '../../../src/report/analysis/reason-costs.js';
import { compileLine, localEnd, localLine } from '../../fixtures/build-lines.js';

await t.test('count and time of this host, the costliest first', async (t) => {
  const costs = reasonCosts(
    buildModel('s', [
      localLine(1, 'a', 100, 20),
      localEnd(1, 400, 300),
      localLine(2, 'b', 100, 20),
      localEnd(2, 200, 100),
      localLine(3, 'c', 500, 450, { fallback: 'no-server' }),
      localEnd(3, 600, 100),
      compileLine(
        4,
        'd',
        900,
        { preprocessQueue: 10, preprocess: 30, remote: 40 },
        { outcome: 'plain', demotion: 'side-outputs' },
      ),
      compileLine(5, 'e', 900, { remote: 40 }),
    ]),
  );
  t.match(costs, [
    // What was tried before counts.
    { kind: 'fallback', name: 'no-server', count: 1, cost: 550, examples: ['c.c'] },
    { kind: 'decline', name: 'lto', count: 2, cost: 400, meaning: /^link-time/ },
    { kind: 'demotion', name: 'side-outputs', count: 1, cost: 40 },
  ]);
  t.equal(costs.length, 3);
});
