import t from 'tap';
import { readSettings } from '../../src/client/settings.js';

const read = (variables: Record<string, string>) =>
  readSettings(new Map(Object.entries(variables)));

await t.test('nothing set', async (t) => {
  t.match(read({}), {
    hosts: undefined,
    mode: 'pump',
    fallback: true,
    verbose: false,
    progress: true,
    journal: true,
    ioTimeout: 31 * 60_000,
    connectTimeout: 2_000,
    session: undefined,
    configHome: undefined,
  });
});

await t.test("distcc's name counts where tscc's is unset", async (t) => {
  t.match(read({ DISTCC_HOSTS: 'a', DISTCC_FALLBACK: '0', DISTCC_VERBOSE: '1' }), {
    hosts: { variable: 'DISTCC_HOSTS', list: 'a' },
    fallback: false,
    verbose: true,
  });
  t.match(read({ TSCC_HOSTS: 'b', DISTCC_HOSTS: 'a', TSCC_FALLBACK: '1', DISTCC_FALLBACK: '0' }), {
    hosts: { variable: 'TSCC_HOSTS', list: 'b' },
    fallback: true,
  });
});

await t.test('an empty variable counts as unset, but an empty host list is a list', async (t) => {
  t.match(read({ TSCC_VERBOSE: '', DISTCC_VERBOSE: '1', TSCC_LOG: '', DISTCC_LOG: '/l' }), {
    verbose: true,
    log: '/l',
  });
  t.match(read({ TSCC_VERBOSE: '0', DISTCC_VERBOSE: '1', TSCC_LOG: '/t', DISTCC_LOG: '/l' }), {
    verbose: false,
    log: '/t',
  });
  t.match(read({ TSCC_HOSTS: '', DISTCC_HOSTS: 'a' }).hosts, { variable: 'TSCC_HOSTS', list: '' });
});

await t.test('times are given in seconds; nonsense counts as unset', async (t) => {
  t.equal(read({ DISTCC_IO_TIMEOUT: '90' }).ioTimeout, 90_000);
  t.equal(read({ TSCC_CONNECT_TIMEOUT: '0.5' }).connectTimeout, 500);
  t.equal(read({ TSCC_CONNECT_TIMEOUT: '-1' }).connectTimeout, 2_000);
  t.equal(read({ TSCC_CONNECT_TIMEOUT: 'soon' }).connectTimeout, 2_000);
});

await t.test('a session is a file name or nothing', async (t) => {
  t.equal(read({ TSCC_SESSION: '20261124-101530-a1b2' }).session, '20261124-101530-a1b2');
  t.equal(read({ TSCC_SESSION: '../../etc/passwd' }).session, undefined);
  t.equal(read({ TSCC_SESSION: '' }).session, undefined);
});

await t.test('where hosts files are', async (t) => {
  t.equal(read({ HOME: '/h' }).configHome, '/h/.config');
  t.equal(read({ HOME: '/h', XDG_CONFIG_HOME: '/c' }).configHome, '/c');
});

await t.test('TSCC_VERIFY is a part of a thousand', async (t) => {
  const verify = (value: string) => readSettings(new Map([['TSCC_VERIFY', value]])).verify;
  t.strictSame(
    ['', '0', '10', '1000', '2000', 'all', '-5', '1.5'].map(verify),
    [0, 0, 10, 1000, 1000, 0, 0, 0],
  );
  t.equal(readSettings(new Map()).verifyFail, false);
  t.equal(readSettings(new Map([['TSCC_VERIFY_FAIL', '1']])).verifyFail, true);
});

await t.test('a tier that is not understood is the highest', async (t) => {
  const tierOf = (value: string) => read({ TSCC_MIN_TIER: value }).minTier;
  t.strictSame(['', '0', '2', '3', '4', 'high', '-1'].map(tierOf), [0, 0, 2, 3, 3, 3, 3]);
});

await t.test('a journal is written unless it is turned off', async (t) => {
  t.equal(read({ TSCC_JOURNAL: '0' }).journal, false);
  t.equal(read({ TSCC_JOURNAL: '' }).journal, true);
});

await t.test('a progress line is there unless it is turned off', async (t) => {
  t.equal(read({ TSCC_PROGRESS: '0' }).progress, false);
  t.equal(read({ TSCC_PROGRESS: '1' }).progress, true);
  t.equal(read({ TSCC_PROGRESS: '' }).progress, true);
});

await t.test('lending tokens is asked for', async (t) => {
  t.match(read({}), { donate: false, donateLoad: undefined });
  t.match(read({ TSCC_DONATE: '0' }), { donate: false });
  t.match(read({ TSCC_DONATE: '1', TSCC_DONATE_LOAD: '7.5' }), { donate: true, donateLoad: 7.5 });
  for (const load of ['', '0', '-1', 'much']) {
    t.equal(read({ TSCC_DONATE_LOAD: load }).donateLoad, undefined, load);
  }
});
