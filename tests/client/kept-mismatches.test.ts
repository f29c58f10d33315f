import { readdirSync, readFileSync, statSync, utimesSync } from 'node:fs';
import t, { type Test } from 'tap';
import { KeptMismatches } from '../../src/client/kept-mismatches.js';
import { VERIFY } from '../../src/core/limits.js';
import { realFiles } from '../../src/platform/files.js';

const COMMAND = { cwd: '/w', argv: ['gcc', '-c', 'x.c'] };
const MISMATCH = {
  session: 's',
  host: 'red',
  source: 'x.c',
  differences: ['x.o at offset 0x0'],
  inputs: [{ path: '/w/x.h', digest: '00' }],
  remote: new Map([
    ['a/x.o', Buffer.from('theirs')],
    ['b/x.o', Buffer.from('too')],
    ['standard error', Buffer.from('')],
  ]),
  local: new Map([['a/x.o', Buffer.from('ours')]]),
};

function setUp(t: Test) {
  const state = t.testdir({});
  const logged: string[] = [];
  const names = { last: 0 };
  const kept = new KeptMismatches(state, {
    files: realFiles,
    clock: { now: () => 7 },
    unique: () => `${names.last++}`,
    log: (line) => logged.push(line),
  });
  return { state, kept, names, logged };
}

await t.test('both sides are kept, with what there is to say of them', async (t) => {
  const { state, kept } = setUp(t);
  const directory = (await kept.keep(COMMAND, MISMATCH)) ?? '';
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
  const { remote: _remote, local: _local, ...said } = MISMATCH;
  const record = { schema: 1, time: 7, ...COMMAND, ...said };
  t.strictSame(JSON.parse(readFileSync(`${directory}/mismatch.json`, 'utf8')), record);
});

await t.test('the newest are kept', async (t) => {
  const { state, kept } = setUp(t);
  await kept.keep(COMMAND, MISMATCH);
  utimesSync(`${state}/mismatches/s-0`, 1, 1);
  for (let n = 0; n < VERIFY.kept; n++) await kept.keep(COMMAND, MISMATCH);
  const names = readdirSync(`${state}/mismatches`);
  t.equal(names.length, VERIFY.kept);
  t.notOk(names.includes('s-0'), 'the oldest is gone');
});

await t.test('one that cannot be written is logged', async (t) => {
  const { kept, names, logged } = setUp(t);
  await kept.keep(COMMAND, MISMATCH);
  names.last = 0;
  t.equal(await kept.keep(COMMAND, MISMATCH), undefined, 'a name that is taken');
  t.match(logged, [/a mismatch cannot be kept: .*EEXIST/]);
});
