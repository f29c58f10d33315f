import t from 'tap';
import { optionTable, type CompilerFamily } from '../../src/toolchain/options/option-table.js';
import { tokenize, type Token } from '../../src/toolchain/tokenize.js';

/** `name=value [words]` of options, `kind word` of others. */
function show(token: Token): string {
  switch (token.kind) {
    case 'option':
      return `${token.spec.name} ${token.value ?? '-'} [${token.words.join('|')}]`;
    case 'end':
      return 'end';
    case 'input':
    case 'unknown':
    case 'incomplete':
      return `${token.kind} ${token.word}`;
  }
}

const tokens = (words: readonly string[], family: CompilerFamily = 'gcc'): string[] =>
  tokenize(words, optionTable(family), family).map(show);

await t.test('options, their values and inputs, in order', async (t) => {
  t.strictSame(tokens(['-c', '-O2', 'x.c', '-o', 'x.o', '-DA=1', '-I', 'dir', '-std=c11']), [
    '-c - [-c]',
    '-O 2 [-O2]',
    'input x.c',
    '-o x.o [-o|x.o]',
    '-D A=1 [-DA=1]',
    '-I dir [-I|dir]',
    '-std= c11 [-std=c11]',
  ]);
});

await t.test('a value is a value, whatever it looks like', async (t) => {
  t.strictSame(tokens(['-o', '-c', '-D', '--', '-include', '-']), [
    '-o -c [-o|-c]',
    '-D -- [-D|--]',
    '-include - [-include|-]',
  ]);
});

await t.test('what is no option is an input', async (t) => {
  t.strictSame(tokens(['-', '', 'a=b', '@f']), ['input -', 'input ', 'input a=b', 'input @f']);
});

await t.test('what nobody knows does not take the next word', async (t) => {
  t.strictSame(tokens(['-fno-such=1', 'x.c']), ['unknown -fno-such=1', 'input x.c']);
});

await t.test('a last word that wants a value', async (t) => {
  t.strictSame(tokens(['-c', '-o']), ['-c - [-c]', 'incomplete -o']);
});

await t.test('after -- there are only inputs, for Clang', async (t) => {
  t.strictSame(tokens(['-c', '--', '-O2', '--'], 'clang'), [
    '-c - [-c]',
    'end',
    'input -O2',
    'input --',
  ]);
  t.strictSame(tokens(['--', '-c']), ['unknown --', '-c - [-c]']);
});

await t.test('nothing', async (t) => {
  t.strictSame(tokens([]), []);
});
