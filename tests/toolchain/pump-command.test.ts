import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import * as fc from 'fast-check';
import { ARGUMENTS } from '../../src/core/limits.js';
import { optionTable } from '../../src/toolchain/options/option-table.js';
import { pumpRefusal } from '../../src/toolchain/options/pump-rules.js';
import { renderPumpArguments } from '../../src/toolchain/pump-arguments.js';
import {
  dependencyListOf,
  pumpObstacle,
  pumpOutputs,
  type PumpFields,
} from '../../src/toolchain/pump-command.js';
import { compileOf, runIn, scratchDirectory } from '../fixtures/commands.js';
import { without } from '../fixtures/tools.js';

const FIELDS: PumpFields = {
  family: 'gcc',
  options: [],
  language: null,
  stage: 'object',
  source: 'x.c',
  output: null,
  hasDependencyFile: true,
};

const obstacle = (words: string, family: 'gcc' | 'clang' = 'gcc') =>
  pumpObstacle(compileOf(`${family} ${words}`, { family }), new Map());

await t.test('what plain mode cannot carry goes out', async (t) => {
  for (const words of [
    '-c -g x.s',
    '-c x.S',
    '-c -g x.i',
    '-c -fsanitize=address x.c',
    '-c --coverage x.c',
    '-c -g -gsplit-dwarf x.c',
    '-c -flto x.c',
    '-c -save-temps x.c',
    '-c -aux-info out x.c',
    '-c -fverbose-asm -frecord-gcc-switches x.c',
    '-c -fprofile-generate=dir x.c',
    '-c -fopt-info-vec x.c',
    '-c -fexec-charset=UTF-16LE x.c',
    '-c -fdiagnostics-format=json x.c',
  ]) {
    t.equal(obstacle(words), undefined, words);
  }
});

await t.test('what reads or writes files that nobody knows of does not', async (t) => {
  for (const [words, reason] of [
    ['-c -fprofile-use x.c', 'profile-use'],
    ['-c -fauto-profile=p x.c', 'profile-use'],
    ['-c -fdump-tree-all x.c', 'option:-fdump-'],
    ['-c -fdump-tree-all=out x.c', undefined],
    ['-c -fopt-info-vec=out x.c', undefined],
    ['-c -finput-charset=latin1 x.c', 'option:-finput-charset='],
    ['-c -fdiagnostics-format=json-file x.c', 'option:-fdiagnostics-format='],
    ['-c -D@x x.c', 'option:-D'],
    ['-c -o@x x.c', 'option:-o'],
  ] as const) {
    t.equal(obstacle(words), reason, words);
  }
  for (const [words, reason] of [
    ['-c -MJ out x.c', 'option:-MJ'],
    ['-c -save-temps x.c', 'save-temps'],
    ['-c -grecord-gcc-switches x.c', 'option:-grecord-gcc-switches'],
    ['-c -- -x.c', 'option:--'],
  ] as const) {
    t.equal(obstacle(words, 'clang'), reason, words);
  }
  const long = compileOf(['gcc', '-c', `-D${'x'.repeat(ARGUMENTS.remoteValue + 1)}`, 'x.c']);
  t.equal(pumpObstacle(long, new Map()), 'command-too-long');
  t.equal(pumpObstacle(compileOf('gcc -c x.c'), new Map([['TZ', '/x']])), 'environment:TZ');
});

await t.test('files that are written', async (t) => {
  const command = compileOf('gcc -c -g -gsplit-dwarf -MD d/x.c -o o/y.o', { cwd: '/p' });
  t.strictSame(pumpOutputs(command), [
    { kind: 'main', path: 'o/y.o', absolute: '/p/o/y.o', isRequired: true },
    { kind: 'dependencies', path: 'o/y.d', absolute: '/p/o/y.d', isRequired: false },
    { kind: 'side', path: 'o/y.dwo', absolute: '/p/o/y.dwo', isRequired: false },
  ]);
});

await t.test('how it is known what was read', async (t) => {
  t.equal(dependencyListOf(compileOf('gcc -c x.c')), 'added');
  t.equal(dependencyListOf(compileOf('gcc -c -MD x.c')), 'own');
  t.equal(dependencyListOf(compileOf('gcc -c -Wp,-MMD,d x.c')), 'own-without-system');
  t.equal(dependencyListOf(compileOf('gcc -c x.i')), 'none');
  t.equal(dependencyListOf(compileOf('gcc -c x.s')), 'added');
  t.equal(dependencyListOf(compileOf('clang -c x.s', { family: 'clang' })), 'none');
});

await t.test('what a server refuses', async (t) => {
  const refused: [Partial<PumpFields>, RegExp][] = [
    [{ options: [['-O2', null]] }, /"-O2" is not sent/],
    [{ options: [['-fplugin=', 'x.so']] }, /"-fplugin=" is not sent/],
    [{ options: [['-B', '/x']] }, /"-B" is not sent/],
    [{ options: [['-o', 'x']] }, /"-o" is not sent/],
    [{ options: [['-c', null]] }, /"-c" is not sent/],
    [{ options: [['-fdump-', 'tree']] }, /not sent/],
    [{ options: [['-g', '']] }, /takes no value/],
    [{ options: [['-I', null]] }, /needs a value/],
    [{ options: [['-I', '@x']] }, /@file/],
    [{ options: [['-D', 'a\0b']] }, /cannot have this value/],
    [{ options: [['-D', 'a\u0100b']] }, /cannot have this value/],
    [{ options: [['-std=', '/x']] }, /cannot have this value/],
    [{ options: [['-Wa,', '@x']] }, /cannot have this value/],
    [{ options: [['-D', 'x'.repeat(ARGUMENTS.remoteValue + 1)]] }, /too long/],
    [
      { options: Array.from({ length: ARGUMENTS.remoteOptions + 1 }, () => ['-g', null]) },
      /more than/,
    ],
    [{ options: [['-Wp,', '-fplugin=x.so']] }, /not sent/],
    [{ options: [['-Wp,', '-MD,@x']] }, /not sent/],
    [{ options: [['-Wp,', '-D']] }, /not sent/],
    [{ options: [['-Xpreprocessor', '-quiet']] }, /not sent/],
    [{ language: 'ada' }, /no language/],
    [{ language: '-fplugin=x' }, /no language/],
    [{ source: 'x.h' }, /no language/],
    [{ source: '-x.c' }, /impossible name/],
    [{ source: '@x.c' }, /impossible name/],
    [{ source: 'x\0.c' }, /impossible name/],
    [{ output: '' }, /impossible name/],
    [{ output: '@x' }, /impossible name/],
    [{ output: '-' }, /impossible name/],
  ];
  for (const [change, message] of refused) {
    const rendered = renderPumpArguments({ ...FIELDS, ...change }, 'gcc');
    t.equal(rendered.ok, false, JSON.stringify(change).slice(0, 80));
    if (!rendered.ok) t.match(rendered.error, message);
  }
});

await t.test('no fields make a word that says more than its option', async () => {
  const table = optionTable('gcc');
  const names = table.specs().map(({ name }) => name);
  const value = fc.oneof(
    fc.constant(null),
    fc.string(),
    fc.constantFrom('@x', '-fplugin=x', '-pch', 'x,-fplugin=y', '=x', ' ', '', 'a\n-B.'),
  );
  const option = fc.tuple(fc.constantFrom(...names, '-Xpreprocessor', '-plugin'), value);
  fc.assert(
    fc.property(fc.array(option, { maxLength: 4 }), (options) => {
      const rendered = renderPumpArguments({ ...FIELDS, options }, 'gcc');
      if (!rendered.ok) return;
      const words = rendered.value.words.slice(0, -2);
      for (const [name, given] of options) {
        const own = table.spec(name === '-Xpreprocessor' ? '-Wp,' : name);
        if (own === undefined || pumpRefusal('gcc', own, given ?? undefined) !== undefined) {
          throw new Error(`${name} must not pass`);
        }
        const word = words.shift() ?? '';
        if (given === null || table.arity(name) === 'joined') {
          if (word === name + (given ?? '')) continue;
        }
        if (word !== name || words.shift() !== given) throw new Error(`${word} for ${name}`);
      }
      if (words.length > 0) throw new Error(`left: ${words.join(' ')}`);
    }),
    { numRuns: 2000 },
  );
});

for (const family of ['gcc', 'clang'] as const) {
  await t.test(
    `${family} takes every value where it is put`,
    { skip: without(family) },
    async (t) => {
      const table = optionTable(family);
      const cwd = scratchDirectory();
      writeFileSync(join(cwd, 'x.c'), 'int x;\n');
      for (const spec of table.specs()) {
        const arity = table.arity(spec.name);
        if (arity !== 'separate' && arity !== 'either') continue;
        if (spec.name === '-Wp,' || pumpRefusal(family, spec, 'v') !== undefined) continue;
        // As a word of its own this would be a question, and answered.
        const { stdout } = runIn(cwd, [family, spec.name, '--version', '-c', 'x.c', '-o', 'x.o']);
        t.notMatch(stdout.toString(), /Copyright|version/, spec.name);
      }
    },
  );
}
