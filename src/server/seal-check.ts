/**
 * Whether this host can seal a compiler in a root of its own: tried at the server's start, with a
 * root like any job's and the runner's own eyes in it.
 */
import { execFile } from 'node:child_process';
import { lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { fromText } from '../core/byte-string.js';
import { describeError } from '../core/errors.js';
import type { JobDirectories, JobDirectory } from './job-directory.js';
import type { JobRoots } from './job-root.js';
import type { Runner } from './runner.js';

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
];

/**
 * Makes a root and looks around in it.
 *
 * @returns true, or in one line what cannot be done and what would help
 */
export async function canSeal(
  runner: Runner,
  directories: JobDirectories,
  roots: JobRoots,
): Promise<true | string> {
  let directory: JobDirectory | undefined;
  try {
    directory = await directories.create();
    await probe(runner, directory, roots);
    return true;
  } catch (error) {
    const failure = describeError(error).trim().replaceAll('\n', ' ');
    const [, remedy] = REMEDIES.find(([pattern]) => pattern.test(failure)) ?? [];
    return remedy === undefined ? failure : `${failure} (${remedy})`;
  } finally {
    await directory?.remove();
  }
}

async function probe(runner: Runner, directory: JobDirectory, roots: JobRoots): Promise<void> {
  const { path } = directory;
  const [lower, top] = [`${path}/lower`, `${path}/top`];
  for (const layer of [lower, top]) mkdirSync(layer);
  for (const name of ['shown', 'hidden']) writeFileSync(`${lower}/${name}`, 'x');
  // Node makes no devices; hiding a file takes no privilege.
  await promisify(execFile)('mknod', [`${top}/hidden`, 'c', '0', '0']);

  const { spec } = roots.create(directory, [fromText(top), fromText(lower)]);
  const streams = { stdout: fromText(`${path}/stdout`), stderr: fromText(`${path}/stderr`) };
  await runner.probe(spec, streams, [fromText(path), '/proc', '/etc', '/usr', '/tmp']);

  if (!lstatSync(`${path}/upper/new`, { throwIfNoEntry: false })?.isFile()) {
    throw new Error('what was written in the root is not in its upper directory');
  }
  const removed = lstatSync(`${path}/upper/shown`, { throwIfNoEntry: false });
  if (removed?.isCharacterDevice() !== true || removed.rdev !== 0) {
    throw new Error('what was removed in the root has no whiteout in its upper directory');
  }
}
