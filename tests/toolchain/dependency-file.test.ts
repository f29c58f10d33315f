import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseDependencyFile } from '../../src/toolchain/dependency-file.js';
import { runIn, scratchDirectory } from '../fixtures/commands.js';
import { without } from '../fixtures/tools.js';

/** Names that make's grammar has something to say about, and some bytes that it has not. */
const PLAIN = [
  'plain.h',
  'a b.h',
  ' lead.h',
  'a#b.h',
  '#lead.h',
  'a$b.h',
  '$$two.h',
  'dollar$',
  'c:d.h',
  'c:',
  'c: d.h',
  'x=y.h',
  'q%w.h',
  '[br].h',
  'st*r.h',
  '?.h',
  '(p).h',
  'a;b.h',
  "q'q.h",
  'a&b|c.h',
  '~t.h',
  'caf\xe9.h',
];

/** Clang writes a slash for a backslash, and a tab as it is. */
const GCC_ONLY = [
  String.raw`a\b.h`,
  String.raw`a\ b.h`,
  String.raw`a\\ b.h`,
  String.raw`a\#b.h`,
  String.raw`a\$b.h`,
  String.raw`nl\nx.h`,
  'x\ty.h',
];

for (const [compiler, names] of [
  ['gcc', [...PLAIN, ...GCC_ONLY]],
  ['clang', PLAIN],
] as const) {
  await t.test(
    `${compiler}: every name comes out as it is`,
    { skip: without(compiler) },
    async (t) => {
      const cwd = scratchDirectory();
      for (const name of names) {
        writeFileSync(Buffer.concat([Buffer.from(`${cwd}/`), Buffer.from(name, 'latin1')]), '');
      }
      const source = names.map((name) => `#include "${name}"\n`).join('');
      writeFileSync(join(cwd, 'x y.c'), Buffer.from(`${source}int x;\n`, 'latin1'));
      for (const more of ['', '-MP', '-MQ a:b$ -MT c -MT d']) {
        const words = `-MD -MF d ${more} -o`.split(' ').filter((word) => word !== '');
        const { status, stderr } = runIn(cwd, [compiler, ...words, 'o: x.o', '-c', 'x y.c']);
        t.equal(status, 0, stderr);
        const found = parseDependencyFile(readFileSync(join(cwd, 'd'), 'latin1'));
        const own = found.filter((path) => !path.startsWith('/usr/'));
        t.strictSame(own, ['x y.c', ...names], more);
      }
    },
  );
}

await t.test('as make reads it', async (t) => {
  t.strictSame(parseDependencyFile(''), []);
  t.strictSame(parseDependencyFile('x.o: '), []);
  t.strictSame(parseDependencyFile('x.o:\n'), []);
  t.strictSame(parseDependencyFile('x.o y.o : a \\\n  b c\\\n d a\n\na:\n\nb:\n'), [
    'a',
    'b',
    'c',
    'd',
  ]);
  t.strictSame(parseDependencyFile('x.o: a'), ['a'], 'no line end');
  t.strictSame(parseDependencyFile('\n\nx.o: a\n'), ['a'], 'empty lines first');
  t.strictSame(parseDependencyFile(String.raw`x.o: a\:b`), ['a:b'], 'as newer compilers write it');
  t.strictSame(parseDependencyFile('x.o: a\\'), ['a\\'], 'cut short');
  t.strictSame(parseDependencyFile('no rule at all\n'), []);
});

await t.test('a megabyte is read in no time', async (t) => {
  const text = `x.o: ${'some/directory/a\\ header.h \\\n '.repeat(40_000)}`;
  const began = process.cpuUsage();
  t.strictSame(parseDependencyFile(text), ['some/directory/a header.h']);
  t.ok(process.cpuUsage(began).user < 2e6);
});
