/** Differences of real objects: the compiler makes them, objcopy and single bytes change them. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { elfSections } from '../../src/toolchain/elf-sections.js';
import {
  differencesOf,
  beyondUsual,
  type CompileProducts,
} from '../../src/toolchain/output-difference.js';

const SOURCE = 'int counter = 7;\nint add(int a) { return a + counter; }\n';

function compile(
  t: Test,
  words: readonly string[] = [],
  source = SOURCE,
  compiler = 'gcc',
): Buffer {
  const directory = t.testdir({ 'x.c': source });
  execFileSync(compiler, [...words, '-c', 'x.c', '-o', 'x.o'], { cwd: directory });
  return readFileSync(`${directory}/x.o`);
}

const products = (bytes: Uint8Array, name = 'x.o'): CompileProducts => new Map([[name, bytes]]);
const texts = (a: Uint8Array, b: Uint8Array, name?: string) =>
  differencesOf(products(a, name), products(b, name)).map(({ text }) => text);

/** With one byte of a section changed. */
function changed(object: Buffer, section: string, at: number): Buffer {
  const copy = Buffer.from(object);
  const bytes = elfSections(copy)?.find(({ name }) => name === section)?.bytes as Buffer;
  bytes[at] = (bytes[at] ?? 0) ^ 0xff;
  return copy;
}

await t.test('one byte is told by its section and offset', async (t) => {
  const object = compile(t);
  t.strictSame(texts(object, Buffer.from(object)), []);
  const [line = '', ...others] = texts(changed(object, '.text', 4), object);
  t.strictSame(others, []);
  t.match(
    line,
    /^x\.o: section \.text at offset 0x4: (..\s?){1,8} on the server, (..\s?){1,8} here$/,
  );
  t.match(texts(changed(object, '.data', 0), object), [
    'x.o: section .data at offset 0x0: f8 00 00 00 on the server, 07 00 00 00 here',
  ]);
});

await t.test('every class and byte order that there is a compiler for', async (t) => {
  for (const [compiler, words] of [
    ['gcc', ['-m32']],
    ['arm-linux-gnueabihf-gcc', []],
    ['arm-linux-gnueabihf-gcc', ['-mbig-endian']],
    ['aarch64-linux-gnu-gcc', ['-mbig-endian']],
  ] as const) {
    let object: Buffer;
    try {
      object = compile(t, words, SOURCE, compiler);
    } catch (error) {
      t.comment(`${compiler} is not here: ${String(error)}`);
      continue;
    }
    t.ok(elfSections(object)?.some(({ name }) => name === '.text'));
    t.match(texts(changed(object, '.text', 0), object), [/^x\.o: section \.text at offset 0x0: /]);
  }
});

await t.test('sections that only one of them has, and those of one name', async (t) => {
  const [bare, debug] = [compile(t), compile(t, ['-g'])];
  t.ok(texts(debug, bare).includes('x.o: section .debug_line is there on the server only'));
  t.ok(texts(bare, debug).includes('x.o: section .debug_line is there on this host only'));
  const groups = (flag: string) =>
    compile(t, ['-xc++', flag], 'template <int n> int f() { return n; }\nint a = f<1>() + f<2>();');
  const [first, second] = [groups('-O0'), groups('-O0')];
  t.strictSame(texts(first, second), []);
  const sections = elfSections(first)?.filter(({ name }) => name === '.group') ?? [];
  t.equal(sections.length, 2, 'two groups');
  sections[1]?.bytes.fill(99, 4, 5);
  t.match(texts(first, second), [/^x\.o: section \.group #2 at offset 0x4: /]);
});

await t.test('headers without their contents', async (t) => {
  const object = compile(t);
  const directory = t.testdir({});
  writeFileSync(`${directory}/x.o`, object);
  execFileSync('objcopy', ['--set-section-flags', '.data=alloc,readonly', 'x.o'], {
    cwd: directory,
  });
  const found = texts(readFileSync(`${directory}/x.o`), object);
  t.ok(
    found.some((text) => /section \.data has another type, flags/.test(text)),
    found.join('; '),
  );
  const header = Buffer.from(object);
  header[48] = 1;
  t.match(texts(header, object), [/^x\.o at offset 0x30: 01 /], 'e_flags are in no section');
});

await t.test('a section in memory only has a size', async (t) => {
  const sized = (n: number) => compile(t, [], `int unused[${n}] = {0};`);
  const found = texts(sized(100), sized(200));
  t.ok(found.includes('x.o: section .bss has 400 bytes on the server, 800 here'), found.join());
});

await t.test('text by line, other files by offset', async (t) => {
  const lines = (last: string) => Buffer.from(`x.o: x.c \\\n a.h \\\n ${last}\n`);
  t.strictSame(texts(lines('b.h'), lines('c.h'), 'x.d'), [
    'x.d at line 3: " b.h" on the server, " c.h" here',
  ]);
  t.strictSame(texts(Buffer.from('a\n'), Buffer.from('a\nb\n'), 'standard error'), [
    'standard error at line 2: the end on the server, "b" here',
  ]);
  t.strictSame(texts(Buffer.from('a\0b'), Buffer.from('a\0c'), 'x.gcno'), [
    'x.gcno at offset 0x2: 62 on the server, 63 here',
  ]);
  t.strictSame(
    differencesOf(new Map(), products(Buffer.from(''), 'x.su')).map(({ text }) => text),
    ['x.su is there on this host only'],
  );
});

await t.test('what is cut short or damaged is compared as bytes', async (t) => {
  const object = compile(t);
  t.match(texts(object.subarray(0, 200), object), [/^x\.o at offset 0xc8: the end on the server/]);
  let refused = 0;
  for (let at = 0; at < 64; at++) {
    const damaged = Buffer.from(object);
    damaged[at] = 0xff;
    if (elfSections(damaged) === undefined) refused++;
    if (!damaged.equals(object)) t.equal(texts(damaged, object).length > 0, true, `byte ${at}`);
  }
  t.ok(refused > 10, 'numbers of the header are checked');
  t.equal(elfSections(Buffer.from('\x7fELF', 'latin1')), undefined);
});

await t.test('what may differ, and what differs between local runs too', async (t) => {
  const object = compile(t, ['-g']);
  const debug = products(changed(object, '.debug_line', 3));
  const isDebug = (_file: string, section = '') => section.startsWith('.debug');
  t.strictSame(differencesOf(debug, products(object), isDebug), []);
  const text = differencesOf(products(changed(object, '.text', 0)), products(object));
  const data = differencesOf(products(changed(object, '.data', 0)), products(object));
  const data2 = differencesOf(products(changed(object, '.data', 1)), products(object));
  t.strictSame(beyondUsual(data, data2), [], 'the same section');
  t.strictSame(beyondUsual([...data, ...text], data2), text);
  t.strictSame(beyondUsual(data, []), data);
});

await t.test('random numbers in the names of LTO sections do not hide what is usual', async (t) => {
  const [one, two, three] = [1, 2, 3].map(() => products(compile(t, ['-flto'])));
  if (one === undefined || two === undefined || three === undefined) return;
  const found = differencesOf(one, two);
  t.ok(found.length > 0, 'it differs from run to run');
  t.strictSame(beyondUsual(found, differencesOf(two, three)), []);
});
