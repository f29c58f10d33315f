import t from 'tap';
import { refusedAssemblerWord } from '../../../src/toolchain/options/assembler.js';
import { runIn } from '../../fixtures/commands.js';

await t.test('the assembler table', async (t) => {
  for (const value of [
    '--noexecstack',
    '--64,-mrelax-relocations=no',
    '-W,--fatal-warnings',
    '-mcpu=cortex-a8',
    '--defsym,X=1',
    '-march=armv8-a+crc',
    '--compress-debug-sections=zlib',
  ]) {
    t.equal(refusedAssemblerWord(value), undefined, value);
  }
  for (const [value, name] of [
    ['-al=x', '-al='],
    ['-a', '-a'],
    ['-o,x', '-o'],
    ['-I.', '-I.'],
    ['--noexecstack,-I,x', '-I'],
    ['--MD,x', '--MD'],
    ['@x', ''],
    ['', ''],
    ['x.s', ''],
    ['--', '--'],
    ['-g', '-g'],
    ['--gdwarf-5', '--gdwarf-5'],
    ['--defsym,-o', '--defsym'],
    ['--defsym', '--defsym'],
    ['-march=/x', '-march='],
    ['-M', '-M'],
    ['--statistics', '--statistics'],
  ] as const) {
    t.equal(refusedAssemblerWord(value), name, value);
  }
});

await t.test('GNU as takes what is let through', async (t) => {
  for (const flag of [
    '--noexecstack',
    '--keep-locals',
    '-mrelax-relocations=yes',
    '--size-check=error',
  ]) {
    t.equal(runIn('/', ['as', flag, '-o', '/dev/null', '/dev/null']).status, 0, flag);
  }
});
