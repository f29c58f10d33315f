import t from 'tap';
import { buildModel } from '../../../src/report/analysis/build-model.js';
import { headerCosts } from '../../../src/report/analysis/header-costs.js';
import { compileLine } from '../../fixtures/build-lines.js';
import type { JournalLine } from '../../../src/report/events.js';

const files: JournalLine = {
  v: 1,
  time: 0,
  event: 'files',
  first: 0,
  files: [
    ['/b/big.h', 300, 'x'],
    ['/b/small.h', 100, 'y'],
    ['/b/a.c', 100, 'z'],
  ],
};

await t.test('a compile’s time by bytes; its source is no header', async (t) => {
  const model = buildModel('s', [
    files,
    // Processor time is half of it.
    compileLine(1, 'a', 1_000, { remote: 1_000 }, { reads: '0-2' }),
    compileLine(2, './c', 1_000, { remote: 200 }, { reads: '1' }),
  ]);
  t.strictSame(headerCosts(model, 9), [
    { path: '/b/big.h', size: 300, compiles: 1, rebuild: 500, share: 300 },
    { path: '/b/small.h', size: 100, compiles: 2, rebuild: 600, share: 200 },
  ]);
  t.equal(headerCosts(model, 1).length, 1);
});
