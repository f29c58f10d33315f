/**
 * How well this server seals compilers off, by trying: a canary in a compiler's place tries to break
 * out, at the server's start and every hour. What it is told here stands in WELCOME.
 *
 *   tier 3   pump jobs: a root of their own in namespaces, and what tier 2 has
 *   tier 2   plain jobs: Landlock, seccomp, limits; no privilege, no network
 *            pump jobs: the same, and a supervisor that answers for a root of their own
 *   tier 1   plain jobs: a user of their own in Landlock's place, where root runs the server
 *   tier 0   nothing, and only where the person who runs the server has said so
 *
 * Which barriers a host has is found out once. From then on every job is started with just these, and
 * fails where one cannot be put up; when the canary gets out, no job is taken until it stays in again.
 */
import { execFile } from 'node:child_process';
import { lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { fromText, type ByteString } from '../core/byte-string.js';
import { describeError } from '../core/errors.js';
import { SERVER } from '../core/limits.js';
import type { Clock, Timer } from '../platform/clock.js';
import { featuresOf, type PumpOffer } from '../protocol/pump-offer.js';
import type { JobDirectories, JobDirectory } from './job-directory.js';
import type { JobRoots, RootSealing } from './job-root.js';
import { JobUsers } from './job-users.js';
import {
  ALL_BARRIERS,
  NO_BARRIERS,
  type Barriers,
  type Confinement,
  type Runner,
} from './runner.js';

/** What clients and jobs ask. */
export interface SandboxState {
  /** Of jobs in roots of their own; the same as `plainTier` where there are none. */
  readonly tier: number;
  /** Which compilers pump jobs may come with. */
  readonly pump: PumpOffer;
  /** The same as WELCOME tells it. */
  readonly features: readonly string[];
  readonly plainTier: number;
  /** What a full sandbox would have besides, each in a line for people. */
  readonly missing: readonly string[];
  /** Why no job may be started, undefined if all is well. */
  readonly failure: string | undefined;
  /** For a plain job; undefined where none can be sealed off, and must be. */
  confine(readable: readonly ByteString[]): Confinement | undefined;
  /** A plain job needs one of these too; undefined where it does not. */
  readonly users: JobUsers | undefined;
}

/** What to do about the failures that hosts are known for. */
const REMEDIES: readonly (readonly [failure: RegExp, remedy: string])[] = [
  [/make namespaces: ENOSPC/, 'the sysctl user.max_user_namespaces, or another of its kind, is 0'],
  [
    /(make namespaces|map its \w+|give up setgroups|detach its mounts): E(PERM|ACCES)/,
    'unprivileged user namespaces are off: see the sysctls kernel.unprivileged_userns_clone and ' +
      "kernel.apparmor_restrict_unprivileged_userns, or the container's seccomp profile",
  ],
  [
    /mount the overlay: (EINVAL|ENODEV|EPERM)/,
    'overlayfs needs Linux 5.11, and a store on a local file system that is no overlay itself',
  ],
  [/mknod/, 'whiteouts need Linux 5.8, and a store that may hold device files'],
  [/take a (user|group) of its own/, 'root needs its capabilities, and all numbers of users'],
  [/have (its )?system calls answered/, 'answers need Linux 5.14'],
  [/a compiler's (memory|system calls)/, 'see the sysctl kernel.yama.ptrace_scope: 1 or less'],
  [/use Landlock/, 'Landlock needs Linux 5.13, and its name in /sys/kernel/security/lsm'],
];

const WITHOUT_LANDLOCK: Barriers = { landlock: false, seccomp: true };

/** For hosts whose clients are all trusted as the server's own user is. */
export const NO_SANDBOX: SandboxState = {
  tier: 0,
  pump: 'none',
  features: featuresOf('none'),
  plainTier: 0,
  missing: ['all: the server runs with --unsafe-no-sandbox'],
  failure: undefined,
  confine: (readable) => ({ barriers: NO_BARRIERS, readable }),
  users: undefined,
};

/** How plain jobs are kept in. */
interface PlainSeal {
  readonly barriers: Barriers;
  readonly users: JobUsers | undefined;
}

export class Sandbox implements SandboxState {
  readonly #runner: Runner;
  readonly #directories: JobDirectories;
  readonly #roots: JobRoots;
  #plain: PlainSeal | undefined;
  #sealed: RootSealing | undefined;
  #missing: string[] = [];
  #failure: string | undefined;

  private constructor(runner: Runner, directories: JobDirectories, roots: JobRoots) {
    this.#runner = runner;
    this.#directories = directories;
    this.#roots = roots;
  }

  /** Never rejects: what cannot be had is in `missing`. */
  static async measure(
    runner: Runner,
    directories: JobDirectories,
    roots: JobRoots,
  ): Promise<Sandbox> {
    const sandbox = new Sandbox(runner, directories, roots);
    sandbox.#plain = await sandbox.#measurePlain();
    sandbox.#sealed =
      (await sandbox.#measureSealed()) ??
      (sandbox.plainTier === 2 ? await sandbox.#measureSupervised() : undefined);
    if (sandbox.#sealed !== undefined) roots.sealing = sandbox.#sealed;
    if (process.getuid?.() === 0 && sandbox.plainTier !== 1) {
      sandbox.#missing.push(
        'compilers run as root: give --user NAME, so that their number is bound',
      );
    }
    return sandbox;
  }

  get tier(): number {
    return this.#sealed?.kind === 'namespaces' ? 3 : this.plainTier;
  }

  get pump(): PumpOffer {
    if (this.#sealed === undefined) return 'none';
    return this.#sealed.kind === 'namespaces' ? 'any' : 'own';
  }

  get features(): readonly string[] {
    return featuresOf(this.pump);
  }

  get plainTier(): number {
    if (this.#plain === undefined) return 0;
    return this.#plain.users === undefined ? 2 : 1;
  }

  get users(): JobUsers | undefined {
    return this.#plain?.users;
  }

  get missing(): readonly string[] {
    return this.#missing;
  }

  get failure(): string | undefined {
    return this.#failure;
  }

  confine(readable: readonly ByteString[]): Confinement | undefined {
    return this.#plain === undefined ? undefined : { barriers: this.#plain.barriers, readable };
  }

  /** Sends the canary again; answers what has changed for a log, undefined if nothing has. */
  async check(): Promise<string | undefined> {
    const plain = this.#plain === undefined ? undefined : await this.#tryPlain(this.#plain);
    const sealed = this.#sealed === undefined ? undefined : await this.#trySealed(this.#sealed);
    const failure = plain ?? sealed;
    if (failure === this.#failure) return undefined;
    this.#failure = failure;
    return failure === undefined
      ? 'the sandbox holds again: jobs are taken'
      : `the sandbox does not hold any more, and no job is taken: ${failure}`;
  }

  /** Checks every hour, and more often while it does not hold; answers how to end that. */
  keepTrying(clock: Clock, log: (line: string) => void): () => void {
    let timer: Timer;
    const wait = () => {
      const pause = this.#failure === undefined ? SERVER.canary : SERVER.canaryAgain;
      timer = clock.after(pause, () => {
        void round();
      });
    };
    const round = async () => {
      const news = await this.check();
      if (news !== undefined) log(news);
      if (!isOver) wait();
    };
    let isOver = false;
    wait();
    return () => {
      isOver = true;
      timer.cancel();
    };
  }

  async #measurePlain(): Promise<PlainSeal | undefined> {
    const full: PlainSeal = { barriers: ALL_BARRIERS, users: undefined };
    const failure = await this.#tryPlain(full);
    if (failure === undefined) return full;
    const isRoot = process.getuid?.() === 0;
    if (!failure.includes('use Landlock') || !isRoot) {
      this.#missing.push(`plain jobs cannot be sealed off: ${failure}`);
      return undefined;
    }
    this.#missing.push(`Landlock for plain jobs: ${failure}`);
    const own: PlainSeal = { barriers: WITHOUT_LANDLOCK, users: new JobUsers(process.pid) };
    const second = await this.#tryPlain(own);
    if (second === undefined) return own;
    this.#missing.push(`plain jobs cannot have users of their own: ${second}`);
    return undefined;
  }

  async #measureSealed(): Promise<RootSealing | undefined> {
    for (const barriers of [ALL_BARRIERS, WITHOUT_LANDLOCK]) {
      const sealing: RootSealing = { kind: 'namespaces', barriers };
      const failure = await this.#trySealed(sealing);
      if (failure === undefined) return sealing;
      this.#missing.push(
        barriers.landlock && failure.includes('use Landlock')
          ? `Landlock in sealed roots: ${failure}`
          : `jobs cannot be sealed off in roots of their own: ${failure}`,
      );
      if (!failure.includes('use Landlock')) break;
    }
    return undefined;
  }

  async #measureSupervised(): Promise<RootSealing | undefined> {
    const sealing: RootSealing = { kind: 'supervisor' };
    const failure = await this.#trySealed(sealing);
    if (failure === undefined) return sealing;
    this.#missing.push(`nor can a supervisor answer for such roots: ${failure}`);
    return undefined;
  }

  #tryPlain({ barriers, users }: PlainSeal): Promise<string | undefined> {
    return this.#try(async ({ path }) => {
      const secret = fromText(`${path}/secret`);
      const cwd = `${path}/cwd`;
      mkdirSync(cwd);
      // With Landlock nobody gets at it, without it only those to whom it is open.
      writeFileSync(`${path}/secret`, 'x', { mode: barriers.landlock ? 0o666 : 0o600 });
      const forbidden = barriers.landlock ? [secret, '/etc/passwd'] : [secret];
      const probe = { ...streams(path), cwd: fromText(cwd), forbidden };
      const confinement = { barriers, readable: [] };
      const user = users?.claim();
      if (user === undefined) return this.#runner.probe({ ...probe, confinement });
      try {
        user.own(cwd);
        await this.#runner.probe({ ...probe, confinement: { ...confinement, user: user.id } });
      } finally {
        user.release();
      }
    });
  }

  #trySealed(sealing: RootSealing): Promise<string | undefined> {
    return this.#try(async (directory) => {
      const { path } = directory;
      const [lower, top] = [`${path}/lower`, `${path}/top`];
      for (const layer of [lower, top]) mkdirSync(layer);
      for (const name of ['shown', 'hidden']) writeFileSync(`${lower}/${name}`, 'x');
      // Node makes no devices; hiding a file takes no privilege.
      await promisify(execFile)('mknod', [`${top}/hidden`, 'c', '0', '0']);

      const layers = [fromText(top), fromText(lower)];
      const { spec: root } = this.#roots.create(directory, layers, sealing);
      const forbidden = [fromText(path), '/proc', '/etc', '/usr', '/tmp'];
      await this.#runner.probe({ ...streams(path), cwd: '/', root, forbidden });
      if (!lstatSync(`${path}/upper/new`, { throwIfNoEntry: false })?.isFile()) {
        throw new Error('what was written in the root is not in its upper directory');
      }
      const removed = lstatSync(`${path}/upper/shown`, { throwIfNoEntry: false });
      // A supervisor remembers it by itself.
      const isGone = removed === undefined && sealing.kind === 'supervisor';
      if (!isGone && (removed?.isCharacterDevice() !== true || removed.rdev !== 0)) {
        throw new Error('what was removed in the root has no whiteout in its upper directory');
      }
    });
  }

  /** Undefined, or in one line what cannot be done and what would help. */
  async #try(attempt: (directory: JobDirectory) => Promise<void>): Promise<string | undefined> {
    let directory: JobDirectory | undefined;
    try {
      directory = await this.#directories.create();
      await attempt(directory);
      return undefined;
    } catch (error) {
      const failure = describeError(error).trim().replaceAll('\n', ' ');
      const [, remedy] = REMEDIES.find(([pattern]) => pattern.test(failure)) ?? [];
      return remedy === undefined ? failure : `${failure} (${remedy})`;
    } finally {
      await directory?.remove();
    }
  }
}

function streams(path: string): { readonly stdout: ByteString; readonly stderr: ByteString } {
  return { stdout: fromText(`${path}/stdout`), stderr: fromText(`${path}/stderr`) };
}
