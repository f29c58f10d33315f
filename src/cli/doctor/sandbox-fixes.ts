/** What mends a server's sandbox, from what it tells of its host. Pure. */
import type { About } from '../../protocol/about-messages.js';

/** File systems on which no overlay can have its upper layer, by statfs's magic number. */
const WITHOUT_UPPER: ReadonlyMap<number, string> = new Map([
  [0x794c7630, 'overlayfs'],
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x01021997, '9p'],
  [0x4d44, 'FAT'],
]);

/** Causes that are known, each with what its host tells of it, and what to do there. */
const CAUSES: readonly {
  readonly holds: (about: About, missing: string) => boolean;
  readonly fix: (about: About) => string;
}[] = [
  {
    holds: (_, missing) => missing.includes('--unsafe-no-sandbox'),
    fix: () => 'start it without --unsafe-no-sandbox',
  },
  {
    holds: ({ maxUserNamespaces }) => maxUserNamespaces === 0,
    fix: () => 'sysctl -w user.max_user_namespaces=15000 there, and in /etc/sysctl.d for good',
  },
  {
    holds: ({ unprivilegedUsernsClone }) => unprivilegedUsernsClone === 0,
    fix: () => 'sysctl -w kernel.unprivileged_userns_clone=1 there, and in /etc/sysctl.d for good',
  },
  {
    holds: ({ apparmorRestrictUserns, isRoot }) => apparmorRestrictUserns === 1 && !isRoot,
    fix: () =>
      'give bin/tscc-runner there an AppArmor profile with `userns,`, or ' +
      'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
  },
  {
    holds: ({ kernel }) => isBefore(kernel, 5, 11),
    fix: ({ kernel }) => `boot Linux 5.11 or newer there (it has ${kernel})`,
  },
  {
    holds: ({ storeFileSystem }, missing) =>
      /overlay|mknod/.test(missing) && WITHOUT_UPPER.has(storeFileSystem),
    fix: ({ storeFileSystem }) =>
      `give it --store on a local disk: ${WITHOUT_UPPER.get(storeFileSystem)} cannot carry job roots`,
  },
  {
    holds: ({ hasLandlock, kernel }, missing) =>
      hasLandlock === false || (missing.includes('Landlock') && isBefore(kernel, 5, 13)),
    fix: () => 'boot Linux 5.13 or newer there with lsm=landlock,… on its command line',
  },
  {
    holds: ({ isContainer }, missing) => isContainer && /make namespaces|mount/.test(missing),
    fix: () =>
      'run the container with --security-opt seccomp=unconfined --security-opt apparmor=unconfined ' +
      'and the store on a volume',
  },
  {
    holds: ({ isRoot }, missing) => isRoot && missing.includes('--user'),
    fix: () => 'start it there with --user NAME',
  },
];

/**
 * At least one: where no cause is known the server's log has the rest.
 *
 * @param about undefined: it told nothing
 * @param missing the server's own words
 */
export function sandboxFixes(about: About | undefined, missing: readonly string[]): string[] {
  const words = missing.join('; ');
  const found =
    about === undefined
      ? []
      : CAUSES.filter(({ holds }) => holds(about, words)).map(({ fix }) => fix(about));
  return found.length > 0 ? found : ["see tsccd's log there, and docs/security.md"];
}

function isBefore(kernel: string, major: number, minor: number): boolean {
  const [first = 0, second = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10));
  return first < major || (first === major && second < minor);
}
