import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { removeSmallTree } from '../../src/platform/remove-small-tree.js';

await t.test('a small tree goes, and nothing that its links point to', async (t) => {
  const directory = t.testdir({ kept: { file: '' }, tree: { a: { b: { c: '' } }, d: '' } });
  symlinkSync(`${directory}/kept`, `${directory}/tree/a/link`);
  symlinkSync('nowhere', `${directory}/tree/dangling`);
  execFileSync('mkfifo', [`${directory}/tree/pipe`]);
  t.equal(removeSmallTree(`${directory}/tree`), true);
  t.notOk(existsSync(`${directory}/tree`));
  t.ok(existsSync(`${directory}/kept/file`));
});

await t.test('an empty directory that nobody may look into goes too', async (t) => {
  const tree = `${t.testdir({})}/tree`;
  mkdirSync(`${tree}/work/work`, { recursive: true });
  chmodSync(`${tree}/work/work`, 0);
  t.equal(removeSmallTree(tree), true);
  t.notOk(existsSync(tree));
});

await t.test('what is not small, or not there, is left to others', async (t) => {
  const tree = `${t.testdir({})}/tree`;
  mkdirSync(`${tree}/many`, { recursive: true });
  for (let n = 0; n < 100; n++) writeFileSync(`${tree}/many/${n}`, '');
  t.equal(removeSmallTree(tree), false);
  t.ok(existsSync(tree));
  t.equal(removeSmallTree(`${tree}/none`), false);
});
