import t from 'tap';
import type { DeclineReason, OtherKind } from '../../src/core/reasons.js';
import { parseCommand } from '../../src/toolchain/parse-command.js';
import { compileOf, parse } from '../fixtures/commands.js';

const KERNEL =
  'gcc -Wp,-MMD,scripts/.x.o.d -nostdinc -I./arch/x86/include -I./include ' +
  '-include ./include/linux/kconfig.h -include ./include/linux/compiler_types.h -D__KERNEL__ ' +
  '-fmacro-prefix-map=./= -Wall -Wundef -Werror=strict-prototypes -Wno-trigraphs ' +
  '-fno-strict-aliasing -fno-common -fshort-wchar -fno-PIE -std=gnu11 -mno-sse -mno-mmx ' +
  '-mno-80387 -mno-fp-ret-in-387 -mpreferred-stack-boundary=3 -mskip-rax-setup -mtune=generic ' +
  '-mno-red-zone -mcmodel=kernel -fno-asynchronous-unwind-tables ' +
  '-mindirect-branch=thunk-extern -mindirect-branch-register -mfunction-return=thunk-extern ' +
  '-fno-jump-tables -fcf-protection=none -falign-jumps=1 -falign-loops=1 -O2 ' +
  '-fno-allow-store-data-races -Wframe-larger-than=2048 -fstack-protector-strong ' +
  '-Wimplicit-fallthrough=5 -fpatchable-function-entry=16,16 -Wa,--noexecstack ' +
  '-DKBUILD_MODFILE="x" -DKBUILD_BASENAME="x" -c -o x.o x.c';

await t.test('a kernel command line', async (t) => {
  const command = compileOf(KERNEL);
  t.equal(command.source, 'x.c');
  t.equal(command.output, 'x.o');
  t.equal(command.language, 'c');
  t.strictSame(command.dependencies, {
    systemHeaders: false,
    path: 'scripts/.x.o.d',
    defaultTarget: 'x.o',
    hasTarget: false,
  });
});

await t.test('spellings of the same command', async (t) => {
  const plain = compileOf('gcc -c -o d/x.o -DA=1 -Ii -std=c11 -O2 x.c', {
    family: 'clang',
  });
  t.equal(plain.output, 'd/x.o');
  for (const line of [
    'gcc -c -od/x.o -D A=1 -I i -std=c11 -O2 x.c',
    'gcc --compile --output=d/x.o --define-macro=A=1 --include-directory i --std=c11 -O2 x.c',
    'gcc --compile --output d/x.o --define-macro A=1 --include-directory=i -std=c11 -O2 -xc x.c',
    'gcc -c -o d/x.o -DA=1 -I i --std c11 --optimize=2 -x c x.c',
  ]) {
    const command = compileOf(line);
    t.equal(command.output, 'd/x.o', line);
    t.equal(command.source, 'x.c', line);
    t.strictSame(
      command.options.map(({ name, value }) => [name, value]),
      [
        ['-D', 'A=1'],
        ['-I', 'i'],
        ['-std=', 'c11'],
        ['-O', '2'],
      ],
      line,
    );
  }
});

await t.test('languages and stages', async (t) => {
  const language = (line: string): string => compileOf(line).language;
  t.equal(language('gcc -c x.cc'), 'c++');
  t.equal(language('gcc -c x.C'), 'c++');
  t.equal(language('g++ -c x.c'), 'c++');
  t.equal(language('/usr/bin/aarch64-linux-gnu-g++-12 -c x.c'), 'c++');
  t.equal(language('g++ -c x.i'), 'c++-cpp-output');
  t.equal(language('g++ -x c -c x.c'), 'c');
  t.equal(language('g++ -x none -c x.c'), 'c++');
  t.equal(language('gcc -c x.m'), 'objective-c');
  t.equal(language('gcc -c x.mm'), 'objective-c++');
  t.equal(language('gcc -c x.i'), 'cpp-output');
  t.equal(language('gcc -c x.s'), 'assembler');
  t.equal(language('gcc -c x.S'), 'assembler-with-cpp');
  t.equal(language('gcc -xc++ -c noSuffix'), 'c++');
  t.equal(compileOf('gcc -S d/x.c').output, 'x.s');
  t.equal(compileOf('gcc -S -c d/x.c').stage, 'assembly');
  t.equal(compileOf('gcc -c d/x.y.c').output, 'x.y.o');
});

await t.test('what is no compile of a source file', async (t) => {
  const cases: [string, OtherKind][] = [
    ['gcc -o x x.o -lm', 'link'],
    ['gcc -shared -o x.so -Wl,--whole-archive x.a', 'link'],
    ['gcc -o x x.c', 'compile-and-link'],
    ['gcc x.c y.o', 'compile-and-link'],
    ['gcc -E x.c', 'preprocess'],
    ['gcc -E -dM -x c /dev/null', 'preprocess'],
    ['gcc -M x.c', 'dependencies'],
    ['gcc -MM -MG x.c', 'dependencies'],
    ['gcc --version', 'query'],
    ['gcc -v', 'query'],
    ['gcc -dumpversion', 'query'],
    ['gcc -print-prog-name=as', 'query'],
    ['gcc --print-file-name=libc.a', 'query'],
    ['gcc -### -c x.c', 'query'],
    ['gcc -Q --help=target', 'query'],
    ['gcc --target-help', 'query'],
    ['gcc -c conftest.c', 'probe'],
    ['gcc -c tmp.conftest.c', 'probe'],
    ['gcc -o CMakeFiles/x.dir/t.c.o -c /b/CMakeFiles/CMakeTmp/t.c', 'probe'],
    ['gcc -c /b/CMakeFiles/CMakeScratch/TryCompile-abc/t.c', 'probe'],
    ['gcc -c /b/CMakeFiles/3.25.1/CompilerIdC/CMakeCCompilerId.c', 'probe'],
    ['gcc -c /b/meson-private/tmp12ab/testfile.c', 'probe'],
    ['gcc -c -x c -', 'stdin'],
    ['gcc -c -x c /dev/null -o /tmp/x', 'stdin'],
    ['gcc -c', 'no-input'],
    ['gcc', 'no-input'],
    ['gcc -weird x.o -o x', 'link'],
  ];
  for (const [line, other] of cases) t.strictSame(parse(line), { kind: 'other', other }, line);
  t.strictSame(
    parse('gcc -c t.c', { cwd: '/b/CMakeFiles/CMakeTmp' }),
    { kind: 'other', other: 'probe' },
    'a probe by its directory',
  );
  t.strictSame(
    parse('gcc -v -c /usr/share/cmake/Modules/CMakeCCompilerABI.c', {
      cwd: '/b/CMakeFiles/CMakeScratch/TryCompile-abc',
    }),
    { kind: 'other', other: 'probe' },
    "a source of CMake's own in such a directory",
  );
});

await t.test('what is declined, and why', async (t) => {
  const cases: [string, DeclineReason][] = [
    ['gcc -c x.c y.c', 'several-sources'],
    ['gcc -c -o x.o x.c y.c', 'several-sources'],
    ['gcc -c -march=native x.c', 'native-cpu'],
    ['gcc -c -mtune=native x.c', 'native-cpu'],
    ['gcc -c -mcpu=native+crypto x.c', 'native-cpu'],
    ['gcc -c x.h', 'pch'],
    ['gcc x.h', 'pch'],
    ['gcc -x c-header -c x.c', 'pch'],
    ['gcc -c x.c -o x.h.gch', 'pch'],
    ['gcc -fmodules-ts -c x.cc', 'modules'],
    ['gcc -c x.cppm', 'modules'],
    ['gcc -c x.f90', 'language'],
    ['gcc -x ada -c x.c', 'language'],
    ['gcc -c x.c -o /dev/null', 'output-special'],
    ['gcc -c x.c -o -', 'output-special'],
    ['gcc -c -MD -MF /dev/stdout x.c', 'output-special'],
    ['gcc -c -MD -MF - x.c', 'output-special'],
    ['gcc -c -o a.o -o b.o x.c', 'option:-o'],
    ['gcc -c x.c -o', 'option:-o'],
    ['gcc -c -MF x.d x.c', 'option:-MF'],
    ['gcc -c -MT x x.c', 'option:-MT'],
    ['gcc -c -MD -MG x.c', 'option:-MG'],
    ['gcc -c -Wp,-MT,x x.c', 'option:-MT'],
    ['gcc -c -Wp,-MD x.c', 'option:-Wp,-MD'],
    ['gcc -c -Wp,-I,x x.c', 'option:-Wp,-I'],
    ['gcc -c -Xpreprocessor -Ix x.c', 'option:-Wp,-Ix'],
    ['gcc -c -Wa,-aln=x.lst x.c', 'option:-Wa,-aln='],
    ['gcc -c -Wa,--MD,x.d x.c', 'option:-Wa,--MD'],
    ['gcc -c -Wa,-I,x x.c', 'option:-Wa,-I'],
    ['gcc -c -Wa,macros.s x.c', 'option:-Wa,'],
    ['gcc -c -Wa,@file x.c', 'option:-Wa,'],
    ['gcc -c -Xassembler -o -Xassembler y x.c', 'option:-Wa,-o'],
    ['gcc -c --param no-such=1 x.c', 'option:--param=no-such'],
    ['gcc -c -fplugin=x.so x.c', 'option:-fplugin='],
    ['gcc -c -wrapper gdb,--args x.c', 'option:-wrapper'],
    ['gcc -c -specs=x x.c', 'option:-specs='],
    ['gcc -c --specs x x.c', 'option:--specs'],
    ['gcc -c -B. x.c', 'option:-B'],
    ['gcc -c -dumpdir d/ x.c', 'option:-dumpdir'],
    ['gcc -c -v x.c', 'option:-v'],
    ['gcc -c -H x.c', 'option:-H'],
    ['gcc -c -dD x.c', 'option:-d'],
    ['gcc -c -da x.c', 'option:-d'],
    ['gcc -c -dr x.c', 'option:-d'],
    ['gcc -c -G 0 x.c', 'option:-G'],
    ['gcc -c -arch x86_64 -arch i386 x.c', 'option:-arch'],
    ['gcc -c -frepo x.c', 'option:-frepo'],
    ['gcc -c -P x.c', 'option:-P'],
    ['gcc -c -fsyntax-only x.c', 'option:-fsyntax-only'],
    ['gcc -fsyntax-only x.c', 'option:-fsyntax-only'],
    ['gcc -c -fno-such-thing=12 x.c', 'option:-fno-such-thing='],
    ['gcc -c -W%$ x.c', 'option:-W%$'],
    ['gcc -c -- x.c', 'option:--'],
    ['gcc -c @nothing x.c', 'unreadable-response-file'],
    ['gcc -c -foffload=nvptx-none x.c', 'option:-foffload='],
  ];
  for (const [line, reason] of cases) {
    t.match(parse(line), { kind: 'decline', reason }, line);
  }
});

await t.test('what Clang alone has', async (t) => {
  const clang = { family: 'clang' } as const;
  const cases: [string, DeclineReason][] = [
    ['clang -c -Xclang -load x.c', 'option:-Xclang'],
    ['clang -c -mllvm -x x.c', 'option:-mllvm'],
    ['clang -cc1 x.c -c', 'option:-cc1'],
    ['clang -c --config f x.c', 'option:--config'],
    ['clang -c -include-pch x.pch x.c', 'pch'],
    ['clang -c -fmodules x.c', 'modules'],
    ['clang -c -emit-llvm x.c', 'option:-emit-llvm'],
    ['clang -c -fpass-plugin=x.so x.c', 'option:-fpass-plugin='],
    ['clang -c -no-integrated-as x.c', 'option:-no-integrated-as'],
    ['clang -c -fno-integrated-as x.c', 'option:-fno-integrated-as'],
    ['clang -c --gcc-toolchain=/x x.c', 'option:--gcc-toolchain='],
    ['clang -c -fcrash-diagnostics-dir=/x x.c', 'option:-fcrash-diagnostics-dir='],
    ['clang -c -resource-dir /x x.c', 'option:-resource-dir'],
    ['clang -c -Wp,-MD,a -MF b x.c', 'option:-MF'],
  ];
  for (const [line, reason] of cases) {
    t.match(parse(line, clang), { kind: 'decline', reason }, line);
  }
  t.equal(compileOf('clang -target arm-linux-gnueabihf -c -- -x.c', clang).source, '-x.c');
});

await t.test('variables that stand in the way', async (t) => {
  const environment = new Map([['DEPENDENCIES_OUTPUT', '']]);
  t.match(parse('gcc -c x.c', { environment }), { reason: 'environment:DEPENDENCIES_OUTPUT' });
  t.match(parse('gcc -o x x.o', { environment }), { kind: 'other' });
});

await t.test('response files', async (t) => {
  const files = new Map([
    ['/project/a.rsp', '-c "-DA=b c" @sub/b.rsp\n'],
    ['/project/sub/b.rsp', "-o 'x y.o' x.c"],
    ['/project/loop.rsp', '@loop.rsp'],
  ]);
  const readResponseFile = (path: string): string | undefined => files.get(path);
  const command = compileOf('gcc @a.rsp', { readResponseFile });
  t.strictSame(command.words, ['-c', '-DA=b c', '-o', 'x y.o', 'x.c']);
  t.match(parse('gcc -c x.c @loop.rsp', { readResponseFile }), {
    reason: 'unreadable-response-file',
  });
});

await t.test('a long command costs well below 0.1 ms', async (t) => {
  const input = {
    argv: KERNEL.split(' '),
    cwd: '/project',
    readResponseFile: () => undefined,
    environment: new Map<string, string>(),
    family: 'gcc',
  } as const;
  // The best of several rounds: what else the machine does is not what is measured.
  let best = Infinity;
  for (let round = 0; round < 20; round++) {
    const before = process.cpuUsage();
    for (let i = 0; i < 200; i++) parseCommand(input);
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / 200);
  }
  t.ok(best < 100, `${best} µs`);
});
