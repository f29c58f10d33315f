import { spawnSync } from 'node:child_process';
import { readdirSync, renameSync } from 'node:fs';
import t from 'tap';
import { SERVER } from '../../src/core/limits.js';
import { buildBareHost, buildOldHost, CANNOT_BE_BARE } from '../fixtures/bare-host.js';
import { JobCell } from '../fixtures/job-cell.js';
import { ManualClock } from '../fixtures/manual-clock.js';
import { NO_NAMESPACES_TO_TAKE, WITHOUT_NAMESPACES } from '../fixtures/without-namespaces.js';
import { without } from '../fixtures/tools.js';
import { until } from '../fixtures/until.js';

const cell = await JobCell.open(t);
const sealed = await cell.canSeal();
const skip = sealed !== true && process.env['CI'] !== 'true' ? `cannot seal: ${sealed}` : false;

await t.test('a root is tried and leaves nothing', { skip }, async (t) => {
  t.equal(sealed, true);
  t.strictSame(readdirSync(cell.store).toSorted(), ['jobs', 'mount', 'root-1']);
  const [server] = readdirSync(`${cell.store}/jobs`);
  t.strictSame(readdirSync(`${cell.store}/jobs/${server}`), []);
});

await t.test('a sandbox that does not hold is tried again soon', { skip }, async (t) => {
  const host = await JobCell.open(t);
  const sandbox = await host.measure();
  const clock = new ManualClock();
  const log: string[] = [];
  const stop = sandbox.keepTrying(clock, (line) => log.push(line));
  const [jobs] = readdirSync(`${host.store}/jobs`).map((name) => `${host.store}/jobs/${name}`);
  if (jobs === undefined) throw new Error('no directory of this server');
  renameSync(jobs, `${host.store}/away`);
  clock.advance(SERVER.canary);
  await until(() => log.length === 1);
  t.match(log[0], /does not hold any more, and no job is taken: ENOENT/);
  t.match(sandbox.failure, /ENOENT/);
  await until(() => clock.pending === 1);
  renameSync(`${host.store}/away`, jobs);
  clock.advance(SERVER.canaryAgain);
  await until(() => log.length === 2);
  t.equal(log[1], 'the sandbox holds again: jobs are taken');
  t.equal(sandbox.failure, undefined);
  await until(() => clock.pending === 1);
  stop();
  t.equal(clock.pending, 0);
});

await t.test('a second server finds the bottom layer made', { skip }, async (t) => {
  const again = await JobCell.open(t, 'exec "$RUNNER"', cell.store);
  t.equal(await again.canSeal(), true);
});

const UNSHARE = process.getuid?.() === 0 ? 'unshare -mU' : 'unshare -mUr';
const cannotUnshare =
  spawnSync('sh', ['-c', `${UNSHARE} true`]).status !== 0 && without('unshare', 'a user namespace');

/** How a host can be, as shell that becomes the runner; what is said of it. */
const HOSTS: readonly (readonly [name: string, script: string, said: RegExp])[] = [
  [
    'without user namespaces',
    `exec unshare -Ur sh -c 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$0"' "$RUNNER"`,
    /could not make namespaces: ENOSPC \(the sysctl user\.max_user_namespaces/,
  ],
  [
    'in a chroot',
    // A process whose root is not its namespace's may make no user namespace.
    `exec unshare -Urm sh -c 'mount --rbind / /mnt && exec chroot /mnt "$0"' "$RUNNER"`,
    /could not make namespaces: EPERM \(unprivileged user namespaces are off/,
  ],
  [
    'with its store on an overlay',
    `exec unshare -Urm sh -c '
       mkdir "$1-over" && mount -t tmpfs none "$1-over" && mkdir "$1-over/u" "$1-over/w" &&
       mount -t overlay -o "userxattr,lowerdir=$1,upperdir=$1-over/u,workdir=$1-over/w" none "$1" &&
       exec "$0"' "$RUNNER" "$STORE"`,
    /could not mount the overlay: EINVAL \(.* no overlay itself\)/,
  ],
];

for (const [name, script, said] of HOSTS) {
  await t.test(`a host ${name}`, { skip: skip || cannotUnshare }, async (t) => {
    const host = await JobCell.open(t, script);
    const answer = await host.canSeal();
    t.match(answer, said);
    t.notMatch(answer, /\n/);
  });
}

await t.test('without namespaces', { skip: NO_NAMESPACES_TO_TAKE }, async (t) => {
  const [program, ...words] = WITHOUT_NAMESPACES;
  const host = await JobCell.open(
    t,
    `exec ${program} ${words.map((word) => `'${word}'`).join(' ')} "$RUNNER"`,
  );
  const sandbox = await host.measure();
  t.match(sandbox, { tier: 2, plainTier: 2, pump: 'own', failure: undefined });
  t.strictSame(sandbox.features, ['pump-own-compilers']);
  t.strictSame(host.roots.sealing, { kind: 'supervisor' });
  t.equal(await sandbox.check(), undefined, 'it still holds');
  t.strictSame(host.log, []);
});

await t.test('nor a supervisor', { skip: NO_NAMESPACES_TO_TAKE || CANNOT_BE_BARE }, async (t) => {
  const [program, ...words] = WITHOUT_NAMESPACES;
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const host = await JobCell.open(t, `exec ${program} ${quoted} ${buildOldHost(t)} "$RUNNER"`);
  const sandbox = await host.measure();
  t.match(sandbox, { tier: 2, plainTier: 2, pump: 'none', features: [] });
  t.match(
    sandbox.missing.join('; '),
    /supervisor answer for such roots: could not have its system calls answered: EINVAL \(answers/,
  );
});

await t.test('a runner that is not there', async (t) => {
  const host = await JobCell.open(t, 'exec /nonexistent');
  t.match(await host.canSeal(), /the runner ended/);
});

await t.test(
  'neither namespaces nor Landlock: a user for each',
  { skip: CANNOT_BE_BARE },
  async (t) => {
    const host = await JobCell.open(t, `exec ${buildBareHost(t)} "$RUNNER"`);
    const sandbox = await host.measure();
    t.match(sandbox, { tier: 1, plainTier: 1, failure: undefined });
    t.match(sandbox.missing, [
      /Landlock for plain jobs: could not use Landlock: ENOSYS \(Landlock needs Linux 5\.13/,
      /roots of their own: could not make namespaces: EPERM \(unprivileged user namespaces are off/,
    ]);
    t.equal(sandbox.missing.length, 2, 'no compiler runs as root');
    t.same(sandbox.confine(['/x']), {
      barriers: { landlock: false, seccomp: true },
      readable: ['/x'],
    });
    t.equal(await sandbox.check(), undefined, 'it still holds');
    const user = sandbox.users?.claim();
    t.ok(user !== undefined && user.id >= SERVER.firstUser);
  },
);

await t.test(
  'without Landlock, who is not root has no tier',
  { skip: CANNOT_BE_BARE },
  async (t) => {
    const script = `exec ${buildBareHost(t)} setpriv --bounding-set=-setuid "$RUNNER"`;
    const sandbox = await (await JobCell.open(t, script)).measure();
    t.match(sandbox, { tier: 0, plainTier: 0, users: undefined });
    t.match(sandbox.missing[1], /users of their own: could not take a user of its own: EPERM/);
    t.equal(sandbox.confine([]), undefined);
  },
);
