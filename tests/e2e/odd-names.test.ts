/** Names that shells, make, gcc's own files or a decoder of text may stumble over. */
import t from 'tap';
import { Twins } from '../fixtures/twins.js';

const NAMES: readonly (readonly [what: string, name: string])[] = [
  ['a space', 'a b'],
  ['spaces at the ends', ' x '],
  ['a comma', 'a,b'],
  ['quotes', `a'b"c`],
  ['a backslash', String.raw`a\b`],
  ['an at sign', 'a@b'],
  ['a percent sign', 'a%20b'],
  ['a dollar sign', 'a$(b)$c'],
  ['a hash', 'a#b'],
  ['a colon', 'a:b'],
  ['an equals sign', 'A=b'],
  ['brackets', 'a[b]{c,d}*?'],
  ['a newline', 'a\nb'],
  ['a tab', 'a\tb'],
  ['UTF-8', '\xc3\xa9\xe2\x82\xac'],
  ['bytes that are no UTF-8', 'a\xff\xfe\x80b'],
  ['dots', '..a...b'],
  ['a long name', 'x'.repeat(250)],
];

/** In single quotes of the shell. */
const quoted = (word: string): string => `'${word.replaceAll("'", String.raw`'\''`)}'`;

const twins = await Twins.start(t);

await t.test('of sources, outputs, directories and headers', async (t) => {
  for (const [what, name] of NAMES) {
    await t.test(what, async (t) => {
      const header = name.includes('"') || name.includes('\n') ? 'plain' : name;
      const source = `#include "${header}.h"\nconst char *f[] = {__FILE__, H};\n`;
      const files = {
        [`${name}/${name}.c`]: source,
        [`${name}/${header}.h`]: '#define H __FILE__\n',
        'o/.keep': '',
      };
      const path = quoted(`${name}/${name}`);
      const line = `$CC -MD -c ${path}.c -o ${path}.o`;
      // Lists of dependencies do not tell where such a name ends.
      const pump = name.includes('\n') ? 'fallback closure-hole' : 'pump';
      t.match(await twins.compare(t, line, { plain: 'plain', pump }, { files }), { status: 0 });
    });
  }
});

await t.test('of options: definitions, search directories, targets', async (t) => {
  const words: string[] = [];
  const texts: string[] = [];
  const files: Record<string, string> = {};
  for (const [at, [, name]] of NAMES.entries()) {
    const text = name.replaceAll('\n', ' ').replaceAll(/["\\]/g, String.raw`\$&`);
    words.push('-D', quoted(`TEXT${at}="${text}"`), '-I', quoted(name), '-MQ', quoted(name));
    texts.push(`#include "h${at}.h"\nconst char *f${at}[] = {TEXT${at}, H${at}};\n`);
    files[`${name}/h${at}.h`] = `#define H${at} __FILE__\n`;
  }
  files['x.c'] = texts.join('');
  const line = `$CC ${words.join(' ')} -MD -c x.c`;
  // One of the targets has a newline in it.
  const fate = { plain: 'plain', pump: 'fallback closure-hole' } as const;
  t.match(await twins.compare(t, line, fate, { files }), { status: 0 });
});

await t.test('a first character that means something to compilers', async (t) => {
  const source = 'int x;\n';
  const files = Object.fromEntries(['-x.c', '@x.c', '.c', '%', 'x.c'].map((n) => [n, source]));
  for (const [line, fate] of [
    ['$CC -MD -c ./-x.c', 'sent'],
    ['$CC -MD -c ./.c', 'sent'],
    ['$CC -xc -c % -o %.o', 'sent'],
    // gcc's driver hands the name on without its directory, and cc1 reads more words there.
    ['$CC -c ./@x.c', 'decline preprocess-diagnostics'],
    // A word with @ that names no file is the word itself.
    ['$CC -c x.c -o @x.o', 'decline unreadable-response-file'],
    ['$CC -c @absent.c', 'decline unreadable-response-file'],
  ] as const) {
    await twins.compare(t, line, fate, { files });
  }
});

await t.test('response files with such names in them', async (t) => {
  const files = {
    'a b.c': 'const char *s = TEXT;\n',
    'args @1': `-O2 "-DTEXT=\\"it's\\"" 'a b.c'\n-o 'o p.o' @more\n`,
    more: '-MD -MF d\\ e.d',
  };
  const made = await twins.compare(t, `$CC -c '@args @1'`, 'sent', { files });
  t.ok('o p.o' in made.files && 'd e.d' in made.files);
});

await t.test('how they ran', (t) => twins.checkFates(t));
