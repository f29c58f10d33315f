/** The real compilers are the oracle: the search path is what `-E -v` prints for the command. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { run } from '../../src/platform/process.js';
import { joinPath } from '../../src/core/byte-string.js';
import { realSearchDeps } from '../../src/include-server/search-host.js';
import {
  SearchPaths,
  type NoSearchPath,
  type SearchPath,
} from '../../src/include-server/search-path.js';
import type { CompileCommand } from '../../src/toolchain/compile-command.js';
import { realToolchainDeps } from '../../src/toolchain/toolchain-host.js';
import { ToolchainProbe, type Toolchain } from '../../src/toolchain/toolchain.js';
import { compileOf, scratchDirectory } from '../fixtures/commands.js';
import { without } from '../fixtures/tools.js';
import { TreeBench } from '../fixtures/tree-bench.js';

const PATH = process.env['PATH'] ?? '';
const probe = new ToolchainProbe(realToolchainDeps(() => undefined));

/** A directory with others under several names. */
function project(): string {
  const cwd = scratchDirectory();
  for (const name of ['a', 'b', 'c', 'd', 'sys/usr/include', 'sys/a', 'with space']) {
    mkdirSync(`${cwd}/${name}`, { recursive: true });
  }
  symlinkSync('a', `${cwd}/link-to-a`);
  symlinkSync('/usr/include', `${cwd}/link-to-system`);
  symlinkSync('nowhere', `${cwd}/dangling`);
  writeFileSync(`${cwd}/file`, '');
  return cwd;
}

async function toolchainOf(program: string): Promise<Toolchain> {
  const { stdout } = spawnSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' });
  const found = await probe.identify(stdout.trim(), PATH);
  if (typeof found === 'string') throw new Error(`${program}: ${found}`);
  return found;
}

const toolchains = new Map<string, Promise<Toolchain>>();
function toolchain(program: string): Promise<Toolchain> {
  const known = toolchains.get(program) ?? toolchainOf(program);
  toolchains.set(program, known);
  return known;
}

interface Lists {
  readonly quote: readonly string[];
  readonly angle: readonly string[];
}

/** What the compiler prints for the command itself. */
async function printed(
  program: string,
  flags: readonly string[],
  { cwd, language }: CompileCommand,
  environment: Readonly<Record<string, string>>,
): Promise<Lists & { status: number | null }> {
  const { stderr, status } = await run(
    program,
    [...flags, '-E', '-v', '-x', language, '/dev/null'],
    {
      cwd,
      env: { PATH, LC_ALL: 'C', ...environment },
    },
  );
  const match = /^#include "\.\.\." search starts here:\n(.*?)End of search list/ms.exec(
    stderr.toString(),
  );
  const [quote = '', angle = ''] = (match?.[1] ?? '').split('#include <...> search starts here:\n');
  const lines = (text: string): string[] =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => joinPath(cwd, line.slice(1)));
  return { status, quote: lines(quote), angle: lines(angle) };
}

interface Asked {
  readonly found: SearchPath | NoSearchPath;
  readonly oracle: Awaited<ReturnType<typeof printed>>;
}

async function ask(
  paths: SearchPaths,
  cwd: string,
  program: string,
  flags: readonly string[],
  source: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Asked> {
  const compiler = await toolchain(program);
  const command = compileOf([program, ...flags, '-c', source], { cwd, family: compiler.family });
  const variables = new Map(Object.entries({ PATH, ...environment }));
  const [found, oracle] = await Promise.all([
    paths.of(command, compiler, variables),
    printed(program, flags, command, environment),
  ]);
  return { found, oracle };
}

function lists(found: SearchPath | NoSearchPath): Lists | NoSearchPath {
  return 'reason' in found ? found : { quote: found.quote, angle: found.angle };
}

/** Flags, one space between. */
const FLAGS = [
  '',
  '-Ia -I b -Ic',
  '-Ia -Ib -Ia/ -I./a -I../nowhere',
  '-Ia -Ilink-to-a -Ib',
  '-Ilink-to-a -Ia -isystem a/.',
  '-isystem a -Ia -Ib -idirafter b',
  '-iquote a -iquote b -Ib -Ia',
  '-iquote a -isystem a',
  '-I/usr/include -Ia',
  '-Ilink-to-system -isystem /usr/include -Ia',
  '-iquote /usr/include -idirafter /usr/include',
  '-I nowhere -isystem nowhere/else -iquote nowhere -Idangling -Ia',
  '-Ia/ -iquote b/ -isystem c//',
  '-Ia -Ib -Ia -isystem b',
  '-iquote a -iquote b -Ia -Ib -isystem b',
  '-iquote link-to-a -Ia',
  '-I. -I.. -Ib/..',
  '-nostdinc -Ia -isystem b',
  '-nostdinc',
  '--sysroot=sys -Ia',
  '--sysroot sys -I=/a -Ib',
  '-isysroot sys -isystem =/a -Ib',
  '-I$SYSROOT/usr/include -Ia',
  '-iprefix sys/ -iwithprefix a -iwithprefixbefore usr/include -Ia -isystem b',
  '-m32 -Ia',
  '-m64 -pthread -march=x86-64-v2 -O2 -Wall -g',
  '-std=c11 -Ia',
];
const ENVIRONMENTS: readonly Readonly<Record<string, string>>[] = [
  { CPATH: 'a:b' },
  { CPATH: ':a::b:' },
  { CPATH: '' },
  { CPATH: ':' },
  { C_INCLUDE_PATH: 'a:', CPLUS_INCLUDE_PATH: 'b', OBJC_INCLUDE_PATH: 'c', CPATH: 'd' },
  { C_INCLUDE_PATH: 'nowhere:/usr/include' },
  { CPLUS_INCLUDE_PATH: 'a:a/../b', OBJCPLUS_INCLUDE_PATH: 'c' },
];
const GCC_FLAGS = [
  // An error without the second, which the compiler is not asked with.
  '-mcmodel=kernel -fno-PIE -Ia',
  '-Ia -I - -Ib',
  '-iquote c -Ia -Ib -I - -Ib -iquote d',
  '-idirafter b -isystem a -idirafter a -isystem c',
  '-iquote b -iquote a -Ia',
  '-iquote b -iquote a -iquote nowhere -Ia',
  '-iquote a -iquote a -Ia -Ib',
  '-iquote b -iquote a -isystem a',
  '-iquote a -isystem b -iquote b',
  '-isystem /usr/include/../include',
  '-iwithprefix include -isystem a',
  '-Ia -iwithprefixbefore include -Ib',
  '--sysroot=nowhere',
  '-ffreestanding -Ia',
  '--include-directory=a --include-directory-after=b',
  '-DX=1 -include file -Ia',
  '-I=/usr/include -Ia',
  '-nostdinc++ -Ia',
];
const CLANG_FLAGS = [
  '--target=aarch64-linux-gnu -Ia',
  '-target i386-linux-gnu',
  '-stdlib=libc++ -Ia',
  '-nostdlibinc -Ia',
  '-nobuiltininc -isystem a',
  '-isystem-after a -isystem b',
  '-no-canonical-prefixes',
];

const COMPILERS = [
  {
    program: 'gcc',
    sources: ['x.c', 'x.S'],
    flagSets: [...FLAGS, ...GCC_FLAGS],
    random: 30,
    environments: ENVIRONMENTS,
  },
  { program: 'g++', sources: ['x.cc'], flagSets: GCC_FLAGS, random: 5, environments: ENVIRONMENTS },
  {
    program: 'clang',
    sources: ['x.c', 'x.S', 'x.m', 'x.mm'],
    flagSets: [...FLAGS, ...CLANG_FLAGS],
    random: 8,
    environments: ENVIRONMENTS,
  },
  { program: 'clang++', sources: ['x.cc'], flagSets: CLANG_FLAGS, random: 0, environments: [] },
];

/** Any of these under any of those, in any number and order: the same for each run. */
const PLACES = 'a a b b c d a/ ./b link-to-a nowhere . /usr/include link-to-system';
const KINDS = '-I -I -I -iquote -iquote -isystem -isystem -idirafter';

function randomFlags(count: number): string[] {
  let state = 20_261_124;
  const pick = (words: string): string => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    const list = words.split(' ');
    return list[(state >> 16) % list.length] ?? '';
  };
  return Array.from({ length: count }, () =>
    Array.from({ length: 1 + Number(pick('1 2 3 4 5 6 7')) }, () =>
      [pick(KINDS), pick(PLACES)].join(' '),
    ).join(' '),
  );
}

/** That knows nothing yet. */
const tree = () => new TreeBench('/', 'stat').tree;

for (const { program, sources, flagSets, random, environments } of COMPILERS) {
  await t.test(`${program}: as it prints it`, { skip: without(program) }, async (t) => {
    const cwd = project();
    const paths = new SearchPaths(realSearchDeps(tree(), (message) => t.comment(message)));
    const cases = [
      ...[...flagSets, ...randomFlags(random)].map((flags) => ({ flags, environment: {} })),
      ...environments.map((environment) => ({ flags: '-Ia -isystem c', environment })),
    ];
    for (const [i, { flags, environment }] of cases.entries()) {
      const words = flags.split(' ').filter((word) => word !== '');
      // Languages in turn: what they differ in is few flags, and each question is a process.
      const source = sources[i % sources.length] ?? '';
      const { found, oracle } = await ask(paths, cwd, program, words, source, environment);
      const name = `${flags} ${source} ${JSON.stringify(environment)}`;
      if (oracle.status === 0) {
        t.strictSame(lists(found), { quote: oracle.quote, angle: oracle.angle }, name);
      } else {
        t.strictSame(found, { reason: 'search-path-unknown' }, name);
      }
    }
  });
}

/** The search path of one gcc command, which must have one. */
async function pathOf(flags: string, source: string, cwd = project()): Promise<SearchPath> {
  const paths = new SearchPaths(realSearchDeps(tree(), (message) => t.comment(message)));
  const command = compileOf(`gcc ${flags} -c ${source}`, { cwd });
  const found = await paths.of(command, await toolchain('gcc'), new Map([['PATH', PATH]]));
  if ('reason' in found) throw new Error(found.reason);
  return found;
}

await t.test('what is not there, and what is there twice', async (t) => {
  const cwd = project();
  const { missing, duplicates } = await pathOf(
    '-Inowhere -Ia -Ilink-to-a -isystem b -Ib',
    'x.c',
    cwd,
  );
  t.ok(missing.includes(`${cwd}/nowhere`));
  t.ok(missing.every((directory) => directory.startsWith('/')));
  t.ok(duplicates.includes(`${cwd}/link-to-a`));
  t.notOk(duplicates.includes(`${cwd}/b`), 'the same name is in');
});

await t.test('what the command line brings in', async (t) => {
  const found = await pathOf('-include b.h -imacros a.h -DX=1 -DX=2 -Wp,-DY -UX', 'x.c', '/');
  t.strictSame(found.forced, ['a.h', 'b.h'], 'macros come first');
  t.strictSame(found.implied, ['stdc-predef.h']);
  t.strictSame([...found.defined.keys()], ['X', 'Y']);
  t.equal(found.defined.get('X')?.length, 2);
  t.equal(found.withoutIncluder, false);
  t.equal((await pathOf('-Ia -I - -Ib', 'x.c')).withoutIncluder, true);
});

await t.test('what is preprocessed includes nothing, but its assembly may', async (t) => {
  for (const source of ['x.i', 'x.ii', 'x.s']) {
    const found = await pathOf('-Ia -I/b -iquote c -DX -include y.h', source, '/project');
    const { assembler, defined, missing, ...nothing } = found;
    t.strictSame(assembler, ['/project', '/project/a', '/b'], source);
    t.strictSame([...defined, ...missing, ...nothing.angle, ...nothing.quote], [], source);
    t.strictSame([...nothing.forced, ...nothing.implied], [], source);
  }
});

await t.test('the assembler finds what it should', async (t) => {
  const cwd = project();
  writeFileSync(`${cwd}/b/data`, 'data');
  for (const [source, text] of [
    ['x.c', 'asm(".incbin \\"data\\"");'],
    ['x.S', '.incbin "data"'],
    ['x.s', '.incbin "data"'],
  ] as const) {
    writeFileSync(`${cwd}/${source}`, `${text}\n`);
    for (const flags of ['-Ia', '-Ia -Ib', '-iquote b', '-isystem b', '-Inowhere -I./b/']) {
      const { assembler } = await pathOf(flags, source, cwd);
      const words = ['-c', ...flags.split(' '), source, '-o', 'x.o'];
      const { status } = await run('gcc', words, { cwd, env: { PATH, LC_ALL: 'C' } });
      const finds = assembler.some((directory) => existsSync(`${directory}/data`));
      t.equal(finds, status === 0, `${flags} ${source}`);
    }
  }
});

await t.test('what cannot be told', async (t) => {
  const cwd = project();
  const paths = new SearchPaths(realSearchDeps(tree(), () => undefined));
  const compiler = await toolchain('gcc');
  const reasonOf = async (line: string, family: 'gcc' | 'clang' = 'gcc'): Promise<unknown> => {
    const command = compileOf(`${line} -c x.c`, { cwd, family });
    const found = await paths.of(command, compiler, new Map([['PATH', PATH]]));
    return 'reason' in found ? found.reason : undefined;
  };
  t.equal(await reasonOf('gcc -Ifile'), 'include-directory');
  t.equal(await reasonOf('gcc -isystem file/below'), 'include-directory');
  t.equal(await reasonOf('gcc -Ia -I - -Ifile'), 'search-path-unknown');
  t.equal(await reasonOf('gcc -iwithprefix x -Ifile/below'), 'search-path-unknown');
  t.equal(await reasonOf('clang -iframework a', 'clang'), 'option:-iframework');
  t.equal(await reasonOf('gcc -march=nonsense -Ia'), undefined, 'it will fail wherever it is');
});

await t.test('what makes another text of the same bytes', async (t) => {
  const cwd = project();
  const paths = new SearchPaths(realSearchDeps(tree(), () => undefined));
  const compiler = await toolchain('gcc');
  const reasonOf = async (line: string, family: 'gcc' | 'clang' = 'gcc'): Promise<unknown> => {
    const command = compileOf(line, { cwd, family });
    const found = await paths.of(command, compiler, new Map([['PATH', PATH]]));
    return 'reason' in found ? found.reason : undefined;
  };
  t.equal(await reasonOf('gcc -finput-charset=latin1 -c x.c'), 'option:-finput-charset=');
  t.equal(await reasonOf('gcc -finput-charset=UTF-8 -c x.c'), undefined);
  t.equal(await reasonOf('gcc -traditional-cpp -c x.c'), 'option:-traditional-cpp');
  t.equal(await reasonOf('gcc --traditional-cpp -c x.S'), 'option:-traditional-cpp');
  t.equal(await reasonOf('gcc -traditional-cpp -c x.i'), undefined, 'nothing is read in it');
  const name = '-fno-dollars-in-identifiers';
  t.equal(await reasonOf(`gcc ${name} -c x.c`), `option:${name}`);
  t.equal(await reasonOf('gcc -fms-extensions -c x.c'), undefined);
  const compatible = 'clang -fms-compatibility -c x.c';
  t.equal(await reasonOf(compatible, 'clang'), 'option:-fms-compatibility');
});
