import t from 'tap';
import * as fc from 'fast-check';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ARGUMENTS } from '../../src/core/limits.js';
import { expandResponseFiles, splitWords } from '../../src/toolchain/response-file.js';
import { runIn, scratchDirectory } from '../fixtures/commands.js';

await t.test('words, quotes and backslashes', async (t) => {
  const cases: [string, string[]][] = [
    ['', []],
    [' \n\t\v\f\r', []],
    ['a b\n c', ['a', 'b', 'c']],
    [`'a b' "c d"`, ['a b', 'c d']],
    [`a'b'"c"d`, ['abcd']],
    [`'' ""`, ['', '']],
    [`a\\ b 'c\\'d' "e\\"f" \\\\`, ['a b', `c'd`, 'e"f', '\\']],
    [`"a'b" 'c"d'`, [`a'b`, 'c"d']],
    [`'unfinished word`, ['unfinished word']],
    ['a\0b', ['a']],
  ];
  for (const [text, words] of cases) t.strictSame(splitWords(text), words, JSON.stringify(text));
});

await t.test('as GCC splits them', async (t) => {
  const directory = scratchDirectory();
  const pieces = fc.constantFrom('a', ' ', "'", '"', '\\', '\t', 'bc', '=');
  const texts = fc.sample(
    fc.array(pieces, { maxLength: 12 }).map((list) => list.join('')),
    25,
  );
  for (const text of texts) {
    // Each word as a macro, so that the preprocessor says what it was given.
    const file = `-DW=${text} -DLAST=1`;
    writeFileSync(join(directory, 'file.rsp'), file);
    const words = splitWords(file);
    if (words.some((word) => !word.startsWith('-D')) || words.length < 1) continue;
    const direct = runIn(directory, [
      'gcc',
      '-E',
      '-dM',
      '-undef',
      '-x',
      'c',
      '/dev/null',
      ...words,
    ]);
    const indirect = runIn(directory, [
      'gcc',
      '-E',
      '-dM',
      '-undef',
      '-x',
      'c',
      '/dev/null',
      '@file.rsp',
    ]);
    t.equal(indirect.stdout.toString(), direct.stdout.toString(), JSON.stringify(text));
  }
  t.ok(texts.length > 0);
});

await t.test('files in files, in place', async (t) => {
  const files = new Map([
    ['/w/a', 'one @b @/c two'],
    ['/w/b', 'inner'],
    ['/c', "'absolute path'"],
  ]);
  const read = (path: string): string | undefined => files.get(path);
  t.strictSame(expandResponseFiles(['x', '@a', 'y'], '/w', read), {
    words: ['x', 'one', 'inner', 'absolute path', 'two', 'y'],
    isUncertain: false,
  });
  t.strictSame(expandResponseFiles(['@gone'], '/w', read), { words: ['@gone'], isUncertain: true });
  t.strictSame(expandResponseFiles(['@'], '/w', read), { words: ['@'], isUncertain: true });
});

await t.test('what never ends is given up', async (t) => {
  let reads = 0;
  const read = (): string => {
    reads++;
    return '@me x @me';
  };
  t.ok(expandResponseFiles(['@me'], '/w', read).isUncertain);
  t.ok(reads <= ARGUMENTS.responseFiles + 1, `${reads} files`);
  const long = 'x '.repeat(ARGUMENTS.words + 1);
  t.ok(expandResponseFiles(['@me'], '/w', () => long).isUncertain);
  t.ok(expandResponseFiles(['@me'], '/w', () => 'a\\\nb').isUncertain, 'versions differ here');
});
