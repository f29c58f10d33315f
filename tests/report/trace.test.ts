import t from 'tap';
import { buildModel } from '../../src/report/analysis/build-model.js';
import { traceOf } from '../../src/report/trace.js';
import { SMALL_BUILD } from '../fixtures/build-lines.js';

const { traceEvents, otherData } = traceOf(buildModel('s', SMALL_BUILD));

await t.test('a process per host, a thread per slot', async (t) => {
  const names = new Map(
    traceEvents.flatMap(({ ph, name, pid, args }) =>
      ph === 'M' && name === 'process_name' ? [[pid, args?.['name']]] : [],
    ),
  );
  t.strictSame([...names.values()].slice(2), ['blue', 'red']);
  const commands = traceEvents.filter(({ ph, cat }) => ph === 'X' && cat !== 'phase');
  t.strictSame(
    commands.map(({ name, pid, tid, ts, dur }) => [name, names.get(pid), tid, ts, dur]),
    [
      ['b.o', 'blue', 1, 10_000, 50_000],
      ['a.o', 'red', 1, 10_000, 100_000],
      ['c.o', 'blue', 1, 70_000, 100_000],
      ['d.o', 'red', 1, 120_000, 50_000],
      ['link: prog', 'this host', 1, 180_000, 20_000],
    ],
  );
  t.match(otherData, { session: 's', tscc: '1.2.3' });
});

await t.test('phases lead from the request to the end', async (t) => {
  const phases = traceEvents.filter(({ cat, args }) => cat === 'phase' && args?.['id'] === 3);
  t.strictSame(
    phases.map(({ name, ts, dur }) => [name, ts, dur]),
    [
      ['closure', 60_000, 10_000],
      ['remote', 70_000, 100_000],
      ['write', 170_000, 10_000],
    ],
  );
});

await t.test('counters end at nothing', async (t) => {
  const counters = traceEvents.filter(({ ph }) => ph === 'C');
  t.strictSame(counters[0]?.args, { open: 2, compiling: 0, queued: 0 });
  t.strictSame(counters.at(-1)?.args, { open: 0, compiling: 0, queued: 0 });
  t.equal(counters.at(-1)?.ts, 200_000);
});
