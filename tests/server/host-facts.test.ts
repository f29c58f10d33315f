import { readFileSync, statfsSync } from 'node:fs';
import { release } from 'node:os';
import t from 'tap';
import { HostFacts } from '../../src/server/host-facts.js';
import { ManualClock } from '../fixtures/manual-clock.js';

await t.test('this host, as the kernel tells of it', async (t) => {
  const store = t.testdir({});
  const clock = new ManualClock();
  const about = await new HostFacts(store, 100, () => 7, clock).about();
  const { type, bsize, blocks } = statfsSync(store);
  t.match(about, {
    time: clock.now(),
    kernel: release(),
    isRoot: process.getuid?.() === 0,
    storeBytes: 7,
    storeLimit: 100,
    storeFileSystem: type,
    maxUserNamespaces: Number(readFileSync('/proc/sys/user/max_user_namespaces', 'utf8')),
  });
  t.ok(about.storeFree > 0 && about.storeFree <= blocks * bsize);
});

await t.test('a store that is gone', async (t) => {
  const facts = new HostFacts(`${t.testdir({})}/gone`, 1, () => 0, new ManualClock());
  await t.rejects(facts.about(), { code: 'ENOENT' });
});
