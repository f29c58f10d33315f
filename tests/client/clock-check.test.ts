import t from 'tap';
import { readsClock } from '../../src/client/clock-check.js';
import type { ClockWord } from '../../src/include-server/scanned-file.js';
import type { TreeEntry } from '../../src/protocol/tree-entry.js';

const entry = (path: string): TreeEntry => ({ kind: 'directory', path });
const words = new Map<string, ReadonlySet<ClockWord>>([
  ['/date.h', new Set<ClockWord>(['__DATE__'])],
  ['/stamp.h', new Set<ClockWord>(['__TIMESTAMP__', '__TIME__'])],
]);
const unset = new Map<string, string>();
const epoch = new Map([['SOURCE_DATE_EPOCH', '1']]);

await t.test('only a file that was read counts', async (t) => {
  t.equal(readsClock(words, [entry('/x.h')], unset), undefined);
  t.equal(readsClock(words, [entry('/x.h'), entry('/date.h')], unset), '/date.h');
});

await t.test('a fixed time is the same everywhere, a file’s own is not', async (t) => {
  t.equal(readsClock(words, [entry('/date.h')], epoch), undefined);
  t.equal(readsClock(words, [entry('/date.h'), entry('/stamp.h')], epoch), '/stamp.h');
});
