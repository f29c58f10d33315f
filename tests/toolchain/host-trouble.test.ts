import t from 'tap';
import { hostTrouble } from '../../src/toolchain/host-trouble.js';

const troubleIn = (text: string) => hostTrouble(Buffer.from(text));

await t.test('a compiler that was stopped by its host', (t) => {
  for (const line of [
    'gcc: fatal error: Killed signal terminated program cc1',
    'g++-12: internal compiler error: Segmentation fault signal terminated program cc1plus',
    'gcc: internal compiler error: Killed (program cc1)',
    'clang: error: unable to execute command: Killed',
    'cc1: out of memory allocating 65536 bytes after a total of 1081344 bytes',
    'cc1plus: out of memory allocating 4064 bytes after a total of 0 bytes',
    'virtual memory exhausted: Cannot allocate memory',
    'LLVM ERROR: out of memory',
    'a.c:9:1: fatal error: error writing to /tmp/ccx1.s: No space left on device',
    "/tmp/ccx1.s: Fatal error: can't write 62 bytes to section .text of a.o: 'No space left on device'",
  ]) {
    t.equal(troubleIn(`a.c: In function 'f':\n${line}\ncompilation terminated.\n`), line);
  }
  t.end();
});

await t.test('colours are no hindrance', (t) => {
  const line = 'gcc: fatal error: Killed signal terminated program cc1';
  const coloured =
    '\x1b[01m\x1b[Kgcc:\x1b[m\x1b[K \x1b[01;31m\x1b[Kfatal error: \x1b[m\x1b[KKilled signal terminated program cc1\n';
  t.equal(troubleIn(coloured), line);
  t.end();
});

await t.test('what is wrong with a source', (t) => {
  for (const text of [
    '',
    "a.c:1:1: error: unknown type name 'x'\n",
    'a.c:1:2: error: #error Killed signal terminated program cc1\n',
    'a.c:1:2: error: #error cc1: out of memory allocating 1 bytes after a total of 2 bytes\n',
    'a.c:2:5: warning: No space left on device [-Wcpp]\n',
    '    1 | gcc: fatal error: Killed signal terminated program cc1\n',
  ]) {
    t.equal(troubleIn(text), undefined);
  }
  t.end();
});
