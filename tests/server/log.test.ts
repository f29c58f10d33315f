import t from 'tap';
import { Log } from '../../src/server/log.js';
import { ManualClock } from '../fixtures/manual-clock.js';

await t.test(
  'a line has time, place and event, and is one line whatever a peer says',
  async (t) => {
    const lines: string[] = [];
    const log = new Log(new ManualClock(), (line) => lines.push(line));
    log.line('10.0.0.1:5', 'said \u001b[31mred\nand more\u2028 é');
    t.same(lines, ['2023-11-14T22:13:20.000Z 10.0.0.1:5: said  [31mred and more  é']);
  },
);
