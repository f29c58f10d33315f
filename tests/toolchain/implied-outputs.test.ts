import t from 'tap';
import { impliedOutput, sideOutputs, withoutSuffix } from '../../src/toolchain/implied-outputs.js';
import { compileOf } from '../fixtures/commands.js';

await t.test('the suffix of the last component', async (t) => {
  for (const [path, without] of [
    ['x.c', 'x'],
    ['x.y.c', 'x.y'],
    ['d.e/x', 'd.e/x'],
    ['d.e/x.c', 'd.e/x'],
    ['x', 'x'],
    ['x.', 'x'],
    ['.c', ''],
    ['', ''],
  ] as const) {
    t.equal(withoutSuffix(path), without, path);
  }
});

await t.test('an output without -o stands in the current directory', async (t) => {
  t.equal(impliedOutput('/a/b.c/x.y.c', 'object', 'gcc'), 'x.y.o');
  t.equal(impliedOutput('../x.c', 'assembly', 'gcc'), 'x.s');
  t.equal(impliedOutput('noSuffix', 'object', 'gcc'), 'noSuffix.o');
  t.equal(impliedOutput('d/.c', 'object', 'gcc'), '.c.o', 'for GCC that is no suffix');
  t.equal(impliedOutput('d/.c', 'object', 'clang'), '.o');
});

/** What gcc makes besides; plain-mode.test.ts compares the common ones with gcc itself. */
const besides = (words: string, family: 'gcc' | 'clang' = 'gcc'): string[] =>
  compileOf(`gcc ${words}`, { family }).sideOutputs.map(({ option, path }) => `${option} ${path}`);

await t.test('nothing by itself', async (t) => {
  t.strictSame(besides('-c -O2 -g -MD d/x.c -o o/y.o'), []);
});

await t.test('named after the output, else after the source, here', async (t) => {
  t.strictSame(besides('-c -fstack-usage d/x.c -o o/y.o'), ['-fstack-usage o/y.su']);
  t.strictSame(besides('-c -fstack-usage d/x.c'), ['-fstack-usage x.su']);
  t.strictSame(besides('-c --coverage d/x.c -o o/y'), ['--coverage o/y.gcno']);
});

await t.test('split debug information belongs to objects', async (t) => {
  t.strictSame(besides('-c -g -gsplit-dwarf x.c'), ['-gsplit-dwarf x.dwo']);
  t.strictSame(besides('-S -g -gsplit-dwarf x.c'), []);
});

await t.test('temporaries that are saved', async (t) => {
  t.strictSame(besides('-c -save-temps d/x.cc -o o/y.o'), [
    '-save-temps o/y.ii',
    '-save-temps o/y.s',
  ]);
  t.strictSame(besides('-c -save-temps=cwd d/x.c -o o/y.o'), [
    '-save-temps= y.i',
    '-save-temps= y.s',
  ]);
  t.strictSame(besides('-S -save-temps d/x.c'), ['-save-temps x.i'], 'the .s is the output');
  t.strictSame(besides('-c -save-temps x.i'), ['-save-temps x.s'], 'preprocessed already');
});

await t.test('cwd moves the others as well', async (t) => {
  t.strictSame(besides('-S -fstack-usage -save-temps=cwd d/x.c -o o/y.s'), [
    '-fstack-usage y.su',
    '-save-temps= y.i',
  ]);
});

await t.test('those that the user names', async (t) => {
  t.strictSame(besides('-c -aux-info d/protos x.c'), ['-aux-info d/protos']);
  t.strictSame(besides('-c -fprofile-note=d/n x.c'), ['-fprofile-note= d/n']);
  t.strictSame(besides('-c -MJ d/x.json x.c', 'clang'), ['-MJ d/x.json']);
});

await t.test('a file that two options ask for is one file', async (t) => {
  t.strictSame(besides('-c -ftest-coverage --coverage x.c'), ['--coverage x.gcno']);
});

await t.test('without a path of its own nothing is invented', async (t) => {
  const names = { family: 'gcc', source: 'x.s', language: 'assembler', stage: 'object' } as const;
  const option = { name: '-save-temps', value: undefined, words: ['-save-temps'] };
  t.strictSame(sideOutputs([option], { ...names, explicitOutput: undefined }), [
    { option: '-save-temps', path: 'x.s' },
  ]);
});
