import t from 'tap';
import type { JournalLine } from '../../src/report/events.js';
import { isExact, remoteCompiles } from '../../src/report/remote-compiles.js';

const compile = (id: number, output: string, more: object = {}) =>
  ({
    v: 1,
    time: id,
    event: 'compile',
    id,
    cwd: '/w',
    argv: ['gcc', String(id)],
    source: 'x.c',
    output,
    outcome: 'pump',
    ...more,
  }) as unknown as JournalLine;

const environment = (number: number, LANG: string): JournalLine => ({
  v: 1,
  time: 0,
  event: 'environment',
  environment: number,
  variables: { LANG },
});

await t.test('the last compile of each output, with the variables of its time', async (t) => {
  const found = remoteCompiles([
    environment(1, 'C'),
    compile(1, 'x.o', { environment: 1 }),
    compile(2, 'y.o', { environment: 1, outcome: 'plain' }),
    compile(3, 'z.o', { outcome: 'cache' }),
    {
      v: 1,
      time: 3,
      event: 'local',
      id: 4,
      cwd: '/w',
      argv: [],
      source: 'l.c',
      waited: 1,
      decline: 'lto',
    },
    // The daemon was started again, and counts anew.
    environment(1, 'de'),
    compile(1, 'x.o', { environment: 1 }),
    compile(2, 'old.o'),
  ]);
  t.strictSame(
    found.map(({ output, mode, variables }) => [output, mode, variables]),
    [
      ['y.o', 'plain', { LANG: 'C' }],
      ['x.o', 'pump', { LANG: 'de' }],
      ['old.o', 'pump', undefined],
    ],
  );
});

await t.test('names that did not come through', async (t) => {
  const [good, bad] = remoteCompiles([
    compile(1, 'x.o'),
    compile(2, 'y.o', { argv: ['gcc', '\uFFFD.c'] }),
  ]);
  t.equal(good && isExact(good), true);
  t.equal(bad && isExact(bad), false);
});
