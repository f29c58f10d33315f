import t from 'tap';
import { newSessionName } from '../../src/client/session-name.js';
import { isSessionName } from '../../src/report/journal.js';

const stamp = (): string => new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '');

await t.test('a name is the time, to be sorted by, and fit for a file', async (t) => {
  const before = stamp();
  const name = newSessionName();
  t.match(name, /^[0-9]{8}-[0-9]{6}-[0-9a-f]{4}$/);
  t.equal(isSessionName(name), true);
  const time = name.slice(0, 15).replace('-', 'T');
  t.ok(before <= time && time <= stamp(), name);
});

await t.test('builds that start in the same second have names of their own', async (t) => {
  const endings = Array.from({ length: 20 }, () => newSessionName().slice(-4));
  // Two of them may be the same by chance, which a person can live with.
  t.ok(new Set(endings).size > 15);
});
