import { readdirSync, readFileSync, statSync, utimesSync } from 'node:fs';
import t from 'tap';
import { KeptMismatches } from '../../src/client/kept-mismatches.js';
import { VERIFY } from '../../src/core/limits.js';
import { realFiles } from '../../src/platform/files.js';

const RECORD = {
  schema: 1,
  time: 1,
  session: 's',
  host: 'red',
  source: 'x.c',
  cwd: '/w',
  argv: ['gcc'],
  differences: ['x.o at offset 0x0'],
} as const;

await t.test('both sides are kept, of the newest mismatches', async (t) => {
  const state = t.testdir({});
  const kept = new KeptMismatches(state, realFiles);
  const remote = new Map([
    ['a/x.o', Buffer.from('theirs')],
    ['b/x.o', Buffer.from('too')],
    ['standard error', Buffer.from('')],
  ]);
  const local = new Map([['a/x.o', Buffer.from('ours')]]);
  const directory = await kept.keep('s-0', RECORD, remote, local);
  t.equal(directory, `${state}/mismatches/s-0`);
  t.strictSame(readdirSync(directory).toSorted(), [
    'local-1-x.o',
    'mismatch.json',
    'remote-1-x.o',
    'remote-2-x.o',
    'remote-3-standard-error',
  ]);
  t.equal(readFileSync(`${directory}/remote-2-x.o`, 'utf8'), 'too');
  t.equal(statSync(`${directory}/local-1-x.o`).mode & 0o777, 0o600);
  t.strictSame(JSON.parse(readFileSync(`${directory}/mismatch.json`, 'utf8')), RECORD);
  utimesSync(directory, 1, 1);
  for (let n = 1; n <= VERIFY.kept; n++) await kept.keep(`s-${n}`, RECORD, remote, local);
  const names = readdirSync(`${state}/mismatches`);
  t.equal(names.length, VERIFY.kept);
  t.notOk(names.includes('s-0'), 'the oldest is gone');
  await t.rejects(kept.keep('s-1', RECORD, remote, local), { code: 'EEXIST' });
});
