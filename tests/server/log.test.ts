import t from 'tap';
import { jsonFormat, Log, textFormat } from '../../src/server/log.js';
import { ManualClock } from '../fixtures/manual-clock.js';

const TIME = '2023-11-14T22:13:20.000Z';
const TALE = 'said \u001b[31mred\nand "more"\u2028 é';

await t.test(
  'a line has time, place and event, and is one line whatever a peer says',
  async (t) => {
    const lines: string[] = [];
    const log = new Log(new ManualClock(), textFormat, (text) => lines.push(text) > 0);
    log.line('10.0.0.1:5', TALE);
    log.line('10.0.0.1:6', 'refused: it is late', { refused: 'late' });
    t.same(lines, [
      `${TIME} 10.0.0.1:5: said  [31mred and "more"  é\n`,
      `${TIME} 10.0.0.1:6: refused: it is late\n`,
    ]);
  },
);

await t.test('the same as JSON', async (t) => {
  const lines: string[] = [];
  const log = new Log(new ManualClock(), await jsonFormat(42), (text) => lines.push(text) > 0);
  log.line('10.0.0.1:5', TALE);
  log.line('tsccd', 'it broke', { level: 'error' });
  log.line('10.0.0.1:6', 'refused: it is late', { refused: 'late' });
  for (const line of lines) t.match(line, /^[^\n]+\n$/, 'one line');
  const common = { pid: 42, time: TIME };
  t.strictSame(
    lines.map((line) => JSON.parse(line) as unknown),
    [
      { ...common, level: 'info', where: '10.0.0.1:5', msg: 'said  [31mred and "more"  é' },
      { ...common, level: 'error', where: 'tsccd', msg: 'it broke' },
      {
        ...common,
        level: 'warn',
        where: '10.0.0.1:6',
        msg: 'refused: it is late',
        refused: 'late',
      },
    ],
  );
});

await t.test('what was lost is told once there is room again', async (t) => {
  for (const format of [textFormat, await jsonFormat(42)]) {
    const written: string[] = [];
    let isFull = false;
    const log = new Log(new ManualClock(), format, (text) => !isFull && written.push(text) > 0);
    log.line('a', 'first');
    isFull = true;
    for (const what of ['second', 'third']) log.line('a', what);
    isFull = false;
    for (const what of ['fourth', 'fifth']) log.line('a', what);
    const lines = written.join('').trimEnd().split('\n');
    t.match(lines, [/first/, /2 lines before this one were lost/, /fourth/, /fifth/]);
    t.equal(lines.length, 4);
  }
});

await t.test('the format may change', async (t) => {
  const lines: string[] = [];
  const log = new Log(new ManualClock(), textFormat, (text) => lines.push(text) > 0);
  log.line('a', 'b');
  log.format = await jsonFormat(42);
  log.line('a', 'b');
  t.match(lines, [/^2023.* a: b\n$/, /^\{.*"msg":"b"\}\n$/]);
});
