// The npm packages that tscc needs when it runs: which they are, which of their files, and what
// their licenses ask to be passed on.
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** What people and compilers read, and Node does not. */
const NOT_RUN =
  /\.(?:md|markdown|map|d\.[cm]?ts|ts|gyp|cc|cpp|c|h|log)$|(?:^|\/)rollup\.config\.js$/i;
const LICENSE = /^(?:licen[cs]e|copying|notice)(?:[.-]|$)/i;

/**
 * Those that `npm ci --omit=dev` installs on this host: `{path, name, version, license}` with the
 * path below the root, sorted.
 */
export function bundledModules(root) {
  const { packages } = JSON.parse(readFileSync(`${root}package-lock.json`, 'utf8'));
  return Object.entries(packages)
    .filter(([path, { dev, devOptional, optional }]) => {
      if (path === '' || dev === true || devOptional === true) return false;
      if (existsSync(root + path)) return true;
      // Those for other processors and systems are not there.
      if (optional === true) return false;
      throw new Error(`${path} is not installed: run npm ci`);
    })
    .map(([path, { version, license }]) => {
      const manifest = JSON.parse(readFileSync(`${root}${path}/package.json`, 'utf8'));
      if (manifest.version !== version) {
        throw new Error(`${path} is ${manifest.version}, not ${version}: run npm ci`);
      }
      return { path, name: manifest.name, version, license };
    })
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** Files of a module, relative to it, without those of the modules inside it. */
export function filesOf(root, { path }) {
  return readdirSync(root + path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(root.length + path.length + 1))
    .filter((name) => !name.startsWith('node_modules/') && !name.startsWith('.'))
    .filter((name) => !NOT_RUN.test(name));
}

/** What NOTICE says: each module with its license's text. Throws where one names no license. */
export function notices(root, modules) {
  const parts = modules.map((one) => {
    if (typeof one.license !== 'string') throw new Error(`${one.path} names no license`);
    const texts = readdirSync(root + one.path)
      .filter((name) => LICENSE.test(name))
      .toSorted()
      .map((name) => readFileSync(`${root}${one.path}/${name}`, 'utf8').trim());
    return [`${one.name} ${one.version}, ${one.license}`, ...texts].join('\n\n');
  });
  return parts.join(`\n\n${'-'.repeat(80)}\n\n`);
}
