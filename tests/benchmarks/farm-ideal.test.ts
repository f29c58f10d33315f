import t from 'tap';
import { queueTime } from '../../benchmarks/farm-ideal.js';
import { parseLog } from '../../benchmarks/farm-recording.js';

await t.test('a queue is as slow as its order makes it', async (t) => {
  t.equal(queueTime([3, 1, 1, 1], 2), 3);
  t.equal(queueTime([1, 1, 1, 3], 2), 4);
  t.equal(queueTime([1, 1, 1, 3], 1), 6);
  t.equal(queueTime([2], 8), 2);
});

await t.test("the stand-in's log", async (t) => {
  const text = '3\0/a b\0gcc\0-c\0x y.c\x002000000\x001500000\x001\0x y.c: error\n\0';
  const command = { cwd: '/a b', argv: ['gcc', '-c', 'x y.c'], wall: 2, cpu: 1.5, status: 1 };
  t.same(parseLog(''), []);
  t.same(
    parseLog(text + text),
    [0, 1].map(() => ({ ...command, stderr: 'x y.c: error\n' })),
  );
});
