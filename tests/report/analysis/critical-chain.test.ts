import t from 'tap';
import { buildModel } from '../../../src/report/analysis/build-model.js';
import { criticalChain } from '../../../src/report/analysis/critical-chain.js';
import { compileLine, SMALL_BUILD } from '../../fixtures/build-lines.js';

await t.test('back from the last end to the first start', async (t) => {
  const chain = criticalChain(buildModel('s', SMALL_BUILD).commands);
  t.strictSame(
    chain.map(({ command, gap }) => [command.name, gap]),
    [
      ['b.o', 0],
      ['c.o', 0],
      ['link: prog', 0],
    ],
  );
});

await t.test('times and gaps are the wall time', async (t) => {
  const model = buildModel('s', [
    compileLine(1, 'a', 100, { remote: 100 }),
    compileLine(2, 'b', 170, { remote: 50 }),
    compileLine(3, 'c', 200, { remote: 10 }),
  ]);
  const chain = criticalChain(model.commands);
  t.strictSame(
    chain.map(({ gap }) => gap),
    [0, 20, 20],
  );
  const sum = chain.reduce(
    (total, { command, gap }) => total + gap + command.end - command.start,
    0,
  );
  t.equal(sum, model.wall);
  t.strictSame(criticalChain([]), []);
});
