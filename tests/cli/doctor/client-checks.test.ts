import t from 'tap';
import { parseHostList } from '../../../src/client/host-list.js';
import { examine } from '../../../src/cli/doctor/check.js';
import { CLIENT_CHECKS } from '../../../src/cli/doctor/client-checks.js';
import type {
  ClientFacts,
  CompilerFacts,
  StateFacts,
} from '../../../src/cli/doctor/client-facts.js';
import { failure, success } from '../../../src/core/errors.js';

const STATE: StateFacts = {
  directory: '/home/x/state',
  wanted: '/home/x/state',
  isOwn: true,
  mode: 0o700,
  free: 1 << 30,
  clockOff: 0,
  isCoarse: false,
  isLocal: true,
};

const GCC: CompilerFacts = {
  name: 'gcc',
  candidates: [{ path: '/usr/bin/gcc', wrapper: undefined }],
  identity: { is: 'gcc 12.2.0' },
};

function hosts(list: string): ClientFacts['hosts'] {
  const parsed = parseHostList(list);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return { origin: 'TSCC_HOSTS', list: parsed };
}

const WELL: ClientFacts = {
  version: '1.0.0',
  node: '20.19.0',
  programs: [
    { path: '/opt/bin/tscc', failure: undefined },
    { path: '/opt/bin/tscc-watch', failure: undefined },
  ],
  variables: new Map([
    ['TSCC_HOSTS', 'red'],
    ['TSCC_MODE', 'plain'],
    ['TSCC_MIN_TIER', '2'],
    ['TSCC_IO_TIMEOUT', '0.5'],
  ]),
  state: success(STATE),
  sockets: { directory: '/run/x/tscc', isThere: true, isOwn: true, isWritable: true, mode: 0o700 },
  daemon: { kind: 'answers', version: '1.0.0', pid: 7 },
  hosts: hosts('red green/8'),
  key: { path: '/home/x/key', failure: undefined },
  inotify: { watches: 100_000, instances: 128 },
  openFiles: 4096,
  compilers: [GCC],
  tree: { directory: '/src', isLocal: true },
};

/** What one check finds when these facts are not as they should be. */
function found(check: string, changes: Partial<ClientFacts>) {
  return examine('here', CLIENT_CHECKS, { ...WELL, ...changes })
    .filter((one) => one.check === check)
    .map(({ status, what, fix }) =>
      fix === null ? `${status} ${what}` : `${status} ${what} → ${fix}`,
    );
}

await t.test('a host on which all is well', async (t) => {
  const all = examine('here', CLIENT_CHECKS, WELL);
  t.strictSame(
    all.filter(({ status }) => status !== 'ok'),
    [],
  );
  t.strictSame(
    [...new Set(all.map(({ check }) => check))],
    CLIENT_CHECKS.map(({ name }) => name),
  );
});

await t.test('nothing that is not well is the only thing that is found', async (t) => {
  // Facts, the check that they concern, and what it says.
  const cases: [check: string, changes: Partial<ClientFacts>, finding: RegExp][] = [
    ['node', { node: '18.20.1' }, /^wrong Node.js 18.20.1 is too old → install/],
    ['node', { node: '20.18.3' }, /^wrong/],
    ['node', { node: '22.0.0' }, /^ok/],
    [
      'programs',
      { programs: [{ path: '/opt/bin/tscc', failure: 'ENOEXEC' }] },
      /^wrong \/opt\/bin\/tscc cannot be run: ENOEXEC → npm run build/,
    ],
    [
      'settings',
      { variables: new Map([['TSCC_MIN_TIER', 'all']]) },
      /^warning TSCC_MIN_TIER=all counts as 3 → correct or unset TSCC_MIN_TIER/,
    ],
    ['settings', { variables: new Map([['TSCC_MODE', 'pmup']]) }, /^warning .* counts as pump/],
    ['settings', { variables: new Map([['TSCC_MODE', 'local']]) }, /^warning .*nothing goes out/],
    [
      'settings',
      { variables: new Map([['TSCC_IO_TIMEOUT', '0']]) },
      /^warning .* number of seconds/,
    ],
    ['settings', { variables: new Map([['TSCC_VERIFY', '1e3']]) }, /^warning .* counts as 0/],
    ['settings', { variables: new Map([['TSCC_VERIFY', '']]) }, /^ok TSCC_VERIFY/],
    ['settings', { variables: new Map() }, /^ok none in the environment/],
    ['state', { state: failure('no state directory: full') }, /^wrong no state .* → set TSCC_DIR/],
    ['state', { state: success({ ...STATE, isOwn: false }) }, /^wrong .* is not yours → chown/],
    ['state', { state: success({ ...STATE, mode: 0o777 }) }, /^wrong .*mode 0777.* → chmod 700/],
    [
      'state',
      { state: success({ ...STATE, wanted: '/gone' }) },
      /^warning \/gone cannot be used, \/home\/x\/state takes its place → make \/gone/,
    ],
    ['disk', { state: success({ ...STATE, free: 1 << 20 }) }, /^warning 1 MiB free .* → remove/],
    [
      'sockets',
      { sockets: { ...WELL.sockets, mode: 0o755 } },
      /^wrong \/run\/x\/tscc is open to others \(mode 0755\).* → remove it/,
    ],
    [
      'sockets',
      { sockets: { ...WELL.sockets, isOwn: false } },
      /^wrong .* not a directory of yours/,
    ],
    ['sockets', { sockets: { ...WELL.sockets, isThere: false } }, /^ok .*made when/],
    [
      'sockets',
      { sockets: { ...WELL.sockets, isThere: false, isWritable: false } },
      /^wrong .* cannot be made.* → correct or unset XDG_RUNTIME_DIR/,
    ],
    ['sockets', { sockets: { ...WELL.sockets, isWritable: false } }, /^wrong .* cannot be written/],
    ['daemon', { daemon: { kind: 'none', hasFailed: false, log: '/l' } }, /^ok none runs/],
    ['daemon', { daemon: { kind: 'none', hasFailed: true, log: '/l' } }, /^wrong .* → read \/l/],
    [
      'daemon',
      { daemon: { kind: 'answers', version: '0.9.0', pid: 7 } },
      /^warning tscc 0.9.0 runs, this is 1.0.0 → tscc stop/,
    ],
    ['daemon', { daemon: { kind: 'silent', why: 'EPERM' } }, /^warning .*EPERM.* → tscc stop/],
    [
      'hosts',
      { hosts: { origin: '/etc/tscc/hosts', list: failure('/etc/tscc/hosts:1:2: no') } },
      /^wrong \/etc\/tscc\/hosts:1:2: no → correct the list/,
    ],
    ['hosts', { hosts: hosts('localhost/2') }, /^wrong TSCC_HOSTS names no server: all compiles/],
    [
      'hosts',
      { hosts: { ...hosts(''), origin: undefined } },
      /^wrong there is no host list.* → set TSCC_HOSTS/,
    ],
    [
      'key',
      { key: { path: '/k', failure: 'key file /k is no' } },
      /^wrong key file \/k is no → chmod/,
    ],
    [
      'inotify',
      { inotify: { watches: 8192, instances: null } },
      /^warning fs.inotify.max_user_watches is 8192.* → sysctl -w fs.inotify.max_user_watches=/,
    ],
    ['inotify', { inotify: { watches: null, instances: 8 } }, /^warning .*max_user_instances is 8/],
    [
      'clock',
      { state: success({ ...STATE, clockOff: -3000, isLocal: false }) },
      /^wrong .*3000 ms behind .* → set the clocks/,
    ],
    ['clock', { state: success({ ...STATE, clockOff: 100 }) }, /^wrong .*100 ms ahead of/],
    ['clock', { state: success({ ...STATE, clockOff: 100, isLocal: false }) }, /^ok/],
    [
      'clock',
      { state: success({ ...STATE, isCoarse: true }) },
      /^warning .*whole seconds.* → set TSCC/,
    ],
    [
      'tree',
      { tree: { directory: '/nfs', isLocal: false } },
      /^warning \/nfs .* → build on a local/,
    ],
    ['descriptors', { openFiles: 256 }, /^warning 256 open files are few .* → raise/],
    ['descriptors', { openFiles: Infinity }, /^ok/],
    ['compilers', { compilers: [{ ...GCC, candidates: [] }] }, /^wrong none along PATH → install/],
    [
      'compilers',
      { compilers: [{ ...GCC, identity: { declined: 'compiler-is-script' } }] },
      /^warning \/usr\/bin\/gcc compiles here only: the compiler is a script; .* → put/,
    ],
  ];
  for (const [check, changes, finding] of cases) {
    const findings = found(check, changes);
    t.equal(findings.length, 1, `${check}: one finding`);
    t.match(findings[0], finding);
  }
  const tested = new Set(cases.map(([check]) => check));
  t.strictSame(
    CLIENT_CHECKS.map(({ name }) => name).filter((name) => !tested.has(name)),
    [],
    'each check was seen to find something',
  );
});

await t.test('links before a compiler are fine, links without one are a loop', async (t) => {
  const link = { path: '/links/gcc', wrapper: 'tscc' };
  const [behind] = found('compilers', {
    compilers: [{ ...GCC, candidates: [link, ...GCC.candidates] }],
  });
  t.equal(behind, 'ok /usr/bin/gcc, gcc 12.2.0, past /links/gcc');
  const ccache = { path: '/usr/lib/ccache/gcc', wrapper: 'ccache' };
  const [loop] = found('compilers', {
    compilers: [{ ...GCC, candidates: [link, ccache], identity: undefined }],
  });
  t.match(
    loop,
    /^wrong gcc leads to tscc and its like only \(\/links\/gcc, \/usr\/lib\/ccache\/gcc\)/,
  );
});

await t.test('what cannot be known is not checked', async (t) => {
  t.strictSame(found('key', { key: undefined }), []);
  t.strictSame(found('disk', { state: failure('none') }), []);
  t.strictSame(found('clock', { state: failure('none') }), []);
  t.strictSame(found('inotify', { inotify: { watches: null, instances: null } }), []);
});
