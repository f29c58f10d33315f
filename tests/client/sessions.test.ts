import t from 'tap';
import { Sessions } from '../../src/client/sessions.js';
import { digestOf } from '../../src/core/digest.js';
import { Journal, parseJournal } from '../../src/report/journal.js';
import { ManualClock } from '../fixtures/manual-clock.js';
import { MemoryJournals } from '../fixtures/memory-journals.js';

function setUp() {
  const clock = new ManualClock();
  const store = new MemoryJournals();
  let names = 0;
  const sessions = new Sessions(
    (name) => new Journal('/state', name, store, clock, () => {}),
    () => `implicit-${++names}`,
    clock,
    '0.0.0',
  );
  return { clock, store, sessions };
}

await t.test('a named session lives until it is ended', async (t) => {
  const { sessions, clock } = setUp();
  const session = sessions.of('build');
  t.equal(sessions.of('build'), session);
  clock.advance(3_600_000);
  t.equal(sessions.of('build'), session);
  sessions.end('build');
  t.equal(sessions.get('build'), undefined);
  t.ok(session.journal.status.ended);
  t.equal(sessions.newest, session, 'status of the last session is still to be had');
});

await t.test('the implicit session ends after a while without compiles', async (t) => {
  const { sessions, clock } = setUp();
  const first = sessions.of(undefined);
  first.enter();
  sessions.restartIdleTimer();
  clock.advance(60_000);
  t.equal(sessions.of(undefined), first, 'a long compile keeps it');
  first.leave();
  sessions.restartIdleTimer();
  clock.advance(29_000);
  t.equal(sessions.of(undefined), first);
  clock.advance(31_000);
  t.not(sessions.of(undefined), first);
  t.ok(first.journal.status.ended);
});

await t.test('commands are numbered, news is told once', async (t) => {
  const session = setUp().sessions.of('build');
  t.equal(session.enter(), 1);
  t.equal(session.enter(), 2);
  t.equal(session.active, 2);
  t.equal(session.isNews('host a is down'), true);
  t.equal(session.isNews('host a is down'), false);
});

await t.test('files that compiles read have a number each, and a name once', async (t) => {
  const { sessions, store, clock } = setUp();
  const session = sessions.of('build');
  const file = (path: string, digest: string) =>
    ({ kind: 'file', path, digest: digestOf(digest), size: 7, mtime: 0, mode: 0o644 }) as const;
  const [a, b, c] = [file('/a.h', 'a'), file('/b.h', 'b'), file('/c.h', 'c')];
  t.equal(session.files([a, { kind: 'directory', path: '/d' }, b]).runs, '0-1');
  t.equal(session.files([b, c]).runs, '1-2');
  t.equal(session.files([a]).runs, '0');
  t.equal(session.files([file('/a.h', 'e')]).runs, '3', 'another content');
  const [one, other, none] = [
    session.files([a]),
    session.files([file('/a.h', 'e')]),
    session.files([]),
  ];
  t.equal(new Set([one.part, other.part, none.part]).size, 3);
  t.equal(session.files([a, b]).part, session.files([b, a]).part, 'in any order');
  clock.advance(1_000);
  const lines = [...parseJournal(store.read('/state/journal/build.jsonl'))];
  t.match(
    lines.filter(({ event }) => event === 'files'),
    [
      {
        first: 0,
        files: [
          ['/a.h', 7, digestOf('a').slice(0, 16)],
          ['/b.h', 7, digestOf('b').slice(0, 16)],
        ],
      },
      { first: 2, files: [['/c.h', 7, digestOf('c').slice(0, 16)]] },
      { first: 3, files: [['/a.h', 7, digestOf('e').slice(0, 16)]] },
    ],
  );
});

await t.test('the end of the daemon completes every journal', async (t) => {
  const { sessions, store, clock } = setUp();
  sessions.of('one');
  sessions.of(undefined);
  sessions.endAll();
  t.match(store.read('/state/journal/one.jsonl'), '"session-end"');
  t.match(store.read('/state/journal/implicit-1.jsonl'), '"session-end"');
  t.equal(clock.pending, 0);
});

await t.test('commands that outlive their session are in its journal when they end', async (t) => {
  const { sessions, store } = setUp();
  const session = sessions.of('build');
  const command = { id: session.enter(), cwd: '/', argv: ['gcc'] };
  sessions.end('build');
  session.record({ event: 'other', ...command, kind: 'link' });
  t.notMatch(store.read('/state/journal/build.jsonl'), '"other"', 'lines are gathered');
  session.leave();
  t.match(store.read('/state/journal/build.jsonl'), '"other"');
});

await t.test(
  'the variables of compiles are in the journal once for each set of them',
  async (t) => {
    const { sessions, store } = setUp();
    const session = sessions.of('build');
    const number = (variables: Record<string, string>) =>
      session.environment({ cwd: '/w', environment: new Map(Object.entries(variables)) }).number;
    const common = { LANG: 'C', TSCC_HOSTS: 'red', HOME: '/h', MAKELEVEL: '1' };
    t.equal(number({ ...common, PWD: '/w' }), 1);
    t.equal(number({ ...common, PWD: '/w', MAKELEVEL: '2' }), 1);
    t.equal(number({ ...common, PWD: '/link' }), 2);
    t.equal(number(common), 1);
    session.journal.flush();
    const events = [...parseJournal(store.read('/state/journal/build.jsonl'))];
    t.match(
      events.filter(({ event }) => event === 'environment'),
      [
        { environment: 1, variables: { LANG: 'C' } },
        { environment: 2, variables: { LANG: 'C', PWD: '/link' } },
      ],
    );
  },
);

await t.test('one may look on', async (t) => {
  const { sessions, clock } = setUp();
  const seen: unknown[] = [];
  const before = sessions.of('before');
  sessions.observe((session, { event }, now) => seen.push([session, event, now]));
  sessions.of('build').record({ event: 'local-end', id: 1, ran: 5 });
  clock.advance(7);
  before.end();
  sessions.observe(undefined);
  sessions.end('build');
  const start = clock.now() - 7;
  t.strictSame(seen, [
    ['build', 'session-start', start],
    ['build', 'local-end', start],
    ['before', 'session-end', start + 7],
  ]);
  clock.advance(1_000);
});
