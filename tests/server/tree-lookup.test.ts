/** The kernel is the oracle: the same links in a real directory. */
import { mkdirSync, realpathSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { digestOf } from '../../src/core/digest.js';
import type { TreeEntry } from '../../src/protocol/tree-entry.js';
import { TreeLookup } from '../../src/server/tree-lookup.js';

function lookupOf(entries: readonly TreeEntry[]): TreeLookup {
  return new TreeLookup([...entries.keys()], (number) => entries[number]);
}

const facts = { digest: digestOf(''), size: 0, mtime: 0, mode: 0o644 };

await t.test('paths lead where the kernel says', async (t) => {
  const root = realpathSync(t.testdir({}));
  const files = ['a/x.h', 'a/b/y.h', 'a/b/c/z.h', 'w.h'];
  const directories = ['empty', 'a/none'];
  const links: [string, string][] = [
    ['l', 'a/b'],
    ['a/up', '..'],
    ['a/b/abs', `${root}/a`],
    ['a/b/file', '../x.h'],
    ['file2', 'l/file'],
    ['loop', 'a/loop'],
    ['a/loop', '../loop'],
    ['gone', 'nowhere'],
    ['slash', 'a/b/'],
    ['dot', '.'],
    ['root', '/'],
  ];
  const entries: TreeEntry[] = [
    ...files.map((name) => ({ kind: 'file', path: `${root}/${name}`, ...facts }) as const),
    ...directories.map((name) => ({ kind: 'directory', path: `${root}/${name}` }) as const),
    ...links.map(
      ([name, target]) => ({ kind: 'symlink', path: `${root}/${name}`, target }) as const,
    ),
  ];
  for (const entry of entries) {
    mkdirSync(entry.path.slice(0, entry.path.lastIndexOf('/')), { recursive: true });
    if (entry.kind === 'file') writeFileSync(entry.path, '');
    if (entry.kind === 'directory') mkdirSync(entry.path);
    if (entry.kind === 'symlink') symlinkSync(entry.target, entry.path);
  }
  const lookup = lookupOf(entries);
  const names = [
    ...['a', 'b', 'c', 'x.h', 'y.h', 'z.h', 'w.h', 'empty', 'none', 'file', 'file2', 'missing'],
    ...links.map(([name]) => name.replace(/.*\//, '')),
    ...['.', '..', ''],
  ];
  let found = 0;
  const ask = (path: string) => {
    const number = lookup.fileAt(path);
    const expected = realFile(path);
    if (number !== undefined) found++;
    if (number === undefined ? expected !== undefined : entries[number]?.path !== expected) {
      t.fail(`${path} leads to ${expected}, not ${number && entries[number]?.path}`);
    }
  };
  for (const one of names) {
    ask(`${root}/${one}`);
    for (const two of names) {
      ask(`${root}/${one}/${two}`);
      for (const three of names) {
        ask(`${root}/${one}/${two}/${three}`);
      }
    }
  }
  t.ok(found > 50, `${found} files found`);
  t.equal(lookup.fileAt('w.h'), undefined, 'not absolute');
  t.equal(lookup.fileAt(`//${root}/./w.h`), files.indexOf('w.h'));
});

await t.test('as many links as the kernel follows', async (t) => {
  const links = Array.from({ length: 41 }, (_, index) => {
    return { kind: 'symlink', path: `/l${index}`, target: `l${index - 1}` } as const;
  });
  const lookup = lookupOf([{ kind: 'file', path: '/l0', ...facts }, ...links.slice(1)]);
  t.equal(lookup.fileAt('/l40'), 0);
  const more = { kind: 'symlink', path: '/l41', target: 'l40' } as const;
  const longer = lookupOf([{ kind: 'file', path: '/l0', ...facts }, ...links.slice(1), more]);
  t.equal(longer.fileAt('/l41'), undefined);
});

await t.test('a file that the closure has not, by its other names', async (t) => {
  const lookup = lookupOf([
    { kind: 'directory', path: '/w/o' },
    { kind: 'symlink', path: '/w/link', target: 'src' },
    { kind: 'symlink', path: '/w/o/y.c', target: '../src/x.c' },
  ]);
  const names = ['src/x.c', 'o/../src/x.c', 'link/x.c', 'src/../src/x.c', 'o/y.c', 'link/../o/y.c'];
  for (const name of names) t.equal(lookup.leadsTo(`/w/${name}`, '/w/src/x.c'), true, name);
  for (const name of ['x.c', 'src/y.c', 'none/../src/x.c', 'o/x.c', 'src/x.c/..']) {
    t.equal(lookup.leadsTo(`/w/${name}`, '/w/src/x.c'), false, name);
  }
});

/** Real path, if it is a file; one that ends in a slash is a directory or nothing. */
function realFile(path: string): string | undefined {
  try {
    return statSync(path).isFile() ? realpathSync.native(path) : undefined;
  } catch {
    // No way to it.
    return undefined;
  }
}
