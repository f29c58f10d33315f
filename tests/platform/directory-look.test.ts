import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { lookAtDirectory } from '../../src/platform/directory-look.js';
import { scratchDirectory } from '../fixtures/commands.js';

await t.test('directories, under any name', async (t) => {
  const root = scratchDirectory();
  mkdirSync(`${root}/a`);
  mkdirSync(`${root}/b`);
  symlinkSync('a', `${root}/link`);
  const a = lookAtDirectory(`${root}/a`);
  t.match(a, { kind: 'directory', identity: /^\d+:\d+$/ });
  t.strictSame(lookAtDirectory(`${root}/link`), a);
  t.strictSame(lookAtDirectory(`${root}/b/../a/.`), a);
  t.notSame(lookAtDirectory(`${root}/b`), a);
});

await t.test('what is none', async (t) => {
  const root = scratchDirectory();
  writeFileSync(`${root}/file`, '');
  symlinkSync('nowhere', `${root}/dangling`);
  symlinkSync('round', `${root}/round`);
  const kind = (name: string): string => lookAtDirectory(`${root}/${name}`).kind;
  t.equal(kind('nowhere'), 'absent');
  t.equal(kind('nowhere/below'), 'absent');
  t.equal(kind('dangling'), 'absent');
  t.equal(kind('file'), 'obstructed');
  t.equal(kind('file/below'), 'obstructed');
  t.equal(kind('round'), 'obstructed');
});
