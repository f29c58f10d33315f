import t from 'tap';
import type { Event, JournalLine } from '../../src/report/events.js';
import { verifyLines, verifyReport } from '../../src/report/verify-report.js';

const line = (event: object) => ({ v: 1, time: 0, ...event }) as JournalLine;
const identity = (id: number) => ({ id, cwd: '/w', argv: ['gcc', '-c', `${id}.c`] });
const verify = (id: number, more: Partial<Extract<Event, { event: 'verify' }>>) =>
  line({
    event: 'verify',
    id,
    host: 'red',
    source: `${id}.c`,
    output: `${id}.o`,
    differences: [],
    ...more,
  });

await t.test('mismatches with their commands, all others by reason', async (t) => {
  const differences = ['1.o: section .text at offset 0x2: 00 on the server, 01 here'];
  const report = verifyReport(
    'day',
    9,
    7,
    [
      verify(1, { verdict: 'mismatch', differences, kept: '/k/1' }),
      line({ event: 'local', ...identity(1), source: '1.c', fallback: 'verify-mismatch' }),
      verify(2, { verdict: 'same' }),
      line({ event: 'compile', ...identity(2) }),
      verify(3, { verdict: 'not-reproducible' }),
      line({ event: 'local', ...identity(4), source: '4.c', fallback: 'no-server' }),
      line({ event: 'local', ...identity(5), source: '5.c', decline: 'lto' }),
    ],
    { gone: 1 },
  );
  t.strictSame(report, {
    schema: 1,
    session: 'day',
    compiles: 9,
    picked: 7,
    verified: 2,
    mismatches: [
      {
        source: '1.c',
        output: '1.o',
        cwd: '/w',
        argv: ['gcc', '-c', '1.c'],
        host: 'red',
        differences,
        kept: '/k/1',
      },
    ],
    unverified: { gone: 1, 'no-server': 1, lto: 1, 'not-reproducible': 1, 'not-done': 1 },
  });
  const lines = verifyLines(report);
  t.strictSame(lines.slice(0, 3), [
    'MISMATCH: 1.o (1.c): red made another one than this host',
    `  ${differences[0]}`,
    '  both are in /k/1',
  ]);
  t.ok(lines.every((text) => !text.includes('undefined')));
  t.match(lines.at(-1), 'session day: 7 of 9 remote compiles done again, 2 compared, 1 differ');
});

await t.test('all the same', async (t) => {
  const report = verifyReport('day', 1, 1, [verify(1, { verdict: 'same' })], {});
  t.strictSame(verifyLines(report), [
    'session day: 1 of 1 remote compiles done again, 1 compared, all the same',
  ]);
});
