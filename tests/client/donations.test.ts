import t from 'tap';
import { Donations } from '../../src/client/donations.js';
import type { Settings } from '../../src/client/settings.js';
import { DONATION } from '../../src/core/limits.js';
import { ManualClock } from '../fixtures/manual-clock.js';

const ALIVE = new AbortController().signal;
const ON: Pick<Settings, 'donate' | 'donateLoad'> = { donate: true, donateLoad: undefined };

/** Launchers 1001, 1002, … have a shell each, those from 5001 on one together; make is 10. */
function setUp() {
  const tokens = new Map<string, number>();
  const host = { load: 0, memory: DONATION.memory, opened: 0, isClosed: false };
  const donations = new Donations({
    clock: new ManualClock(),
    cores: 2,
    load: () => host.load,
    memory: () => host.memory,
    identify(pid) {
      if (pid === 10) return { name: 'make', parent: 1 };
      if (pid > 5000) return { name: 'tscc', parent: 99 };
      return pid > 1000 ? { name: 'tscc', parent: -pid } : { name: 'sh', parent: 10 };
    },
    find: (address, make) =>
      address.kind === 'fifo'
        ? { id: address.path, path: address.path }
        : { id: `${make}`, path: '/p' },
    open(path) {
      host.opened++;
      if (host.isClosed) return undefined;
      return {
        put() {
          tokens.set(path, (tokens.get(path) ?? 0) + 1);
          return true;
        },
        take() {
          const there = tokens.get(path) ?? 0;
          tokens.set(path, Math.max(0, there - 1));
          return there > 0 ? 'taken' : 'none';
        },
        close() {},
      };
    },
  });
  const lend = (pid: number, settings = ON, flags = '-j2 --jobserver-auth=3,4') =>
    donations.lend({ pid, environment: new Map([['MAKEFLAGS', flags]]) }, settings);
  return { tokens, host, donations, lend };
}

await t.test('each recipe of a make lends one token to its jobserver', async (t) => {
  const { tokens, host, donations, lend } = setUp();
  const first = lend(1001);
  const second = lend(1002);
  t.strictSame([tokens.get('/p'), host.opened, donations.view()], [2, 1, { lent: 2, owed: 0 }]);
  await first?.takeBack(ALIVE);
  await second?.takeBack(ALIVE);
  t.strictSame([tokens.get('/p'), donations.view()], [0, { lent: 0, owed: 0 }]);
  await lend(1001)?.takeBack(ALIVE);
  t.equal(host.opened, 2, 'it was closed meanwhile');
});

await t.test('two launchers of one recipe have one token together', async (t) => {
  const { tokens, lend } = setUp();
  const first = lend(5001);
  t.ok(first);
  t.equal(lend(5002), undefined);
  t.equal(tokens.get('/p'), 1);
  await first?.takeBack(ALIVE);
  t.ok(lend(5002), 'one after the other');
});

await t.test('a debt is seen from outside', async (t) => {
  const { tokens, donations, lend } = setUp();
  const first = lend(1001);
  lend(1002);
  tokens.set('/p', 0);
  await first?.takeBack(ALIVE);
  t.strictSame(donations.view(), { lent: 2, owed: 1 });
});

await t.test('two jobservers do not mix', async (t) => {
  const { tokens, lend } = setUp();
  lend(1001, ON, '-j2 --jobserver-auth=fifo:/a');
  lend(1002, ON, '-j2 --jobserver-auth=fifo:/b');
  t.strictSame(
    [...tokens],
    [
      ['/a', 1],
      ['/b', 1],
    ],
  );
});

await t.test('nothing is lent', async (t) => {
  const { tokens, host, donations, lend } = setUp();
  t.equal(lend(1001, { ...ON, donate: false }), undefined, 'unless it is wanted');
  t.equal(lend(1001, ON, '-j'), undefined, 'without a jobserver');
  host.load = 2 * DONATION.loadPerCore + 0.1;
  t.equal(lend(1001), undefined, 'by a busy host');
  t.equal(lend(1001, { donate: true, donateLoad: 5 }), undefined);
  host.load = 0;
  host.memory--;
  t.equal(lend(1001), undefined, 'by a full one');
  host.memory++;
  host.isClosed = true;
  t.equal(lend(1001), undefined, 'to a make of somebody else');
  t.strictSame([[...tokens], donations.view()], [[], { lent: 0, owed: 0 }]);
  host.isClosed = false;
  host.load = 9;
  t.ok(lend(1001, { donate: true, donateLoad: 20 }), 'but who allows more load gets it');
});

await t.test('there is an end to it', (t) => {
  const { lend, donations } = setUp();
  for (let n = 1; n <= DONATION.tokens; n++) lend(1000 + n);
  t.equal(donations.view().lent, DONATION.tokens);
  t.equal(lend(4000), undefined);
  t.end();
});
