/**
 * What this server tells of its host (ABOUT, docs/protocol.md §2): looked up when it is asked for,
 * since somebody may just have mended it.
 */
import { existsSync } from 'node:fs';
import { readFile, statfs } from 'node:fs/promises';
import { release } from 'node:os';
import { errnoCode } from '../core/errors.js';
import type { Clock } from '../platform/clock.js';
import type { About } from '../protocol/about-messages.js';

const CONTAINER_MARKS = ['/.dockerenv', '/run/.containerenv'];

export class HostFacts {
  readonly #store: string;
  readonly #limit: number;
  readonly #used: () => number;
  readonly #clock: Clock;

  /**
   * @param store the server's store
   * @param limit bytes of contents that may be kept there
   * @param used bytes of contents that are kept there
   */
  constructor(store: string, limit: number, used: () => number, clock: Clock) {
    this.#store = store;
    this.#limit = limit;
    this.#used = used;
    this.#clock = clock;
  }

  /** Rejects with the system's error. */
  async about(): Promise<About> {
    const [disk, maxUserNamespaces, unprivilegedUsernsClone, apparmorRestrictUserns, modules] =
      await Promise.all([
        statfs(this.#store),
        sysctl('user/max_user_namespaces'),
        sysctl('kernel/unprivileged_userns_clone'),
        sysctl('kernel/apparmor_restrict_unprivileged_userns'),
        textOf('/sys/kernel/security/lsm'),
      ]);
    return {
      kind: 'about',
      time: this.#clock.now(),
      kernel: release(),
      isRoot: process.getuid?.() === 0,
      isContainer: CONTAINER_MARKS.some((path) => existsSync(path)),
      maxUserNamespaces,
      unprivilegedUsernsClone,
      apparmorRestrictUserns,
      hasLandlock: modules?.trim().split(',').includes('landlock') ?? null,
      storeBytes: this.#used(),
      storeLimit: this.#limit,
      storeFree: disk.bavail * disk.bsize,
      // Some kernels' numbers come with a sign.
      storeFileSystem: disk.type >>> 0,
    };
  }
}

async function sysctl(name: string): Promise<number | null> {
  const text = await textOf(`/proc/sys/${name}`);
  return text === undefined ? null : Number(text);
}

/** Undefined where this kernel, or the view that the server has of it, has no such file. */
async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'latin1');
  } catch (error) {
    if (['ENOENT', 'EACCES', 'EPERM'].includes(errnoCode(error) ?? '')) return undefined;
    throw error;
  }
}
