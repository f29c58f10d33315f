import t from 'tap';
import { buildModel } from '../../../src/report/analysis/build-model.js';
import { replay, replaySteps } from '../../../src/report/analysis/replay.js';
import { whatIf } from '../../../src/report/analysis/what-if.js';
import { compileLine, localEnd, localLine, SMALL_BUILD } from '../../fixtures/build-lines.js';

await t.test('what each command waited for', async (t) => {
  const { commands } = buildModel('s', SMALL_BUILD);
  t.strictSame(
    replaySteps(commands, 2).map(({ cause }) => cause),
    [
      { kind: 'nothing', delay: 0 },
      { kind: 'start', of: 0, delay: 0 },
      // Both of make's jobs were in use: with a third it would not have waited.
      { kind: 'start', of: 1, delay: 0 },
      { kind: 'start', of: 2, delay: 0 },
      // One job was free before: the link waited for this very object.
      { kind: 'end', of: 2, delay: 0 },
    ],
  );
});

await t.test('the build that is computed by hand, on other farms', async (t) => {
  const { same, error, rows, moreJobs, uncrowded } = whatIf(buildModel('s', SMALL_BUILD), [1, 4]);
  t.strictSame(same, { hosts: 2, slots: 2, jobs: 2, wall: 200, unordered: 160 });
  t.equal(error, 0);
  t.strictSame(rows, [
    // b 10–60, a 60–160, c 160–260 and in place at 270, d 260–310; the link from 270 on.
    { hosts: 1, slots: 1, jobs: 2, wall: 310, unordered: 310 },
    // All four from 10 on, c in place at 120, then the link.
    { hosts: 4, slots: 4, jobs: 4, wall: 140, unordered: 120 },
  ]);
  t.equal(moreJobs, null, 'two jobs for two slots');
  // Half of each compile: b 10–35, a 10–60; c 45–95, in place at 105; d 70–95; the link from 105 on.
  t.match(uncrowded, { hosts: 2, slots: 2, jobs: 2, wall: 125 });
});

await t.test('compiles here share the slots that there were', async (t) => {
  const { commands } = buildModel('s', [
    localLine(1, 'a', 0),
    localLine(2, 'b', 0),
    localEnd(1, 50, 50),
    localEnd(2, 50, 50),
  ]);
  const steps = replaySteps(commands, 2);
  t.equal(replay(steps, { farm: 0, here: 2, jobs: 2 }), 50);
  t.equal(replay(steps, { farm: 0, here: 1, jobs: 2 }), 100);
  t.equal(replay(steps, { farm: 0, here: 0, jobs: 2 }), Infinity);
});

await t.test('commands without length, and many: each is played once', async (t) => {
  const lines = Array.from({ length: 200 }, (_, id) =>
    compileLine(id, `${id}`, 10 * (id - (id % 2)), { remote: id % 3 === 0 ? 0 : 10 }),
  );
  const { same } = whatIf(buildModel('s', lines), []);
  // 133 compiles of 10 ms in one slot, whatever their order.
  t.ok((same?.wall ?? 0) >= 1_330 && (same?.wall ?? Infinity) < 3_000, `${same?.wall}`);
});

await t.test('nothing went out', async (t) => {
  t.strictSame(whatIf(buildModel('s', []), [4]), {
    ...{ same: null, error: null, rows: [], moreJobs: null, uncrowded: null },
  });
});
