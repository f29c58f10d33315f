import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { CompileTimes } from '../../src/client/compile-times.js';
import { TIMES } from '../../src/core/scheduling-limits.js';
import { hashText } from '../../src/core/text-hash.js';
import { realFiles } from '../../src/platform/files.js';

function setUp(t: Test, content?: string) {
  const state = t.testdir(content === undefined ? {} : { times: content });
  const logged: string[] = [];
  const open = () =>
    new CompileTimes(state, { files: realFiles, log: (what) => logged.push(what) });
  return { state, open, logged, text: () => readFileSync(`${state}/times`, 'utf8') };
}

const [a, b] = [hashText('/src\0a.o'), hashText('/src\0b.o')];

await t.test('remembers, from one daemon to the next', async (t) => {
  const { open, logged } = setUp(t);
  const times = open();
  t.equal(times.expected(a), undefined);
  times.learn(a, 1_000.4);
  times.learn(b, 20);
  t.equal(times.expected(a), 1_000);
  times.flush();
  const next = open();
  t.strictSame([next.expected(a), next.expected(b)], [1_000, 20]);
  t.strictSame(logged, []);
});

await t.test('one odd time does not count in full, and chance not at all', async (t) => {
  const { open, text } = setUp(t);
  const times = open();
  times.learn(a, 1_000);
  times.learn(a, 1_100);
  t.equal(times.expected(a), 1_000);
  times.learn(a, 3_000);
  t.equal(times.expected(a), 2_000);
  times.flush();
  t.equal(text().split('\n').length, 3);
});

await t.test('what a crash left is passed over', async (t) => {
  const whole = `${a.toString(36)} 700\n`;
  const { open } = setUp(
    t,
    `${whole}nonsense\n${b.toString(36)} 99999999999\n\0\0\n${'z'.repeat(40)}`,
  );
  const times = open();
  t.strictSame([times.expected(a), times.expected(b)], [700, undefined]);
});

await t.test('bounded in memory and on disk', async (t) => {
  const line = (n: number) => `${(n + 1).toString(36)} ${(n % 1_000) + 1}\n`;
  const many = Array.from({ length: TIMES.lines + 1 }, (_, n) => line(n)).join('');
  const { open, text } = setUp(t, many);
  const times = open();
  t.equal(times.expected(1), undefined, 'the oldest is gone');
  t.equal(times.expected(TIMES.lines + 1), (TIMES.lines % 1_000) + 1);
  t.equal(text().split('\n').length - 1, TIMES.units);
});

await t.test('written now and then by itself', async (t) => {
  const { open, text } = setUp(t);
  const times = open();
  for (let n = 0; n < TIMES.together; n++) times.learn(n, 50);
  t.equal(text().split('\n').length - 1, TIMES.together);
});

await t.test('where it cannot be kept memory will do, and that is told once', async (t) => {
  const { state, open, logged } = setUp(t);
  mkdirSync(`${state}/times`);
  const times = open();
  times.learn(a, 1_000);
  times.flush();
  times.learn(b, 1_000);
  times.flush();
  t.equal(times.expected(a), 1_000);
  t.match(logged, [/^times of compiles cannot be kept in .*EISDIR/]);
  t.equal(logged.length, 1);
});

await t.test('a file of another kind is no history', async (t) => {
  const { state, open } = setUp(t);
  writeFileSync(`${state}/times`, Buffer.alloc(1_000, 0xff));
  t.equal(open().expected(a), undefined);
});
