import t from 'tap';
import { topLines } from '../../src/report/top-screen.js';
import { liveCommand, liveHost, liveSession, liveView } from '../fixtures/live-views.js';

const SCREEN = { columns: 80, rows: 24 };
const ENDLESS = { columns: undefined, rows: undefined };

const busy = liveView({
  sessions: [
    liveSession({
      session: 'kernel',
      outcomes: { pump: 398, plain: 4, cache: 0, local: 10 },
      fallbacks: { 'no-server': 2 },
    }),
  ],
  queued: 3,
  hosts: [
    liveHost({ mine: 9, others: 1, load: 7.253 }),
    liveHost({ name: 'green', mine: 4, load: 4 }),
    liveHost({
      name: 'blue.example.org:4000',
      state: 'down',
      reason: 'connection refused (ECONNREFUSED): is tsccd running there?',
      slots: null,
      others: null,
      load: null,
    }),
  ],
  commands: [
    liveCommand({
      name: 'drivers/gpu/drm/amd/display/dc/dml/calcs/dcn_calc_auto.c',
      elapsed: 12_345,
    }),
    liveCommand({ name: 'mm/slub.c', host: 'green' }),
    liveCommand({ name: 'kernel/fork.c', host: null, phase: 'remote-queue', elapsed: 50 }),
    liveCommand({ name: 'init/main.c', host: null, phase: 'local', elapsed: 49 }),
  ],
});

await t.test('80 columns and 24 rows', async (t) => {
  t.strictSame(topLines(busy, SCREEN), [
    'tscc top: 4 running, 3 queued                                           14:05:12',
    'kernel  1m02s  412 done: 398 pump, 4 plain, 10 local; 2 of them fell back',
    'here: compile 1/2, preprocess 0/4, other 0/2',
    '',
    'HOST                   STATE                            OURS/SLOTS  OTHERS  LOAD',
    'red                    up                               9/8         1       7.25',
    'green                  up                               4/8         0       4.00',
    'blue.example.org:4000  down: connection refused (ECON…  0/?         ?       ?',
    '',
    'SOURCE                                              HOST   PHASE         SECONDS',
    '…/gpu/drm/amd/display/dc/dml/calcs/dcn_calc_auto.c  red    remote        12.3',
    'mm/slub.c                                           green  remote        1.2',
    'kernel/fork.c                                       -      remote-queue  0.1',
    'init/main.c                                         here   local         0.0',
  ]);
});

await t.test('no line is longer than the screen is wide, nor are there more than it has', (t) => {
  const many = liveView({
    ...busy,
    sessions: Array.from({ length: 9 }, () => liveSession({ session: 's'.repeat(64) })),
    hosts: Array.from({ length: 60 }, (_, n) => liveHost({ name: `host${n}.example.org` })),
    commands: Array.from({ length: 200 }, (_, n) =>
      liveCommand({ name: `${'d/'.repeat(90)}${n}.c` }),
    ),
    running: 250,
  });
  for (const view of [many, busy, liveView()]) {
    for (const columns of [1, 2, 20, 40, 80, 81, 132, 300]) {
      for (const rows of [1, 2, 5, 10, 24, 50, 1000]) {
        const lines = topLines(view, { columns, rows });
        const longest = Math.max(...lines.map((line) => Array.from(line).length));
        if (lines.length > rows || longest > columns) {
          t.fail(`${columns}×${rows}: ${lines.length} lines of up to ${longest}`);
        }
      }
    }
  }
  t.pass();
  t.end();
});

await t.test('what there is no room for is counted', async (t) => {
  const view = liveView({
    hosts: Array.from({ length: 20 }, (_, n) =>
      liveHost({ name: `h${n}`, mine: n === 19 ? 1 : 0 }),
    ),
    commands: Array.from({ length: 200 }, (_, n) => liveCommand({ name: `${n}.c` })),
    running: 205,
  });
  const lines = topLines(view, SCREEN);
  t.equal(lines.length, 24);
  t.equal(lines.filter((line) => /^h[0-9]+ /.test(line)).length, 6);
  t.match(lines[4], /^h19 /, 'one that is in use is seen');
  t.ok(lines.includes('… 14 more'), 'hosts');
  const shown = lines.filter((line) => /^[0-9]+\.c /.test(line)).length;
  t.equal(lines.at(-1), `… ${205 - shown} more`);
  t.equal(topLines(view, ENDLESS).at(-1), '… 5 more', 'the view itself has not all');
});

await t.test('idle, and without a daemon', async (t) => {
  t.strictSame(topLines(liveView(), SCREEN), [
    'tscc top: 0 running, 0 queued                                           14:05:12',
    'here: compile 1/2, preprocess 0/4, other 0/2',
  ]);
  const session = liveSession({ session: 'last', ended: liveSession().started });
  t.strictSame(topLines(liveView({ daemon: null, sessions: [session] }), ENDLESS), [
    'tscc top: no session daemon runs; the next compile starts one, 14:05:12 UTC',
    'last (ended)  0s  0 done: none',
  ]);
});

await t.test('names do not steer the terminal', async (t) => {
  const evil = '\x1b]0;owned\x07\r\n\x9b2J\u202e.c';
  const view = liveView({
    hosts: [liveHost({ name: evil })],
    commands: [liveCommand({ name: evil })],
  });
  const text = topLines(view, ENDLESS).join('\n');
  t.match(text, /\?\]0;owned\?\?\?\?2J\?\.c/);
  t.equal(Array.from(text).filter((char) => char < ' ' && char !== '\n').length, 0);
  t.notMatch(text, /[\u0080-\u009f\u202e]/);
});

await t.test('tokens that are lent to make', async (t) => {
  const text = topLines(liveView({ tokens: { lent: 7, owed: 1 } }), ENDLESS).join('\n');
  t.match(text, /^here: .*other 0\/2, 7 tokens lent \(1 owed\)$/m);
});
