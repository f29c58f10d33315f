/** Headers are noticed while nobody asks for them, through the real tscc-watch. */
import { renameSync, writeFileSync } from 'node:fs';
import t from 'tap';
import type { HeaderNewsSink } from '../../src/include-server/header-news.js';
import type { TreeEntry } from '../../src/protocol/tree-entry.js';
import { IncludeBench } from '../fixtures/include-bench.js';

/** What is told, and the next lot of headers that are ready. */
function listen() {
  const told: string[] = [];
  let wake: (entries: readonly TreeEntry[]) => void = () => {};
  const sink: HeaderNewsSink = {
    onHeader: (change, path) => told.push(`${change} ${path.slice(path.lastIndexOf('/') + 1)}`),
    onReady: (entries) => wake(entries),
  };
  const ready = () =>
    new Promise<readonly TreeEntry[]>((resolve) => {
      wake = resolve;
    });
  return { told, sink, ready };
}

const names = (entries: readonly TreeEntry[]) =>
  entries.filter(({ kind }) => kind === 'file').map(({ path }) => path.split('/').at(-1));

await t.test('a header that was looked for in vain, and one that changes', async (t) => {
  const bench = new IncludeBench(t).write({
    'x.c': '#include "a.h"\n#include "made.h"\n',
    'a.h': '',
  });
  const { told, sink, ready } = listen();
  const server = bench.server(true, sink);
  await bench.ask(server, 'x.c');
  // What was there before its watch was is no news.
  await bench.ask(server, 'x.c');

  const created = ready();
  writeFileSync(`${bench.root}/made.h`, 'int made;\n');
  t.strictSame(names(await created), ['made.h'], 'hashed without being asked for');
  t.ok(told.includes('created made.h'));

  const changed = ready();
  writeFileSync(`${bench.root}/new`, 'int a;\n');
  renameSync(`${bench.root}/new`, `${bench.root}/a.h`);
  t.strictSame(names(await changed), ['a.h']);
  t.ok(told.includes('changed a.h'));
});

await t.test('what nobody has asked for is no news, nor is a source', async (t) => {
  const bench = new IncludeBench(t).write({ 'x.c': '#include "made.h"\n' });
  const { told, sink, ready } = listen();
  const server = bench.server(true, sink);
  await bench.ask(server, 'x.c');
  await bench.ask(server, 'x.c');
  const next = ready();
  writeFileSync(`${bench.root}/x.o`, 'object');
  writeFileSync(`${bench.root}/x.c`, '#include "made.h"\nint x;\n');
  writeFileSync(`${bench.root}/made.h`, '');
  t.strictSame(names(await next), ['made.h']);
  t.strictSame([...new Set(told)].toSorted(), ['created made.h']);
});
