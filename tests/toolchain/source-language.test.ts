import { writeFileSync } from 'node:fs';
import t from 'tap';
import {
  isCxxDriver,
  isPreprocessed,
  preprocessedLanguage,
  sourceKind,
} from '../../src/toolchain/source-language.js';
import { runIn, scratchDirectory } from '../fixtures/commands.js';

/** Suffixes of what goes out, and of what the drivers know besides. */
const SUFFIXES = 'c i cc cp cxx cpp CPP c++ C ii s S sx h hh H hp hxx hpp HPP h++ tcc'.split(' ');

/** What the driver would start for a source, without starting it; the linker for what is none. */
function programOf(driver: string, cwd: string, source: string): string {
  writeFileSync(`${cwd}/${source}`, '');
  const { stderr } = runIn(cwd, [driver, '-###', '-c', source]);
  if (/linker input file unused/.test(stderr)) return 'none';
  const words = /(?:^|\n) \S*?\/?(cc1|cc1plus|as) (.*)/.exec(stderr);
  const isHeader = stderr.includes('.gch');
  return `${words?.[1] ?? 'unknown'}${isHeader ? ' header' : ''}`;
}

const PROGRAM = {
  c: 'cc1',
  'cpp-output': 'cc1',
  'c++': 'cc1plus',
  'c++-cpp-output': 'cc1plus',
  'assembler-with-cpp': 'cc1',
  assembler: 'as',
} as const;

for (const driver of ['gcc', 'g++'] as const) {
  await t.test(`${driver} takes each suffix for the same`, async (t) => {
    const cwd = scratchDirectory();
    for (const suffix of [...SUFFIXES, 'o', 'so', 'xyz']) {
      const source = `x.${suffix}`;
      const kind = sourceKind(source, undefined, isCxxDriver(driver));
      const program = programOf(driver, cwd, source);
      switch (kind.kind) {
        case 'language':
          t.equal(PROGRAM[kind.language as keyof typeof PROGRAM], program, source);
          break;
        case 'header':
        case 'decline':
          t.match(program, / header$/, source);
          break;
        case 'linker-input':
          t.equal(program, 'none', source);
      }
    }
  });
}

await t.test('-x before the suffix, none gives it back', async (t) => {
  t.match(sourceKind('x.c', 'c++', false), { language: 'c++' });
  t.match(sourceKind('x', 'c', true), { language: 'c' });
  t.match(sourceKind('x.c', 'none', true), { language: 'c++' });
  t.match(sourceKind('x.o', 'objc-cpp-output', false), { language: 'objective-c-cpp-output' });
  t.match(sourceKind('x.c', 'c-header', false), { kind: 'header', language: 'c' });
  t.match(sourceKind('x.c', 'c++-module', false), { reason: 'modules' });
  t.match(sourceKind('x.c', 'fortran', false), { reason: 'language' });
});

await t.test('what does not go out', async (t) => {
  t.match(sourceKind('x.hpp', undefined, false), { kind: 'header', language: 'c++' });
  t.match(sourceKind('x.h', undefined, true), { kind: 'header', language: 'c++' });
  t.match(sourceKind('x.cppm', undefined, false), { kind: 'decline', reason: 'modules' });
  t.match(sourceKind('x.f90', undefined, false), { kind: 'decline', reason: 'language' });
  for (const name of ['x', 'x.a', 'x.so.1', 'd.c/x', 'x.']) {
    t.match(sourceKind(name, undefined, false), { kind: 'linker-input' }, name);
  }
});

await t.test('the C++ driver by its name', async (t) => {
  for (const name of ['g++', '/usr/bin/c++', 'clang++', 'clang++-14', 'g++-12', 'x86_64-w64-g++']) {
    t.equal(isCxxDriver(name), true, name);
  }
  for (const name of ['gcc', 'cc', 'g++x', 'xg++', 'clang', 'g++/gcc', 'libstdc++']) {
    t.equal(isCxxDriver(name), false, name);
  }
});

await t.test('after the preprocessor', async (t) => {
  t.equal(preprocessedLanguage('c'), 'cpp-output');
  t.equal(preprocessedLanguage('c++'), 'c++-cpp-output');
  t.equal(preprocessedLanguage('objective-c++'), 'objective-c++-cpp-output');
  t.equal(preprocessedLanguage('assembler-with-cpp'), 'assembler');
  for (const language of ['c', 'c++', 'objective-c', 'assembler-with-cpp'] as const) {
    t.equal(isPreprocessed(language), false, language);
    t.equal(isPreprocessed(preprocessedLanguage(language)), true, language);
  }
});
