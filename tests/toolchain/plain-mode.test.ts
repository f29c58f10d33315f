import t from 'tap';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CompileCommand } from '../../src/toolchain/compile-command.js';
import { plainObstacle, preprocessArguments } from '../../src/toolchain/plain-mode.js';
import { remoteOptions, renderRemoteArguments } from '../../src/toolchain/remote-options.js';
import { compileOf, filesBelow, runIn, scratchDirectory } from '../fixtures/commands.js';
import { without } from '../fixtures/tools.js';

const HEADER = '#ifndef H\n#define H\n#define TWICE(x) ((x) + (x))\n#include <stddef.h>\n#endif\n';
const SOURCE = '#include <stddef.h>\n#include "h.h"\nint f(int a) { return TWICE(a) + A; }\n';

/** A tree with a source below src/ and room for outputs below out/. */
function makeTree(directory: string): string {
  for (const name of ['src', 'out', 'inc', 'server']) mkdirSync(join(directory, name));
  for (const suffix of ['c', 'cc']) writeFileSync(join(directory, `src/x.y.${suffix}`), SOURCE);
  for (const name of ['od d$#.c', '.c']) writeFileSync(join(directory, 'src', name), SOURCE);
  writeFileSync(join(directory, 'inc/h.h'), HEADER);
  return directory;
}

function parseIn(cwd: string, argv: readonly string[]): CompileCommand {
  const family = argv[0]?.includes('clang') === true ? 'clang' : 'gcc';
  return compileOf(argv, { cwd, family });
}

/** The compiler itself is asked: its dependency file is the one expected. */
function compareDependencies(t: Tap, cwd: string, argv: readonly string[]): void {
  const command = parseIn(cwd, argv);
  const { dependencies } = command;
  const label = argv.join(' ');
  if (dependencies === undefined) return void t.fail(`${label}: no dependency file found`);
  const local = runIn(cwd, argv);
  t.equal(local.status, 0, `${label}: ${local.stderr}`);
  t.ok(existsSync(join(cwd, dependencies.path)), `${label}: makes ${dependencies.path}`);
  const expected = readFileSync(join(cwd, dependencies.path), 'latin1');
  rmSync(join(cwd, dependencies.path));
  rmSync(join(cwd, command.output));

  const plan = 'out/temporary';
  const preprocessed = runIn(cwd, preprocessArguments(command, plan));
  t.equal(preprocessed.status, 0, `${label}: -E: ${preprocessed.stderr}`);
  t.equal(readFileSync(join(cwd, 'out/temporary'), 'latin1'), expected, `${label}: same content`);
  rmSync(join(cwd, 'out/temporary'));
  t.notOk(existsSync(join(cwd, command.output)), `${label}: -E makes no output`);
  t.notOk(existsSync(join(cwd, dependencies.path)), `${label}: -E makes nothing else`);
}

/** The assertions that the comparisons make. */
type Tap = Pick<typeof t, 'equal' | 'ok' | 'notOk' | 'fail'>;

const DEPENDENCIES = [
  ['-c', '-MD'],
  ['-c', '-MMD'],
  ['-c', '-MD', '-o', 'out/o.o'],
  ['-c', '-MMD', '-oout/o.obj'],
  ['-c', '-MD', '-o', 'out/plain'],
  ['-c', '-MD', '-o', 'out/a b$c#.o'],
  ['-S', '-MD'],
  ['-S', '-MD', '-o', 'out/o.s'],
  ['-c', '-MD', '-MF', 'out/f.dep'],
  ['-c', '-MD', '-MFout/f.dep', '-o', 'out/o.o'],
  ['-c', '-MD', '-MF', 'out/e.dep', '-MF', 'out/f.dep'],
  ['-c', '-MD', '-MT', 'a b'],
  ['-c', '-MD', '-MQ', 'a b$', '-MTc', '-o', 'out/o.o'],
  ['-c', '-MD', '-MP', '-o', 'out/o.o'],
  ['-c', '-MD', '-MMD', '-o', 'out/o.o'],
  ['-c', '-MMD', '-MD', '-o', 'out/o.o'],
  ['-c', '-g3', '-MMD', '-MP', '-MF', 'out/f.dep', '-MT', 'out/o.o', '-o', 'out/o.o'],
  ['-c', '-Wp,-MD,out/w.d', '-o', 'out/o.o'],
  ['-c', '-Wp,-MMD,out/w.d'],
];

/** What only GCC's preprocessor takes through -Wp,. */
const GCC_DEPENDENCIES = [
  ['-c', '-Wp,-MD,out/w.d', '-Wp,-MT,z', '-o', 'out/o.o'],
  ['-c', '-Wp,-MD,out/w.d', '-MT', 'q', '-o', 'out/o.o'],
  ['-c', '-Wp,-MD,out/w.d,-MP,-DB=2', '-o', 'out/o.o'],
  ['-c', '-Xpreprocessor', '-MD', '-Xpreprocessor', 'out/w.d', '-o', 'out/o.o'],
  ['-c', '-MD', '-Wp,-MT,z', '-o', 'out/o.o'],
  ['-c', '-MD', '-Wp,-MF,out/w.d', '-o', 'out/o.o'],
  ['-c', '-MD', '-Wp,-MMD,out/w.d', '-o', 'out/o.o'],
  ['-c', '-MD', '-MF', 'out/f.d', '-Wp,-MQ,z$', '-o', 'out/o.o'],
];

/** Other drivers get a part of it: each combination costs two runs of a compiler. */
const SOME = DEPENDENCIES.filter((_, i) => i % 3 === 2);

for (const [compiler, source, combinations] of [
  ['gcc', 'src/x.y.c', [...DEPENDENCIES, ...GCC_DEPENDENCIES]],
  ['g++', 'src/x.y.cc', SOME],
  ['gcc', 'src/od d$#.c', [['-c', '-MD']]],
  ['gcc', 'src/.c', [['-c', '-MD']]],
  ['clang', 'src/.c', [['-c', '-MD']]],
  ['clang', 'src/x.y.c', SOME],
] as const) {
  const skip = without(compiler);
  await t.test(`${compiler}'s dependency file of ${source}, byte for byte`, { skip }, async (t) => {
    const cwd = makeTree(scratchDirectory());
    for (const words of combinations) {
      compareDependencies(t, cwd, [compiler, '-DA=1', '-Iinc', ...words, source]);
    }
  });
}

const REAL_C =
  '#include <assert.h>\n#include <math.h>\n#include <stdio.h>\n#include <stdlib.h>\n' +
  '#include <string.h>\n_Pragma("GCC diagnostic push") static int unused;\n' +
  '#define MAX(a, b) ((a) > (b) ? (a) : (b))\n' +
  'int f(int a, char **v) { assert(a > A); printf("%s:%d", __FILE__, __LINE__);\n' +
  '  return MAX(a, atoi(v[0])) + __COUNTER__; }\nconst char *b(void) { return __BASE_FILE__; }\n';
const REAL_CC =
  '#include <algorithm>\n#include <map>\n#include <string>\n#include <vector>\n' +
  'int f(std::map<std::string, int> &m) { m[__FILE__] = A;\n' +
  '  std::vector<int> v{3, 1, 2}; std::sort(v.begin(), v.end()); return v[0] + m.at("b"); }\n';

/** Compiles in one go, then in two, the second in another directory as a server does. */
function compareObjects(t: Tap, cwd: string, argv: readonly string[]): void {
  const command = parseIn(cwd, argv);
  const label = argv.join(' ');
  t.equal(plainObstacle(command), undefined, label);
  const local = runIn(cwd, argv);
  t.equal(local.status, 0, `${label}: ${local.stderr}`);
  const expected = readFileSync(join(cwd, command.output));

  const plan = undefined;
  const preprocessed = runIn(cwd, preprocessArguments(command, plan));
  t.equal(preprocessed.status, 0, label);
  writeFileSync(join(cwd, 'server/job.i'), preprocessed.stdout);
  const remote = renderRemoteArguments(JSON.parse(JSON.stringify(remoteOptions(command))), {
    language: command.language,
    stage: command.stage,
    source: 'job.i',
    output: 'job.o',
  });
  if (!remote.ok) return void t.fail(`${label}: ${remote.error}`);
  const compiled = runIn(join(cwd, 'server'), [command.argv0, ...remote.value]);
  t.equal(compiled.status, 0, `${label}: ${compiled.stderr}`);
  t.equal(compiled.stderr, local.stderr, `${label}: same diagnostics`);
  t.ok(expected.equals(readFileSync(join(cwd, 'server/job.o'))), `${label}: same object`);
}

const OBJECT_OPTIONS = [
  ['-c', '-O0'],
  ['-c', '-O2', '-Wall', '-Wno-unused'],
  ['-c', '-O2', '-DNDEBUG', '-fPIC', '-fvisibility=hidden', '-pthread', '-o', 'out/o.o'],
  ['-c', '-O2', '-g0', '-Wp,-DZ=1', '-Wa,--noexecstack', '-fno-strict-aliasing'],
  ['-c', '-Os', '-ffile-prefix-map=src=/elsewhere', '-finput-charset=latin1', '-pipe'],
  ['-c', '-O3', '-mavx2', '-fstack-protector-strong', '-frandom-seed=a/b', '-lm', '-L.'],
  ['-S', '-O2', '-fno-asynchronous-unwind-tables'],
];

for (const [compiler, source, text, options] of [
  ['gcc', 'src/real.c', REAL_C, OBJECT_OPTIONS],
  ['g++', 'src/real.cc', REAL_CC, OBJECT_OPTIONS.slice(1, 3)],
  ['clang', 'src/real.c', REAL_C, OBJECT_OPTIONS.slice(0, 3)],
  ['clang++', 'src/real.cc', REAL_CC, OBJECT_OPTIONS.slice(2, 3)],
] as const) {
  const skip = without(compiler);
  await t.test(`${compiler} makes the same object in two steps`, { skip }, async (t) => {
    const cwd = makeTree(scratchDirectory());
    writeFileSync(join(cwd, source), text);
    for (const words of options) {
      // Clang warns of what it does not use; a compile that prints does not go out.
      const isNoisy =
        compiler.startsWith('clang') && words.some((word) => /^-[lL]|-finput/.test(word));
      if (!isNoisy) compareObjects(t, cwd, [compiler, '-DA=1', '-Iinc', ...words, source]);
    }
  });
}

for (const compiler of ['gcc', 'clang']) {
  const skip = without(compiler);
  await t.test(
    `${compiler}'s debug information names the command's directory`,
    { skip },
    async (t) => {
      const cwd = makeTree(scratchDirectory());
      const command = parseIn(
        cwd,
        [compiler, '-g', '-DA=1', '-Iinc', '-fno-working-directory', '-c', 'src/x.y.c'].filter(
          (word) => compiler === 'gcc' || !word.endsWith('directory'),
        ),
      );
      const plan = undefined;
      writeFileSync(
        join(cwd, 'server/job.i'),
        runIn(cwd, preprocessArguments(command, plan)).stdout,
      );
      const remote = renderRemoteArguments(remoteOptions(command), {
        language: 'c',
        stage: 'assembly',
        source: 'job.i',
        output: 'job.s',
      });
      if (!remote.ok) throw new Error(remote.error);
      runIn(join(cwd, 'server'), [compiler, ...remote.value]);
      const assembly = readFileSync(join(cwd, 'server/job.s'), 'latin1');
      t.ok(assembly.includes(`"${cwd}"`), `${compiler}: the client's directory`);
      t.notOk(assembly.includes(join(cwd, 'server')), `${compiler}: not the server's`);
    },
  );
}

await t.test('a preprocessed source has no dependency file', async (t) => {
  const cwd = makeTree(scratchDirectory());
  writeFileSync(join(cwd, 'src/p.i'), 'int x;\n');
  const command = parseIn(cwd, ['gcc', '-c', '-MD', 'src/p.i', '-o', 'out/p.o']);
  t.equal(command.dependencies, undefined);
  t.equal(runIn(cwd, [command.argv0, ...command.words]).status, 0);
  t.strictSame(filesBelow(join(cwd, 'out')), ['p.o'], 'as gcc says');
});

await t.test('what plain mode cannot carry', async (t) => {
  const obstacle = (words: string): string | undefined =>
    plainObstacle(compileOf(`gcc -c ${words} x.c`));
  t.equal(obstacle('-O2 -g'), undefined);
  t.equal(obstacle('-save-temps'), 'save-temps');
  t.equal(obstacle('-save-temps=obj'), 'save-temps');
  t.equal(obstacle('-g -gsplit-dwarf'), 'split-dwarf');
  t.equal(obstacle('-gsplit-dwarf -gno-split-dwarf'), undefined);
  t.equal(obstacle('-fstack-usage'), 'side-outputs');
  t.equal(obstacle('-fcallgraph-info=su'), 'side-outputs');
  t.equal(obstacle('-fdump-tree-all'), 'side-outputs');
  t.equal(obstacle('-fopt-info-vec=f'), 'side-outputs');
  t.equal(obstacle('-aux-info f'), 'side-outputs');
  t.equal(obstacle('--coverage'), 'coverage');
  t.equal(obstacle('-fprofile-arcs -fno-profile-arcs'), undefined);
  t.equal(obstacle('-fprofile-use=x'), 'profile-use');
  t.equal(obstacle('-fprofile-use=x -fno-profile-use'), undefined);
  t.equal(obstacle('-fauto-profile=x'), 'profile-use');
  const clang = compileOf('clang -c -fprofile-instr-use=x x.c', { family: 'clang' });
  t.equal(plainObstacle(clang), 'profile-use');
  t.equal(obstacle('-flto=auto'), 'lto');
  t.equal(obstacle('-flto=thin'), 'lto');
  t.equal(obstacle('-flto=auto -fno-lto'), undefined);
  t.equal(obstacle('-fno-lto -flto'), 'lto');
  t.equal(obstacle('-fsanitize=address'), 'option:-fsanitize=');
  t.equal(obstacle('-fsanitize=thread'), undefined);
  t.equal(plainObstacle(compileOf('gcc -c x.s')), 'assembler-source');
  t.equal(plainObstacle(compileOf('gcc -c x.S')), 'assembler-source');
  t.equal(plainObstacle(compileOf('gcc -c x.i')), undefined);
  t.equal(plainObstacle(compileOf('gcc -g -c x.i')), 'preprocessed-debug');
  t.equal(plainObstacle(compileOf('gcc -g0 -c x.i')), undefined);
});

await t.test('GCC loses a pragma with -fdirectives-only, so it is not used', async (t) => {
  const cwd = scratchDirectory();
  writeFileSync(join(cwd, 'x.c'), '#pragma redefine_extname a b\nint a(void);\n');
  const { stdout } = runIn(cwd, ['gcc', '-E', '-fdirectives-only', 'x.c']);
  t.notOk(
    stdout.includes('redefine_extname'),
    'should this fail, the answer may be looked at again',
  );
});

await t.test('order and positions are kept', async (t) => {
  const plan = 't.d';
  t.strictSame(preprocessArguments(compileOf('gcc -DA -xc -UB -c a.x -o a.o -O2'), plan), [
    'gcc',
    '-E',
    '-DA',
    '-xc',
    '-UB',
    'a.x',
    '-O2',
  ]);
  t.strictSame(preprocessArguments(compileOf('clang -c -MMD -- -a.c', { family: 'clang' }), plan), [
    'clang',
    '-E',
    '-MMD',
    '-MF',
    't.d',
    '-MQ',
    '-a.o',
    '--',
    '-a.c',
  ]);
});

await t.test('implied and side outputs are those of the compiler', async (t) => {
  const base = 'gcc -DA=1 -Iinc -g -gsplit-dwarf -fstack-usage -fcallgraph-info --coverage -MD';
  for (const words of [
    '-c',
    '-S',
    '-c -o out/x.o',
    '-c -o out/x',
    '-c -o out/a.b.obj',
    '-S -o out/x.s',
    '-c -save-temps -o out/x.o',
    '-c -save-temps=cwd -o out/x.o',
    '-c -O2 -fsave-optimization-record -aux-info out/aux',
  ]) {
    const cwd = makeTree(scratchDirectory());
    symlinkSync('src', join(cwd, 'link'));
    const before = filesBelow(cwd);
    const argv = [...base.split(' '), ...words.split(' '), 'src/x.y.c'];
    const command = parseIn(cwd, argv);
    const { status, stderr } = runIn(cwd, argv);
    t.equal(status, 0, stderr);
    const made = filesBelow(cwd).filter((name) => !before.includes(name));
    const expected = [command.output, ...command.sideOutputs.map(({ path }) => path)];
    if (command.dependencies !== undefined) expected.push(command.dependencies.path);
    t.strictSame(made, expected.toSorted(), words);
  }
});
