import { writeFileSync } from 'node:fs';
import t from 'tap';
import { scan } from '../../src/include-server/directive-scanner.js';
import { runIn, scratchDirectory } from '../fixtures/commands.js';

/** Names that the assembler is given; 'opaque' if one cannot be read. */
function names(source: string, language: 'c' | 'assembler' = 'c'): string[] {
  const scanned = scan(Buffer.from(source, 'latin1'), language);
  const found = scanned.requests.flatMap((request) =>
    request.kind === 'assembler' ? [request.name] : [],
  );
  return scanned.hasOpaqueAssembler ? [...found, 'opaque'] : found;
}

await t.test(
  'in the strings of inline assembler (distcc and ccache are blind to it)',
  async (t) => {
    t.strictSame(names('asm(".incbin \\"a\\"");'), ['a']);
    t.strictSame(names('asm("nop\\n\\t.incbin \\"a\\",1,2; .include \\"b.s\\"\\n");'), [
      'a',
      'b.s',
    ]);
    t.strictSame(names('asm("l: .INCBIN \\"a\\"");'), ['a']);
    t.strictSame(names('asm(".inc" /* x */\n "bin \\"a" "b\\"");'), ['ab']);
    t.strictSame(names('asm("." "include \\"a\\"");'), ['a']);
    t.strictSame(names('asm("\\056incbin \\x22" "a\\42");'), ['a']);
    t.strictSame(names('asm(R"(\n .incbin "a"\n)");'), ['a']);
    t.strictSame(names('#define A ".incbin \\"a\\""\n'), ['a']);
    t.strictSame(names('#define S(x) #x\nasm(S(.incbin "a"));'), ['a']);
    t.strictSame(names('asm(\n#ifdef A\n".incbin \\"a\\""\n#else\n".incbin \\"b\\""\n#endif\n);'), [
      'a',
      'b',
    ]);
  },
);

await t.test('a name that macros or operands make cannot be read', async (t) => {
  for (const source of [
    'asm(".incbin \\"" FILE "\\"");',
    'asm(".incbin " STR(FILE));',
    'asm(".incbin %0" :: "i"(1));',
    '#define INCBIN(file) asm(".incbin \\"" #file "\\"")\n',
    '#define INCBIN(file) asm(STR(.incbin file))\n',
    '#define PREFIX ".incbin "\n',
    'asm(".macro m f\\n.incbin \\"\\\\f\\"\\n.endm");',
    'asm(".inc" BIN);',
  ]) {
    t.strictSame(names(source), ['opaque'], source);
  }
});

await t.test('what is no directive to the assembler', async (t) => {
  for (const source of [
    'puts("use .include and .incbin here");',
    'puts(".include");',
    'x.include = y; x.incbin("a"); p->x.include "a";',
    'struct x a = { .include = 3, .incbin = "a" };',
    'f("a.inc" SUFFIX, "." MINOR "." PATCH);',
    '/* .incbin "a" */ // .incbin "b"\n',
    'asm(".includes \\"a\\"");',
    'asm(".incbin a");',
  ]) {
    t.strictSame(names(source), [], source);
  }
});

await t.test('assembler sources', async (t) => {
  t.strictSame(names(' .incbin "a",0,4\nl: .include "b.s" # c\nnop; .incbin "d"\n', 'assembler'), [
    'a',
    'b.s',
    'd',
  ]);
  t.strictSame(names('/* .incbin "a" */\n# use .incbin "b"\n.ascii "x"\n', 'assembler'), []);
  t.strictSame(names('.macro m\n.incbin "a"\n.endm\n', 'assembler'), ['a']);
  t.strictSame(names('.macro m f\n.incbin "\\f"\n.endm\n', 'assembler'), ['opaque']);
  t.strictSame(names('.incbin FILE\n', 'assembler'), ['opaque']);
  t.strictSame(names('# don\'t /* x\n.incbin "a"\n', 'assembler'), ['a']);
  t.match(scan(Buffer.from('# comment\n# include "a.h"\n#ifdef X\n'), 'assembler').requests, [
    { kind: 'include', name: 'a.h' },
  ]);
});

await t.test('GNU as opens what is found, and only that', async (t) => {
  const cwd = scratchDirectory();
  writeFileSync(`${cwd}/a`, '');
  for (const line of [
    '.incbin "a"',
    '.INCLUDE "a"',
    'l: .incbin "a"',
    'nop; .incbin "a"',
    '/* c */ .incbin "a"',
    '.incbin"a"',
    '.incbin a',
    '.incbin <a>',
    '. incbin "a"',
    '.incbins "a"',
  ]) {
    writeFileSync(`${cwd}/x.s`, `${line}\n`);
    const { status } = runIn(cwd, ['as', '-o', '/dev/null', 'x.s']);
    if (status === 0) t.strictSame(names(`${line}\n`, 'assembler'), ['a'], line);
    else t.not(line.startsWith('.incbin "a"'), true, line);
  }
});
