import t from 'tap';
import type { HostAnswer } from '../../../src/cli/host-answer.js';
import { examine } from '../../../src/cli/doctor/check.js';
import { sandboxFixes } from '../../../src/cli/doctor/sandbox-fixes.js';
import { SERVER_CHECKS } from '../../../src/cli/doctor/server-checks.js';
import type { ServerFacts } from '../../../src/cli/doctor/server-facts.js';
import { DialFailure, type DialStep } from '../../../src/client/dial.js';
import type { About } from '../../../src/protocol/about-messages.js';
import type { ServerState, Welcome } from '../../../src/protocol/plain-messages.js';
import { remoteHost, STATE } from '../../fixtures/fake-server.js';

const GiB = 1 << 30;

const ABOUT: About = {
  kind: 'about',
  time: 1_000_000,
  kernel: '6.1.0-18-amd64',
  isRoot: false,
  isContainer: false,
  maxUserNamespaces: 100_000,
  unprivilegedUsernsClone: 1,
  apparmorRestrictUserns: 0,
  hasLandlock: true,
  storeBytes: GiB,
  storeLimit: 4 * GiB,
  storeFree: 20 * GiB,
  storeFileSystem: 0xef53,
};

const WELCOME: Welcome = {
  kind: 'welcome',
  protocol: 6,
  version: '1.0.0',
  host: 'red',
  slots: 8,
  features: [],
  tier: 3,
  plainTier: 2,
  missing: [],
};

interface UpChanges {
  readonly welcome?: Partial<Welcome>;
  readonly state?: Partial<ServerState>;
  readonly about?: Partial<About>;
  readonly has?: readonly boolean[];
}

const up = ({ welcome, state, about, has = [true, true] }: UpChanges = {}): HostAnswer => ({
  kind: 'up',
  address: '10.0.0.3',
  welcome: { ...WELCOME, ...welcome },
  state: { ...STATE, slots: 8, ...state },
  has,
  about: { is: { ...ABOUT, ...about }, asked: 999_990, heard: 1_000_010 },
});

const WELL: ServerFacts = {
  host: remoteHost('red'),
  minTier: 0,
  keyFile: '/home/x/key',
  reach: { address: '10.0.0.3' },
  answer: up(),
  toolchains: [
    { name: 'gcc', version: '12.2.0' },
    { name: 'clang', version: '14.0.6' },
  ],
  trials: [
    { mode: 'pump', result: { kind: 'same', first: 900, again: 41.4, here: 20 } },
    { mode: 'plain', result: { kind: 'same', first: 50, again: 40, here: 20 } },
  ],
};

/** Facts of a host that was not reached: what failed, with its words. */
function down(step: DialStep | undefined, why: string, address?: string): Partial<ServerFacts> {
  const failure = step === undefined ? undefined : new DialFailure(why, step, address);
  return {
    reach: step === undefined || step === 'key' ? { address: '10.0.0.3' } : { step, why, address },
    answer: { kind: 'down', why, failure, address },
    trials: [],
  };
}

function findings(changes: Partial<ServerFacts>) {
  return examine('red', SERVER_CHECKS, { ...WELL, ...changes });
}

function found(check: string, changes: Partial<ServerFacts>): string[] {
  return findings(changes)
    .filter((one) => one.check === check)
    .map(({ status, what, fix }) =>
      fix === null ? `${status} ${what}` : `${status} ${what} → ${fix}`,
    );
}

await t.test('a server with which all is well', async (t) => {
  t.strictSame(
    findings({ minTier: 2 }).map(({ check, status }) => `${check} ${status}`),
    [
      ...['name', 'port', 'key', 'protocol', 'slots', 'sandbox', 'min-tier', 'toolchain'],
      ...['toolchain', 'store', 'skew', 'pump', 'plain'],
    ].map((check) => `${check} ok`),
  );
  t.match(found('pump', {})[0], /same object: 900 ms at first, then 41 ms \(here 20 ms\)/);
  t.match(found('key', { keyFile: undefined })[0], /^ok none, on this machine/);
});

await t.test('one that is not reached: what is known, and no more', async (t) => {
  const cases: [facts: Partial<ServerFacts>, checks: string[], finding: RegExp][] = [
    [down('name', 'unknown host'), ['name wrong'], /getent hosts red/],
    [
      down('port', 'connection refused', '10.0.0.3'),
      ['name ok', 'port wrong'],
      /tsccd --listen 0.0.0.0:3634 --key-file FILE/,
    ],
    [
      down('key', 'the server has another key', '10.0.0.3'),
      ['name ok', 'port ok', 'key wrong'],
      /one key file, mode 0600/,
    ],
    [
      down(undefined, 'tsccd 9 speaks protocol 7', '10.0.0.3'),
      ['name ok', 'port ok', 'protocol wrong'],
      /same tscc on both/,
    ],
  ];
  for (const [facts, checks, finding] of cases) {
    const all = findings(facts);
    t.strictSame(
      all.map(({ check, status }) => `${check} ${status}`),
      checks,
    );
    t.match(all.at(-1)?.fix, finding);
  }
  const here = remoteHost('127.0.0.1:4000', { host: '127.0.0.1', port: 4000 });
  t.match(
    found('port', { ...down('port', 'refused'), host: here })[0],
    /tsccd --listen 127.0.0.1:4000/,
  );
});

await t.test('what may be wrong with one that answers', async (t) => {
  const low = { tier: 2, missing: ['jobs cannot be sealed off'] };
  const cases: [check: string, changes: Partial<ServerFacts>, finding: RegExp][] = [
    ['slots', { answer: up({ state: { draining: true } }) }, /^warning .* about to end → start/],
    ['slots', { host: remoteHost('red', { slots: 3 }) }, /^ok 3 of 8/],
    [
      'sandbox',
      { answer: up({ welcome: low, about: { maxUserNamespaces: 0 } }) },
      /^warning tier 2, of plain jobs 2, so no pump mode; jobs cannot .* → sysctl -w user.max_user_namespaces=/,
    ],
    [
      'sandbox',
      { answer: up({ welcome: { missing: ['give --user NAME'] }, about: { isRoot: true } }) },
      /^warning tier 3, of plain jobs 2; give --user NAME → start it there with --user/,
    ],
    [
      'min-tier',
      { minTier: 3, answer: up({ welcome: low }) },
      /^wrong TSCC_MIN_TIER=3, but it has tier 2: no compile goes there → .*or ask for less/,
    ],
    [
      'min-tier',
      { minTier: 3, host: remoteHost('red', { minTier: 3 }), answer: up({ welcome: low }) },
      /^wrong min-tier=3, but/,
    ],
    [
      'min-tier',
      { minTier: 3, host: remoteHost('red', { mode: 'plain' }) },
      /^wrong TSCC_MIN_TIER=3, but it has tier 2/,
    ],
    [
      'store',
      { answer: up({ about: { storeFree: 100 * (1 << 20) } }) },
      /^warning .* 100 MiB are soon full → make room/,
    ],
    ['store', { answer: up({ about: { storeBytes: 4 * GiB, storeFree: 9 } }) }, /^ok/],
    ['skew', { answer: up({ about: { time: 1_000_000 + 90_000 } }) }, /^warning .*90 s ahead of/],
    ['skew', { answer: up({ about: { time: 1_000_000 - 90_000 } }) }, /^warning .*90 s behind/],
    ['skew', { answer: up({ about: { time: 1_001_500 } }) }, /^ok clocks agree to 1500 ms/],
    [
      'pump',
      { trials: [{ mode: 'pump', result: { kind: 'differs' } }] },
      /^wrong .* another object .* → set TSCC_MODE=local/,
    ],
    [
      'plain',
      { trials: [{ mode: 'plain', result: { kind: 'failed', why: 'no-server: x' } }] },
      /^wrong .* no-server: x → see tsccd's log/,
    ],
  ];
  for (const [check, changes, finding] of cases) {
    const lines = found(check, changes);
    t.equal(lines.length, 1, check);
    t.match(lines[0], finding);
  }
});

await t.test('a compiler is there, or can be sent, or neither', async (t) => {
  const has = [false, true];
  t.strictSame(found('toolchain', { answer: up({ has }) }), [
    'ok gcc 12.2.0 is sent there in pump mode',
    'ok clang 14.0.6 is there',
  ]);
  for (const changes of [
    { answer: up({ has, welcome: { tier: 2 } }) },
    { answer: up({ has }), host: remoteHost('red', { mode: 'plain' as const }) },
  ]) {
    const [gcc, clang] = found('toolchain', changes);
    t.match(gcc, /^warning it has no gcc 12.2.0 .* → install the same package/);
    t.match(clang, /^ok/);
  }
});

await t.test('each known cause of a lower tier has its fix', async (t) => {
  const cases: [about: Partial<About>, missing: string, fix: RegExp][] = [
    [{}, 'all: the server runs with --unsafe-no-sandbox', /^start it without --unsafe-no-sandbox$/],
    [{ maxUserNamespaces: 0 }, '', /max_user_namespaces=15000/],
    [{ unprivilegedUsernsClone: 0 }, '', /unprivileged_userns_clone=1/],
    [{ apparmorRestrictUserns: 1 }, '', /AppArmor profile/],
    [{ kernel: '5.10.0-28' }, '', /boot Linux 5.11 or newer there \(it has 5.10.0-28\)/],
    [{ storeFileSystem: 0x6969 }, 'mount the overlay: EINVAL', /--store on a local disk: NFS/],
    [{ hasLandlock: false }, '', /lsm=landlock/],
    [{ hasLandlock: null, kernel: '5.12.0' }, 'cannot use Landlock', /lsm=landlock/],
    [{ isContainer: true }, 'make namespaces: EPERM', /seccomp=unconfined/],
    [{ isRoot: true }, 'compilers run as root: give --user NAME', /--user NAME/],
    [{}, 'something new', /^see tsccd's log there/],
  ];
  for (const [about, missing, fix] of cases) {
    const fixes = sandboxFixes({ ...ABOUT, ...about }, [missing]);
    t.equal(fixes.length, 1, JSON.stringify(about));
    t.match(fixes[0], fix);
  }
  t.match(sandboxFixes(undefined, ['x'])[0], /log/, 'where nothing was told');
  const root = { ...ABOUT, apparmorRestrictUserns: 1, isRoot: true };
  t.match(sandboxFixes(root, ['x'])[0], /log/, 'root is not restricted');
});
