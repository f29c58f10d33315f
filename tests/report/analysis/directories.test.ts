import t from 'tap';
import { buildModel } from '../../../src/report/analysis/build-model.js';
import { directoryCosts } from '../../../src/report/analysis/directories.js';
import { compileLine, localEnd, localLine } from '../../fixtures/build-lines.js';

await t.test('compiles by the directory of what they make', async (t) => {
  const model = buildModel('s', [
    // lib: 0–100 and 50–150, so 200 ms of compiles in 150 ms.
    compileLine(1, 'lib/a', 100, { remote: 100 }, { level: 2 }),
    compileLine(2, 'lib/b', 150, { remote: 100 }, { level: 2 }),
    // The same directory seen from another one, 200–240; then nothing for a while.
    compileLine(3, 'c', 240, { remote: 40 }, { cwd: '/b/lib', level: 2 }),
    compileLine(4, '../top/d', 100, { remote: 60 }, { level: 1 }),
    localLine(5, 'top/e', 300),
    localEnd(5, 320, 20),
  ]);
  t.strictSame(directoryCosts(model), [
    {
      ...{ path: '/b/lib', level: 2, compiles: 3, work: 120, from: 0, to: 240 },
      parallel: 240 / 190,
    },
    { path: '/top', level: 1, compiles: 1, work: 30, from: 40, to: 100, parallel: 1 },
    // gcc -c without -o leaves it where it runs.
    { path: '/b', level: null, compiles: 1, work: 20, from: 300, to: 320, parallel: 1 },
  ]);
  t.strictSame(directoryCosts(buildModel('s', [])), []);
});
