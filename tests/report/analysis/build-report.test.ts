import t from 'tap';
import { buildModel } from '../../../src/report/analysis/build-model.js';
import { buildReport } from '../../../src/report/analysis/build-report.js';
import { compileLine, localEnd, localLine, SMALL_BUILD } from '../../fixtures/build-lines.js';
import type { JournalLine } from '../../../src/report/events.js';

const report = (lines: readonly JournalLine[]) => buildReport(buildModel('s', lines), []);

await t.test('the build that is computed by hand', async (t) => {
  const { summary, slowest, difference, commands } = report(SMALL_BUILD);
  t.strictSame(summary, {
    compiles: 4,
    outcomes: { pump: 4, plain: 0, cache: 0, local: 0 },
    other: 1,
    failed: 0,
    cancelled: 0,
    // Half of 100 + 100 + 50 + 50.
    work: 150,
    speedUp: 0.75,
    bound: { wall: 75, by: 'slots', name: 'a.o' },
  });
  t.equal(slowest[0]?.name, 'c.o');
  t.equal(difference, null);
  t.equal(commands.length, 5);
});

await t.test('it is JSON: the same after a round', async (t) => {
  const made = report(SMALL_BUILD);
  t.strictSame(JSON.parse(JSON.stringify(made)), made);
});

await t.test('nothing: no compile, no journal', async (t) => {
  const { summary, recommendations, utilisation } = report([]);
  t.match(summary, { compiles: 0, work: 0, speedUp: 0, bound: { wall: 0 } });
  t.strictSame(recommendations, []);
  t.equal(utilisation.slots, 0);
});

const titles = (lines: readonly JournalLine[]) =>
  report(lines).recommendations.map(({ title }) => title);

await t.test('advice: more servers where compiles wait for slots', async (t) => {
  const lines = Array.from({ length: 8 }, (_, n) =>
    compileLine(n, `${n}`, 100 * (n + 1), { remoteQueue: 100 * n, remote: 100 }),
  );
  t.match(titles(lines)[0], /^Add servers: 2 like these instead of 1$/);
});

await t.test('advice: more jobs where make gave too few', async (t) => {
  const lines = Array.from({ length: 8 }, (_, n) =>
    compileLine(n, `${n}`, 100 * (n + 1), { remote: 100 }, { slots: 8 }),
  );
  t.match(titles(lines)[0], /^Give make more jobs: make -j10 /);
});

await t.test('advice: this host, where it keeps servers waiting', async (t) => {
  const lines = Array.from({ length: 4 }, (_, n) =>
    compileLine(n, `${n}`, 100 * (n + 1), { closure: 90, remote: 10 }),
  );
  t.match(titles(lines)[0], /^Relieve this host/);
});

await t.test('advice: reasons, slow and lost hosts', async (t) => {
  const away = Array.from({ length: 10 }, (_, n) =>
    compileLine(
      n,
      `${n}`,
      100 * (n + 1),
      { remote: 100 },
      n % 2 === 0 ? { host: 'slow', remoteCpu: 10 } : { remoteCpu: 90 },
    ),
  );
  const found = titles([
    ...away,
    { v: 1, time: 300, event: 'host', host: 'red', state: 'down', detail: 'reset' },
    localLine(20, 'x', 400),
    localEnd(20, 900, 500),
  ]);
  t.ok(found.includes('1 compile stayed here: lto'), found.join());
  t.ok(
    found.some((title) => title.startsWith('Look at slow: it is slower')),
    found.join(),
  );
  t.ok(found.includes('Look at red: it was lost once'), found.join());
});

/** Eight compiles that all wait for the one slot there is. */
const waiting = (host: string, remoteCpu: number) =>
  Array.from({ length: 8 }, (_, n) =>
    compileLine(
      n,
      `${n}`,
      100 * (n + 1),
      { remoteQueue: 100 * n, remote: 100 },
      { host, remoteCpu },
    ),
  );

await t.test('advice: no more servers where these share the processors of this host', async (t) => {
  const here = report(waiting('127.0.0.1:3632', 10)).recommendations;
  t.match(here[0], {
    title: /^Put the servers on other hosts/,
    why: /got 10.% of a processor/,
    // 100 ms each become 10 ms.
    gain: 720,
  });
  t.notOk(here.some(({ title }) => title.startsWith('Add servers')));
  const other = titles(waiting('red', 10));
  t.ok(other.includes('Add servers: 2 like these instead of 1'), other.join());
  t.ok(
    other.some((title) => title.startsWith('Relieve the servers')),
    other.join(),
  );
  t.match(titles(waiting('127.0.0.1:3632', 90))[0], /^Add servers/, 'with processors to spare');
});

await t.test(
  'advice: a server more gives no more than the time in which all were taken',
  async (t) => {
    // 300 ms in all; two compiles wait for the slot in the first 100 ms only.
    const { recommendations } = report([
      compileLine(1, 'a', 100, { remote: 100 }, { remoteCpu: 90 }),
      compileLine(2, 'b', 200, { remoteQueue: 100, remote: 100 }, { remoteCpu: 90 }),
      compileLine(3, 'c', 300, { remote: 100 }, { remoteCpu: 90 }),
    ]);
    const more = recommendations.find(({ title }) => title.startsWith('Add servers'));
    t.ok(more !== undefined && more.gain <= 100, JSON.stringify(recommendations));
  },
);

await t.test('advice: what had nothing changed', async (t) => {
  const lines = Array.from({ length: 4 }, (_, n) =>
    compileLine(n, `${n}`, 100 * (n + 1), { remote: 100 }, { key: `k${n}` }),
  );
  const [before, now] = [buildModel('before', lines), buildModel('now', lines)];
  const found = buildReport(now, [before]).recommendations.map(({ title }) => title);
  t.ok(found.includes('Do not compile again what has not changed: 4 compiles'), found.join());
});
