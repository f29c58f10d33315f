/**
 * Imported first by each program: an older Node fails later, in some library, with words that help
 * nobody. Needs nothing that an older one has not.
 */

/** As `engines` in package.json. */
const NEEDED = [20, 19] as const;

export function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1]);
}

if (!isNewEnough(process.versions.node)) {
  process.stderr.write(
    `tscc: Node.js ${process.versions.node} (${process.execPath}) is too old: install ` +
      `${NEEDED.join('.')} or newer, or a package of tscc that has its own\n`,
  );
  process.exit(100);
}
