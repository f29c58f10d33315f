import { lstatSync, symlinkSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { SERVER } from '../../src/core/limits.js';
import { JobUsers } from '../../src/server/job-users.js';

await t.test('no two compiles have one user, and each is free again', async (t) => {
  const users = new JobUsers(7);
  const [first, second] = [users.claim(), users.claim()];
  t.equal(first.id, SERVER.firstUser + 7 * SERVER.users);
  t.equal(second.id, first.id + 1);
  first.release();
  const third = users.claim();
  t.equal(third.id, first.id);
  second.release();
  second.release();
  t.equal(users.claim().id, second.id);
});

await t.test('servers have users of their own, none of them anybody’s', async (t) => {
  const most = new JobUsers(SERVER.serversWithUsers - 1);
  const ids = Array.from({ length: SERVER.users }, () => most.claim().id);
  t.equal(new Set(ids).size, SERVER.users);
  t.equal(Math.max(...ids), 0x7fff_ffff, 'the last number that is one with a sign too');
  t.throws(() => most.claim(), { code: 'sandbox', message: /more than 4096 compiles/ });
  t.equal(new JobUsers(SERVER.serversWithUsers).claim().id, SERVER.firstUser);
});

await t.test('what is theirs', { skip: process.getuid?.() !== 0 && 'not root' }, async (t) => {
  const directory = t.testdir({});
  writeFileSync(`${directory}/file`, '');
  symlinkSync('file', `${directory}/link`);
  const user = new JobUsers(1).claim();
  user.own(`${directory}/link`);
  t.equal(lstatSync(`${directory}/link`).uid, user.id);
  t.equal(lstatSync(`${directory}/file`).uid, 0, 'a link is not followed');
  user.own(`${directory}/file`);
  t.match(lstatSync(`${directory}/file`), { uid: user.id, gid: user.id });
});
