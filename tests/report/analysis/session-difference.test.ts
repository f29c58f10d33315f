import t from 'tap';
import { buildModel } from '../../../src/report/analysis/build-model.js';
import { differenceFrom } from '../../../src/report/analysis/session-difference.js';
import type { JournalLine } from '../../../src/report/events.js';
import { compileLine, localEnd, localLine } from '../../fixtures/build-lines.js';

const files = (digest: string): JournalLine => ({
  v: 1,
  time: 0,
  event: 'files',
  first: 0,
  files: [
    ['/b/x.h', 10, digest],
    ['/b/same.h', 10, 'same'],
  ],
});

const before = buildModel('before', [
  files('old'),
  compileLine(1, 'a', 500, { remote: 400 }, { reads: '0-1' }),
  compileLine(2, 'b', 500, { remote: 400 }),
  compileLine(3, 'gone', 500, { remote: 400 }),
]);

await t.test(
  'what moved, got slower, has another command, was read with another content',
  async (t) => {
    const now = buildModel('now', [
      files('new'),
      compileLine(1, 'a', 1_500, { remote: 1_400 }, { reads: '0-1', argv: ['gcc', '-O2'] }),
      localLine(2, 'b', 600),
      localEnd(2, 900, 300),
    ]);
    t.strictSame(differenceFrom(before, now), {
      session: 'before',
      wall: 400,
      compiles: 3,
      common: 2,
      moved: [{ name: 'b.c', before: 'pump', now: 'local', reason: 'lto' }],
      slower: [{ name: 'a.o', before: 200, now: 700, host: 'red' }],
      commands: ['a.o'],
      inputs: [{ path: '/b/x.h', compiles: 1 }],
    });
  },
);

await t.test('the same again, and another project', async (t) => {
  t.match(differenceFrom(before, before), {
    common: 3,
    moved: { length: 0 },
    slower: { length: 0 },
    commands: { length: 0 },
    inputs: { length: 0 },
  });
  const other = buildModel('other', [compileLine(1, 'z', 5, { remote: 5 })]);
  t.equal(differenceFrom(before, other), undefined);
});
