import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { scan } from '../../src/include-server/directive-scanner.js';
import type { FileRequest } from '../../src/include-server/scanned-file.js';
import { runIn, scratchDirectory } from '../fixtures/commands.js';

function spelled(request: FileRequest): string {
  if (request.kind === 'computed') {
    return `${request.what}${request.next ? ' next' : ''} = ${request.text}`;
  }
  if (request.kind === 'assembler' || request.kind === 'line') {
    return `${request.kind} ${request.name}`;
  }
  const name = request.form === 'quote' ? `"${request.name}"` : `<${request.name}>`;
  return `${request.kind}${'next' in request && request.next ? ' next' : ''} ${name}`;
}

const requests = (source: string, language: 'c' | 'assembler' = 'c'): string[] =>
  scan(Buffer.from(source, 'latin1'), language).requests.map(spelled);

/** Odd sources, each ending in the include that a scanner led astray does not see. */
const ODD: Record<string, { source: string; includes: readonly string[] }> = {
  'a comment before, within and after': {
    source: '/* x */ # /* y */ include /* z */ "a.h" // "no.h"\n#include/**/<b.h>/*\n*/\n',
    includes: ['a.h', 'b.h'],
  },
  'a comment over lines, a directive in it and one after it': {
    source: '/* a\n#include "no.h"\n */ #include "a.h"\n',
    includes: ['a.h'],
  },
  'a line comment that goes on after a splice': {
    source: '// a \\\n /* b\n#include "a.h"\n',
    includes: ['a.h'],
  },
  'slashes in names': {
    source: '#include <a//b.h>\n#include "c/*d.h"\n#include <e/*f.h>\n#include "g.h"\n',
    includes: ['a//b.h', 'c/*d.h', 'e/*f.h', 'g.h'],
  },
  'slashes in a name after a comment': {
    source: '/**/ #include /* */ <a/*b.h>\n#include "c.h"\n',
    includes: ['a/*b.h', 'c.h'],
  },
  'comments in strings': {
    source: 'const char *a = "http://x/*", *b = "\\"/*"; int c = \'"\'; /* " */\n#include "a.h"\n',
    includes: ['a.h'],
  },
  'spliced directives (distcc misses them)': {
    source: '#inc\\\nlude "a.h"\n\\\n#\\  \ninclude \\\r\n<b.h>\n#include "c\\\n.h"\n',
    includes: ['a.h', 'b.h', 'c.h'],
  },
  'digraphs (distcc misses them)': {
    source: '%: include "a.h"\n %:include <b.h>\n',
    includes: ['a.h', 'b.h'],
  },
  'names with blanks and signs (distcc misses them)': {
    source: '#include "a b.h"\n#include "c@d.h"\n#include <e,f.h>\n',
    includes: ['a b.h', 'c@d.h', 'e,f.h'],
  },
  'literals end with the line': {
    source: '#if 0\ndon\'t /*\n#endif\nisn\'t "\n*/\n#include "a.h"\n',
    includes: ['a.h'],
  },
  'a comment opened in a skipped literal is none': {
    source: '#if 0\ndon\'t /*\n#endif\n#include "a.h"\n#if 0\n"/*\n#endif\n#include "b.h"\n',
    includes: ['a.h', 'b.h'],
  },
  'line ends of DOS, no newline at the end': {
    source: '#include "a.h"\r\n/* \r\n */\r\n#include <b.h>\r\n#include "c.h"',
    includes: ['a.h', 'b.h', 'c.h'],
  },
  'byte order mark': { source: '\xef\xbb\xbf#include "a.h"\n', includes: ['a.h'] },
  'NUL and control characters as blanks': {
    source: '\0#\0include\0"a.h"\n\f#\vinclude "b.h"\n',
    includes: ['a.h', 'b.h'],
  },
  'a backslash is no escape in a name': {
    source: '#include "a\\"\n/* " */\n#include "b.h"\n',
    includes: ['a\\', 'b.h'],
  },
  'line markers include nothing': {
    source: '# 12 "no.h"\n#line 3 "no.h"\n#include "a.h"\n',
    includes: ['a.h'],
  },
  'import, and next': {
    source: '#import "a.h"\n#import <b.h>\n#include_next <c.h>\n',
    includes: ['a.h', 'b.h', 'c.h'],
  },
  'separators in numbers': {
    source: "int a = 1'000 + 0xa'b; /* '\n*/\n#include \"a.h\"\n",
    includes: ['a.h'],
  },
  'a raw string of C++': {
    source: 'auto a = u8R"x(\n/* )" " )x";\n#include "a.h"\n',
    includes: ['a.h'],
  },
  'what is a raw string to C++ only': {
    source: 'char *a = R"x( /* )y";\n#include "a.h"\n/* )x" */\n',
    includes: ['a.h'],
  },
  'a raw string with a splice in its false end': {
    source: 'auto a = R"x( )\\\nx" /* " )x";\n#include "a.h"\n',
    includes: ['a.h'],
  },
  'a raw string ends with its directive': {
    source: '#if 0\n#define X R"(/*\n#endif\n#include "a.h"\n/* )" */\n',
    includes: ['a.h'],
  },
  'trigraphs where there are any': {
    source: '??=include "a.h"\n#inc??/\nlude "b.h"\n// c??/\n#include "d.h"\n',
    includes: ['a.h', 'b.h', 'd.h'],
  },
  'line comments where there are none': {
    source: 'int a = 4 //* \n" */ " /*\n#include "a.h"\n*/\n',
    includes: ['a.h'],
  },
};

const COMPILERS = [
  ['gcc', '-std=gnu17', 'x.c'],
  ['gcc', '-std=c89', 'x.c'],
  ['g++', '-std=gnu++20', 'x.cc'],
  ['g++', '-std=c++11', 'x.cc'],
] as const;

await t.test('whatever one of the standards includes is found', async (t) => {
  const seen = new Set<string>();
  for (const [compiler, standard, file] of COMPILERS) {
    const cwd = scratchDirectory();
    const options = [standard, '-w', '-E', '-H', '-nostdinc', '-I', '.', '-o', '/dev/null'];
    for (const [what, { source, includes }] of Object.entries(ODD)) {
      writeFileSync(`${cwd}/${file}`, Buffer.from(source, 'latin1'));
      for (const name of includes) {
        mkdirSync(`${cwd}/${name}`.replace(/[^/]*$/, ''), { recursive: true });
        writeFileSync(`${cwd}/${name}`, `/* ${what} ${name} */`);
      }
      const { stderr } = runIn(cwd, [compiler, ...options, file]);
      const opened = [...stderr.matchAll(/^\.+ (?:\.\/)?(.*)$/gm)].map(([, name]) => name ?? '');
      const found = new Set(
        requests(source).map((request) => request.replace(/^.*?["<](.*)[">]$/, '$1')),
      );
      for (const name of opened) {
        seen.add(`${what}: ${name}`);
        t.ok(found.has(name), `${compiler} ${standard}: ${what}: ${name}`);
      }
    }
  }
  for (const [what, { includes }] of Object.entries(ODD)) {
    for (const name of includes)
      t.ok(seen.has(`${what}: ${name}`), `some compiler: ${what}: ${name}`);
  }
});

await t.test('comments and strings name nothing', async (t) => {
  t.strictSame(
    requests('// #include "a.h"\n/*\n#include "b.h"\n*/\nchar *c = "#include <d.h>";\n'),
    [],
  );
});

await t.test('line markers name what messages show', async (t) => {
  t.strictSame(
    requests('#include "a.h"\n# 12 "b.y" 2\n#line 2 "c.y"\n# line N "b.y"\n#line 4\n#lines "d"\n'),
    ['include "a.h"', 'line b.y', 'line c.y'],
  );
  t.strictSame(requests('#line 1 "a\\\\b\\"c\\303\\251"\n'), ['line a\\b"c\xc3\xa9']);
});

await t.test('a lone carriage return ends a line for Clang, not for GCC', async (t) => {
  t.strictSame(requests('#include "a.h"\r#include "b.h"\r'), ['include "a.h"', 'include "b.h"']);
});

await t.test('operands that macros make', async (t) => {
  t.strictSame(
    requests('#include A /* b */ (c,\\\nd) // e\n#include_next F\n#embed G limit(2)\n'),
    ['include = A   (c,d)', 'include next = F', 'embed = G limit(2)'],
  );
  t.strictSame(requests('#include <a\n#include\n'), ['include = <a', 'include = ']);
});

await t.test('__has_include (distcc and nocc ignore it)', async (t) => {
  t.strictSame(
    requests(
      '#if __has_include(<a.h>) && __has_include ( "b.h" ) || !__has_include_next(<c//d.h>)\n' +
        '#elif defined __has_include && __has_include__("e.h") && __has_embed(<f> limit(1))\n' +
        '#elif __has_include(G(1, (2))) > 0 || __has_include H\n#endif\n' +
        '#ifdef __has_include\n#endif\n',
    ),
    [
      'probe <a.h>',
      'probe "b.h"',
      'probe next <c//d.h>',
      'probe "e.h"',
      'embed <f>',
      'probe = G(1, (2))',
      'probe = H',
    ],
  );
});

await t.test('__has_include in a macro of its own, as Qt has it', async (t) => {
  t.strictSame(requests('#define HAS(x) __has_include(x)\n#if HAS(<a.h>) || HAS("b.h")\n'), [
    'probe <a.h>',
    'probe next <a.h>',
    'probe "b.h"',
    'probe next "b.h"',
  ]);
  t.strictSame(requests('#define HAS_A __has_include(<a.h>)\n#define HAS_B __has_include(B)\n'), [
    'probe <a.h>',
    'probe = B',
  ]);
});

await t.test('#embed, pragmas, header units', async (t) => {
  t.strictSame(requests('#embed "a.bin" limit(3)\n#embed <b>\n'), ['embed "a.bin"', 'embed <b>']);
  t.strictSame(
    requests('#pragma GCC dependency "a.y" rebuild\n#pragma include_alias("b.h", <c.h>)\n'),
    ['probe "a.y"', 'include "b.h"', 'include <c.h>'],
  );
  t.strictSame(requests('_Pragma("GCC dependency \\"a.y\\"")\n'), ['probe "a.y"']);
  t.strictSame(
    requests(
      'module;\nimport <a>;\nexport import "b.h";\nimport C;\nimport(d);\nint import = 3;\n',
    ),
    ['include <a>', 'include "b.h"', 'include = C'],
  );
});

await t.test('clock words in code only', async (t) => {
  const words = (source: string): string[] => [...scan(Buffer.from(source), 'c').clockWords];
  t.strictSame(words('char *a = __DATE__ " " __TIME__;'), ['__DATE__', '__TIME__']);
  t.strictSame(words('#define STAMP __TIME\\\nSTAMP__\n'), ['__TIMESTAMP__']);
  t.strictSame(words('/* __DATE__ */ char *a = "__TIME__", b = 1; // __TIMESTAMP__'), []);
  t.strictSame(words("int a = 1'000, x__DATE__; char *b = __TIME__;"), ['__TIME__']);
});

await t.test('unterminated things end the file and nothing else', async (t) => {
  for (const source of ['/*', '"', "'", 'R"(', '#', '#include', '#define', '\\', '??/', '/', '']) {
    t.strictSame(requests(`#include "a.h"\n${source}`)[0], 'include "a.h"');
    t.doesNotThrow(() => scan(Buffer.from(source), 'assembler'));
  }
});

await t.test('long lines cost no more than their length', async (t) => {
  const line = `int a[] = {${"'x', /* \" */ ".repeat(40_000)}};\n#include "a.h"\n`;
  const begin = process.cpuUsage().user;
  t.strictSame(requests(line), ['include "a.h"']);
  t.ok(process.cpuUsage().user - begin < 5_000_000, 'not the square of it');
});

await t.test('everything that gcc finds in the headers of this system', async (t) => {
  const headers = readdirSync('/usr/include').filter((name) => name.endsWith('.h'));
  const some = headers.filter((_, i) => i % Math.ceil(headers.length / 20) === 0);
  let edges = 0;
  for (const header of some) {
    const argv = ['gcc', '-w', '-E', '-H', '-o', '/dev/null', `/usr/include/${header}`];
    const chain = [`/usr/include/${header}`];
    for (const [, dots = '', file = ''] of runIn('/', argv).stderr.matchAll(/^(\.+) (.*)$/gm)) {
      const includer = chain[dots.length - 1] ?? '';
      chain[dots.length] = file;
      if (file.endsWith('/stdc-predef.h')) continue;
      edges++;
      const found = scan(readFileSync(includer), 'c').requests.some((request) =>
        request.kind === 'computed' ? true : file.endsWith(request.name.replace(/^(\.\.\/)+/, '')),
      );
      if (!found) t.fail(`${includer} includes ${file}`);
    }
  }
  t.ok(edges > some.length, `${edges} includes`);
});
