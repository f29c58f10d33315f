import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { BuildTotals } from '../../src/cli/build-totals.js';
import { LIVE } from '../../src/core/live-limits.js';

await t.test('a build is a directory and a command', async (t) => {
  const state = t.testdir();
  const totals = (directory: string, ...words: string[]) =>
    new BuildTotals(state, directory, words);
  t.equal(totals('/p', 'make', '-j4').last(), undefined);
  totals('/p', 'make', '-j4').remember(12);
  totals('/q', 'make', '-j4').remember(5);
  totals('/p', 'make', '-j4').remember(13);
  t.equal(totals('/p', 'make', '-j4').last(), 13);
  t.equal(totals('/q', 'make', '-j4').last(), 5);
  t.equal(totals('/p', 'make -j4').last(), undefined);
  t.strictSame(readdirSync(state), ['builds.json'], 'no temporary is left');
});

await t.test('the oldest are forgotten', async (t) => {
  const state = t.testdir();
  const totals = (n: number) => new BuildTotals(state, `/${n}`, ['make']);
  for (let n = 0; n < LIVE.builds; n++) totals(n).remember(n + 1);
  totals(0).remember(77);
  totals(LIVE.builds).remember(9);
  t.equal(totals(0).last(), 77, 'built again meanwhile');
  t.equal(totals(1).last(), undefined);
  t.equal(totals(2).last(), 3);
});

await t.test('a file that makes no sense counts as none, and is made anew', async (t) => {
  const state = t.testdir();
  const totals = new BuildTotals(state, '/p', ['make']);
  totals.remember(3);
  const key = /[0-9a-f]{64}/.exec(readFileSync(`${state}/builds.json`, 'utf8'))?.[0] ?? '';
  for (const text of ['', '{', '7', 'null', '{"builds":7}', `{"builds":{"${key}":"many"}}`]) {
    writeFileSync(`${state}/builds.json`, text);
    t.equal(totals.last(), undefined, text);
  }
  totals.remember(4);
  t.equal(totals.last(), 4);
});
