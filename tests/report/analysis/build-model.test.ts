import t from 'tap';
import { buildModel, compilesOf } from '../../../src/report/analysis/build-model.js';
import {
  compileLine,
  localEnd,
  localLine,
  otherLine,
  sessionLines,
  SMALL_BUILD,
} from '../../fixtures/build-lines.js';

const model = buildModel('s', SMALL_BUILD);
const find = (name: string) => model.commands.find((command) => command.name === name);

await t.test('commands by start, in times of the build', async (t) => {
  t.strictSame(
    model.commands.map(({ name, start, end }) => [name, start, end]),
    [
      ['b.o', 0, 60],
      ['a.o', 0, 110],
      ['c.o', 60, 180],
      ['d.o', 110, 170],
      ['link: prog', 180, 200],
    ],
  );
  t.match(model, { session: 's', tscc: '1.2.3', started: 1_000, wall: 200, isOpen: false });
  t.equal(compilesOf(model).length, 4);
});

await t.test('slots: what the journal says, and a lane for each of them', async (t) => {
  t.strictSame(
    model.hosts.map(({ name, slots }) => [name, slots]),
    [
      ['blue', 1],
      ['red', 1],
    ],
  );
  t.ok(model.commands.every(({ lane }) => lane === 0));
  t.strictSame(find('a.o')?.busy, { from: 10, to: 110 });
});

await t.test('without slots in the journal, as many as were used at once', async (t) => {
  const lines = [1, 2, 3].map((id) => {
    const { slots: _slots, ...line } = compileLine(id, `${id}`, 100, { remote: 50 }) as {
      slots?: number;
    };
    return line as (typeof SMALL_BUILD)[number];
  });
  const { hosts, commands } = buildModel('s', lines);
  t.match(hosts, [{ name: 'red', slots: 3 }]);
  t.strictSame(
    commands.map(({ lane }) => lane).toSorted((a, b) => a - b),
    [0, 1, 2],
  );
});

await t.test('waiting for a slot there is not time in one', async (t) => {
  const line = compileLine(1, 'a', 100, { remote: 90 }, { remoteQueued: 30, remoteRunning: 40 });
  const [command] = buildModel('s', [line]).commands;
  t.match(command, { start: 0, busy: { from: 50, to: 90 }, remote: { span: { from: 0, to: 90 } } });
});

await t.test('what runs here: from its request to its end', async (t) => {
  const { commands, isOpen } = buildModel(
    's',
    sessionLines(0, 999, [
      localLine(1, 'a', 130, 30),
      localEnd(1, 180, 50),
      // Failed on a server first: both of its events come at its end.
      localLine(2, 'b', 300, 40, { fallback: 'compile-error' }),
      localEnd(2, 300, 100),
      otherLine(3, 'prog', 310),
      localEnd(3, 350, 30),
      localEnd(9, 360, 30),
    ]),
  );
  t.equal(isOpen, false);
  t.match(commands, [
    { name: 'a.c', outcome: 'local', start: 0, busy: { from: 30, to: 80 }, end: 80, ran: 50 },
    { name: 'b.c', start: 60, busy: { from: 100, to: 200 }, end: 200 },
    { name: 'link: prog', outcome: 'other', start: 210, busy: { from: 220, to: 250 }, end: 250 },
  ]);
});

await t.test('an open session: what runs has run until now', async (t) => {
  const { commands, isOpen, wall } = buildModel('s', [
    localLine(1, 'a', 100),
    otherLine(2, 'prog', 400),
  ]);
  t.equal(isOpen, true);
  t.equal(wall, 300);
  t.match(commands, [{ end: 300 }, { start: 300, end: 300 }]);
});

await t.test('files by number, anew when the session is joined again', async (t) => {
  const start = SMALL_BUILD[0];
  t.ok(start);
  if (start === undefined) return;
  const files = (first: number, ...names: string[]) => ({
    v: 1 as const,
    time: 0,
    event: 'files' as const,
    first,
    files: names.map((name) => [name, 1, 'd'] as const),
  });
  const built = buildModel('s', [
    start,
    files(0, '/a.h', '/b.h'),
    compileLine(1, 'x', 10, { remote: 1 }, { reads: '0-1' }),
    files(2, '/c.h'),
    compileLine(2, 'y', 20, { remote: 1 }, { reads: '1-2 7' }),
    start,
    files(0, '/d.h'),
    compileLine(1, 'z', 30, { remote: 1 }, { reads: '0' }),
  ]);
  t.strictSame(
    built.commands.map(({ inputs }) => inputs.reads.map((at) => built.files[at]?.[0])),
    [['/a.h', '/b.h'], ['/b.h', '/c.h'], ['/d.h']],
  );
});

await t.test('nothing at all, and what a newer version writes', async (t) => {
  t.match(buildModel('s', []), { wall: 0, commands: [], hosts: [], isOpen: true });
  const newer = { v: 1, time: 5, event: 'tea-break' } as unknown as (typeof SMALL_BUILD)[number];
  t.equal(buildModel('s', [newer]).commands.length, 0);
});
