/** What a client sends of a closure, and how it learns what is no longer so. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { digestOf } from '../../src/core/digest.js';
import type { HeaderClosure } from '../../src/include-server/header-closure.js';
import type { IncludeServer } from '../../src/include-server/include-server.js';
import type { TreeEntry } from '../../src/protocol/tree-entry.js';
import { IncludeBench } from '../fixtures/include-bench.js';

async function closure(
  bench: IncludeBench,
  server: IncludeServer,
  line: string,
  also: readonly string[] = [],
): Promise<HeaderClosure> {
  const answer = await bench.ask(server, line, also);
  if (answer.kind !== 'closure') throw new Error(answer.why.reason);
  return answer.closure;
}

/** Below the root: `a.h`, `d/`, `link -> d`. */
function shown(bench: IncludeBench, entries: readonly TreeEntry[]): string[] {
  return entries
    .filter(({ path }) => path.startsWith(`${bench.root}/`))
    .map((entry) => {
      const name = bench.below(entry.path);
      if (entry.kind === 'directory') return `${name}/`;
      return entry.kind === 'symlink' ? `${name} -> ${entry.target}` : name;
    })
    .toSorted();
}

await t.test('files, and directories and links on the way, without the source', async (t) => {
  const bench = new IncludeBench(t).write({
    'x.c': '#include "link/a.h"\n',
    'd/a.h': '',
    link: '@d',
    'out/keep': '',
    'i/keep': '',
  });
  const found = await closure(bench, bench.server(false), 'x.c -Ii -o out/x.o');
  const entries = found.entries();
  t.strictSame(shown(bench, entries), ['d/', 'd/a.h', 'i/', 'link -> d', 'out/']);
  t.equal(new Set(entries.map(({ path }) => path)).size, entries.length, 'none twice');
  t.notOk(entries.some(({ path }) => path === '/'));
  t.ok(entries.some(({ kind, path }) => kind === 'directory' && path === bench.root));
});

await t.test('the source is an entry if something includes it', async (t) => {
  const bench = new IncludeBench(t).write({
    'x.c': '#ifndef A\n#define A\n#include "x.c"\n#endif\n',
    'y.c': '#include "y.h"\n',
    'y.h': '#if __has_include("y.c")\n#endif\n',
    'z.c': '',
  });
  writeFileSync(`${bench.root}/w.c`, `#include "${bench.root}/w.c"\n`);
  const server = bench.server(false);
  const files = async (line: string) =>
    shown(bench, (await closure(bench, server, line)).entries());
  t.strictSame(await files('x.c'), ['x.c']);
  t.strictSame(await files('y.c'), ['y.c', 'y.h']);
  t.strictSame(await files('z.c'), []);
  t.strictSame(await files('w.c'), ['w.c'], 'by its absolute path');
});

await t.test('what has not changed is the same object, what has is another', async (t) => {
  for (const watched of [true, false]) {
    const bench = new IncludeBench(t).write({
      'x.c': '#include "a.h"\n#include "link/b.h"\n',
      'y.c': '#include "a.h"\n#include "d/b.h"\n',
      'a.h': '',
      'd/b.h': '',
      link: '@d',
    });
    const server = bench.server(watched);
    const byPath = async (line: string) =>
      new Map((await closure(bench, server, line)).entries().map((entry) => [entry.path, entry]));
    const x = await byPath('x.c');
    const y = await byPath('y.c');
    for (const [path, entry] of y) t.equal(x.get(path), entry, path);
    writeFileSync(`${bench.root}/a.h`, 'int a;\n');
    const after = await byPath('x.c');
    for (const [path, entry] of x) {
      if (path.endsWith('a.h')) t.not(after.get(path), entry);
      else t.equal(after.get(path), entry, path);
    }
    t.match(after.get(`${bench.root}/a.h`), { size: 7, digest: digestOf('int a;\n') });
  }
});

await t.test('files of the toolchain, and the way to them', async (t) => {
  const bench = new IncludeBench(t).write({
    'x.c': '',
    'lib/cc1': '#include "../a.h"\n',
    'bin/gcc': '@../lib/gcc-12',
    'lib/gcc-12': '',
    'a.h': '',
  });
  const also = ['lib/cc1', 'bin/gcc', 'none'].map((name) => `${bench.root}/${name}`);
  const found = await closure(bench, bench.server(false), 'x.c', also);
  const entries = found.entries();
  t.strictSame(shown(bench, entries), [
    'bin/',
    'bin/gcc -> ../lib/gcc-12',
    'lib/',
    'lib/cc1',
    'lib/gcc-12',
  ]);
});

await t.test('a closure stays what it was while its large source is looked at anew', async (t) => {
  const bench = new IncludeBench(t);
  const large = `const char *t = __TIME__;\n${'\n'.repeat(3 << 20)}`;
  bench.write({ 'x.c': large });
  const server = bench.server(false);
  const found = await closure(bench, server, 'x.c');
  writeFileSync(`${bench.root}/x.c`, large.replace('t', 'u'));
  await server.changedSince(found.version, []);
  t.ok(server.stillThere(found.sourceEntry));
  t.notOk(found.source.file.isHashed, 'what is in it now nobody has asked yet');
  t.equal(found.sourceEntry.digest, digestOf(large));
  t.equal(found.clockWords.size, 1);
  t.equal(await server.readSource(found), undefined);
  t.strictSame(await server.changedSince(found.version, [found.sourceEntry]), [found.sourceEntry]);
});

await t.test('large files are hashed between other work', async (t) => {
  const bench = new IncludeBench(t);
  const large = `#include "a.h"\n${'\n'.repeat(3 << 20)}`;
  bench.write({ 'x.c': '#include "large.h"\n', 'large.h': large, 'a.h': '', cc1: large });
  const server = bench.server(false);
  let turns = 0;
  const count = setInterval(() => turns++, 1);
  const found = await closure(bench, server, 'x.c', [`${bench.root}/cc1`]);
  clearInterval(count);
  const [entries, version] = [found.entries(), found.version];
  t.ok(turns > 0, 'the event loop turned');
  t.strictSame(shown(bench, entries), ['a.h', 'cc1', 'large.h']);
  const entry = entries.find(({ path }) => path.endsWith('large.h'));
  t.match(entry, { kind: 'file', size: large.length, digest: digestOf(large) });
  t.strictSame(await server.changedSince(version, entries), []);
  writeFileSync(`${bench.root}/large.h`, large.replace('a.h', 'b.h'));
  t.strictSame(await server.changedSince(version, entries), [entry]);
  bench.write({ 'b.h': '' });
  const after = await closure(bench, server, 'x.c');
  t.strictSame(shown(bench, after.entries()), ['b.h', 'large.h']);
});

await t.test('what is still there', async (t) => {
  const bench = new IncludeBench(t).write({
    'x.c': '#include "d/a.h"\n#include "link/b.h"\n#include "e/c.h"\n',
    'd/a.h': '',
    'd/b.h': '',
    link: '@d',
    'e/c.h': '',
  });
  const server = bench.server(false);
  const found = await closure(bench, server, 'x.c');
  const [entries, version] = [found.entries(), found.version];
  t.ok(entries.every((entry) => server.stillThere(entry)));
  rmSync(`${bench.root}/d/a.h`);
  rmSync(`${bench.root}/link`);
  symlinkSync('e', `${bench.root}/link`);
  rmSync(`${bench.root}/e`, { recursive: true });
  mkdirSync(`${bench.root}/f`);
  writeFileSync(`${bench.root}/f/c.h`, '');
  symlinkSync('f', `${bench.root}/e`);
  const changed = await server.changedSince(version, entries);
  const gone = ['d/a.h', 'e/', 'e/c.h', 'link -> d'];
  t.strictSame(shown(bench, changed), gone);
  t.strictSame(
    shown(
      bench,
      entries.filter((entry) => !server.stillThere(entry)),
    ),
    gone,
  );
  t.ok(server.stillThere({ kind: 'absent', path: `${bench.root}/d/a.h` }));
  t.ok(server.stillThere({ kind: 'absent', path: `${bench.root}/none/a.h` }));
  t.notOk(server.stillThere({ kind: 'absent', path: `${bench.root}/d/b.h` }));
});

await t.test('a changed file is still there, and changed', async (t) => {
  const bench = new IncludeBench(t).write({ 'x.c': '#include "a.h"\n', 'a.h': '1' });
  const server = bench.server(true);
  const found = await closure(bench, server, 'x.c');
  const [entries, version] = [found.entries(), found.version];
  writeFileSync(`${bench.root}/a.h`, '2');
  const changed = await server.changedSince(version, entries);
  t.strictSame(shown(bench, changed), ['a.h']);
  t.ok(changed.every((entry) => server.stillThere(entry)));
});

await t.test('the source is read as it was scanned, or not', async (t) => {
  const bench = new IncludeBench(t).write({ 'x.c': 'int x;\n', 'y.c': '@x.c' });
  const server = bench.server(false);
  const asked = await closure(bench, server, 'y.c');
  const path = `${bench.root}/x.c`;
  t.match(await server.readSource(asked), { path, bytes: Buffer.from('int x;\n'), mode: 0o644 });
  writeFileSync(path, 'int y;\n');
  t.equal(await server.readSource(asked), undefined);
  rmSync(path);
  t.equal(await server.readSource(asked), undefined);
});
