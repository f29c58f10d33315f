/**
 * What a compile makes besides its object: distcc loses it without a word (distcc#225, #467), here
 * it stands where the compiler alone would have put it, and the reason why is counted.
 */
import t from 'tap';
import { without } from '../fixtures/tools.js';
import { Twins, type ExpectedFate } from '../fixtures/twins.js';

const FILES = {
  'd/x.c': '#include "h.h"\nint twice(int a) { return TWO * a; }\n',
  'd/h.h': '#define TWO 2\n',
  'o/.keep': '',
  'p/.keep': '',
};

/** Options, a file that they make, and why such a compile stays here. */
type Case = readonly [words: string, made: RegExp, fate: ExpectedFate];

const GCC: readonly Case[] = [
  ['-g -gsplit-dwarf', /^o\/x\.dwo$/, { plain: 'decline split-dwarf', pump: 'pump' }],
  ['-save-temps=obj', /^o\/x\.[is]$/, { plain: 'decline save-temps', pump: 'pump' }],
  ['-fstack-usage', /^o\/x\.su$/, { plain: 'decline side-outputs', pump: 'pump' }],
  ['-fcallgraph-info', /^o\/x\.ci$/, { plain: 'decline side-outputs', pump: 'pump' }],
  [
    '-O2 -fdump-tree-optimized',
    /\.optimized$/,
    { plain: 'decline side-outputs', pump: 'decline option:-fdump-' },
  ],
  ['-O2 -fdump-tree-all=p/all', /^p\/all$/, { plain: 'decline side-outputs', pump: 'pump' }],
  ['-O2 -fopt-info-all=p/opt', /^p\/opt$/, { plain: 'decline side-outputs', pump: 'pump' }],
  ['-O2 -da', /\.expand$/, 'decline option:-d'],
  ['-aux-info o/protos', /^o\/protos$/, { plain: 'decline side-outputs', pump: 'pump' }],
  ['-Wa,-aln=o/x.lst', /^o\/x\.lst$/, 'decline option:-Wa,-aln='],
  ['-ftest-coverage -frandom-seed=1', /^o\/x\.gcno$/, { plain: 'decline coverage', pump: 'pump' }],
];

const CLANG: readonly Case[] = [
  ['-MJ o/x.json', /^o\/x\.json$/, { plain: 'decline side-outputs', pump: 'decline option:-MJ' }],
  ['-fstack-usage', /^o\/x\.su$/, { plain: 'decline side-outputs', pump: 'pump' }],
  [
    '-O2 -fsave-optimization-record',
    /^o\/x\.opt\.yaml$/,
    { plain: 'decline side-outputs', pump: 'pump' },
  ],
  ['-O2 -foptimization-record-file=p/r', /^p\/r$/, { plain: 'decline side-outputs', pump: 'pump' }],
  ['-save-temps=obj', /^o\/x\.bc$/, 'decline save-temps'],
];

const twins = await Twins.start(t);

for (const [compiler, cases] of [
  ['gcc', GCC],
  ['clang', CLANG],
] as const) {
  await t.test(`${compiler}'s stand where they belong`, { skip: without(compiler) }, async (t) => {
    for (const [words, made, fate] of cases) {
      const line = `$CC ${words} -c d/x.c -o o/x.o`;
      const { files } = await twins.compare(t, line, fate, { files: FILES }, compiler);
      t.ok(
        Object.keys(files).some((name) => made.test(name)),
        words,
      );
    }
  });
}

await t.test("a trace of clang's time", { skip: without('clang') }, async (t) => {
  // Times differ from run to run, so only the name can be compared.
  const line = '$CC -ftime-trace -c d/x.c -o o/x.o && ls o && rm o/x.json';
  const files = FILES;
  const fate = { plain: 'decline side-outputs', pump: 'pump' } as const;
  const { stdout } = await twins.compare(t, line, fate, { files }, 'clang');
  t.equal(stdout, 'x.json\nx.o\n');
});

await t.test('interfaces of C++20 modules', async (t) => {
  const files = {
    'm.cc': 'export module m;\nexport int f() { return 1; }\n',
    'u.cc': 'import m;\nint g() { return f(); }\n',
  };
  const module = '$CC -std=c++20 -fmodules-ts -c';
  // What is in them differs from run to run.
  const line = `${module} m.cc && ${module} u.cc && ls gcm.cache && rm -r gcm.cache *.o`;
  const fates = ['decline modules', 'decline modules'] as const;
  t.match(await twins.compare(t, line, fates, { files }, 'g++'), { status: 0, stdout: 'm.gcm\n' });
});

await t.test('how they ran', (t) => twins.checkFates(t));
