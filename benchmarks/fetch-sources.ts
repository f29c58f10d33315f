/** Sources of the projects that benchmarks build: from Debian, or from npm. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { sourcesOf, type Project } from './project-list.js';

/** Gives the project's pristine sources, from Debian where they are not there yet. */
export function fetchSources(project: Pick<Project, 'name' | 'source'>, directory: string): string {
  const pristine = sourcesOf(project, directory);
  if (existsSync(pristine)) return pristine;
  const scratch = `${pristine}.fetched`;
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  const { source } = project;
  if (source.kind === 'npm') {
    const manifest = createRequire(import.meta.url).resolve(`${source.package}/package.json`);
    cpSync(`${dirname(manifest)}/deps`, `${scratch}/deps`, { recursive: true });
  } else if (source.kind === 'tarball') {
    if (!existsSync(source.path)) {
      throw new Error(`${source.path} is missing: apt-get install ${source.package}`);
    }
    execFileSync('tar', ['-xf', source.path, '-C', scratch]);
  } else {
    const got = spawnSync('apt-get', ['source', '-qq', '--download-only', source.package], {
      cwd: scratch,
      encoding: 'utf8',
    });
    const description = readdirSync(scratch).find((name) => name.endsWith('.dsc'));
    if (got.status !== 0 || description === undefined) {
      throw new Error(
        `no source of ${source.package}: add 'deb-src' to the Types of a file in ` +
          `/etc/apt/sources.list.d, run apt-get update, install dpkg-dev\n${got.stderr}`,
      );
    }
    // Without Debian's patches: they fit the projects to Debian's own way of building.
    const unpack = ['--no-check', '--skip-patches', '-x', description];
    execFileSync('dpkg-source', unpack, { cwd: scratch, stdio: 'ignore' });
  }
  const unpacked = readdirSync(scratch, { withFileTypes: true }).find((e) => e.isDirectory());
  if (unpacked === undefined) throw new Error(`${project.name}: nothing was unpacked`);
  renameSync(`${scratch}/${unpacked.name}`, pristine);
  rmSync(scratch, { recursive: true, force: true });
  return pristine;
}
