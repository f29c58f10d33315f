import t from 'tap';
import {
  isSessionName,
  Journal,
  listSessions,
  parseJournal,
  readStatus,
  removeOldJournals,
} from '../../src/report/journal.js';
import { ManualClock } from '../fixtures/manual-clock.js';
import { MemoryJournals } from '../fixtures/memory-journals.js';

const OTHER = { event: 'other', id: 1, cwd: '/', argv: ['gcc', '-v'], kind: 'query' } as const;

function open(session: string, store = new MemoryJournals(), clock = new ManualClock()) {
  const errors: string[] = [];
  const journal = new Journal('/state', session, store, clock, (message) => errors.push(message));
  return { journal, store, clock, errors };
}

await t.test(
  'an event is one line with version and time, written with its neighbours',
  async (t) => {
    const { journal, store, clock } = open('s1');
    journal.record(OTHER);
    journal.record({ ...OTHER, id: 2 });
    t.equal(store.files.size, 0, 'nothing is written at once');
    clock.advance(1_000);
    const text = store.read('/state/journal/s1.jsonl');
    t.equal(text.split('\n').length, 3);
    t.match(
      [...parseJournal(text)],
      [
        { v: 1, time: 1_700_000_000_000, ...OTHER },
        { v: 1, id: 2 },
      ],
    );
    t.equal(clock.pending, 0);
  },
);

await t.test('one that is not kept counts, and writes nothing', async (t) => {
  const store = new MemoryJournals();
  const clock = new ManualClock();
  const journal = new Journal('/state', 's1', store, clock, () => {}, false);
  journal.record(OTHER);
  journal.flush();
  t.match(journal.status, { other: { query: 1 } });
  t.equal(store.files.size, 0);
  t.equal(clock.pending, 0);
});

await t.test('counters are the same from memory and from disk', async (t) => {
  const { journal, store } = open('s1');
  journal.record(OTHER);
  journal.record({ event: 'session-end', session: 's1' });
  journal.flush();
  t.match(journal.status, { other: { query: 1 }, ended: 1_700_000_000_000 });
  t.strictSame(readStatus('/state', 's1', store), journal.status);
});

await t.test('a journal that is opened again goes on counting', async (t) => {
  const { journal, store } = open('s1');
  journal.record(OTHER);
  journal.flush();
  const again = open('s1', store).journal;
  again.record(OTHER);
  t.match(again.status.other, { query: 2 });
});

await t.test('a line cut short by a crash, and newer versions, are skipped', async (t) => {
  const lines = [
    JSON.stringify({ v: 1, time: 1, ...OTHER }),
    JSON.stringify({ v: 2, time: 1, event: 'other' }),
    '{"v":1,"time":1,"event":"oth',
  ];
  t.equal([...parseJournal(lines.join('\n'))].length, 1);
});

await t.test('a full disk is told once and does not stop the counting', async (t) => {
  const { journal, store, errors } = open('s1');
  store.failure = 'ENOSPC';
  for (let i = 0; i < 3; i++) {
    journal.record(OTHER);
    journal.flush();
  }
  t.match(journal.status.other, { query: 3 });
  t.equal(errors.length, 1);
  t.match(errors[0], /\/state\/journal\/s1\.jsonl cannot be written \(ENOSPC\)/);
});

await t.test('no journal, no status', async (t) => {
  t.equal(readStatus('/state', 'none', new MemoryJournals()), undefined);
});

await t.test('old journals go', async (t) => {
  const store = new MemoryJournals();
  for (const name of ['s1', 's2', 's3']) {
    const { journal } = open(name, store);
    journal.record(OTHER);
    journal.flush();
  }
  removeOldJournals('/state', 2, store);
  t.strictSame(listSessions('/state', store), ['s3', 's2']);
});

await t.test('session names are file names', async (t) => {
  t.equal(isSessionName('20261124-101530-a1b2'), true);
  for (const name of ['', '.', '..', 'a/b', 'a b', '-x', 'x'.repeat(65)]) {
    t.equal(isSessionName(name), false, name);
  }
});

await t.test('two daemons write to one journal, and either counts all of it', async (t) => {
  const { journal: old, store } = open('s1');
  old.record(OTHER);
  old.flush();
  const { journal: next } = open('s1', store);
  next.record({ ...OTHER, argv: ['é'] });
  old.record(OTHER);
  old.flush();
  t.strictSame(next.status.other, { query: 3 });
  t.strictSame(old.status.other, { query: 3 });
  next.record(OTHER);
  t.strictSame(next.status.other, { query: 4 });
  store.files.clear();
  t.strictSame(next.status.other, { query: 4 }, 'a journal that was removed is still counted');
});

await t.test('what was so far, for who comes late', async (t) => {
  const { journal, store } = open('s1');
  journal.record(OTHER);
  journal.record({ ...OTHER, id: 2 });
  t.match(journal.counted, { other: { query: 2 } });
  t.equal(store.files.size, 0, 'counting asks no disk');
  t.match([...journal.past(1_000)], [OTHER, { ...OTHER, id: 2 }]);
  const size = store.size('/state/journal/s1.jsonl') ?? 0;
  t.equal([...journal.past(size)].length, 2);
  t.strictSame([...journal.past(size - 1)], [], 'too much to read');
});
