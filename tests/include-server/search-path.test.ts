/** The real compilers are the oracle: the search path is what `-E -v` prints for the command. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import t from 'tap';
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
function printed(
  program: string,
  flags: readonly string[],
  { cwd, language }: CompileCommand,
  environment: Readonly<Record<string, string>>,
): Lists & { status: number | null } {
  const { stderr, status } = spawnSync(
    program,
    [...flags, '-E', '-v', '-x', language, '/dev/null'],
    {
      cwd,
      encoding: 'utf8',
      env: { PATH, LC_ALL: 'C', ...environment },
    },
  );
  const match =
    /^#include "\.\.\." search starts here:\n(.*?)#include <\.\.\.> search starts here:\n(.*?)End/ms.exec(
      stderr,
    );
  const lines = (text = ''): string[] =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => joinPath(cwd, line.slice(1)));
  return { status, quote: lines(match?.[1]), angle: lines(match?.[2]) };
}

interface Asked {
  readonly found: SearchPath | NoSearchPath;
  readonly oracle: ReturnType<typeof printed>;
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
  const found = await paths.of(command, compiler, variables);
  return { found, oracle: printed(program, flags, command, environment) };
}

function lists(found: SearchPath | NoSearchPath): Lists | NoSearchPath {
  return 'reason' in found ? found : { quote: found.quote, angle: found.angle };
}

/** Flags, one space between; for each of SOURCES or those named. */
const FLAGS = [
  '',
  '-Ia -I b -Ic',
  '-Ia -Ib -Ia/ -I./a -I../nowhere',
  '-Ia -Ilink-to-a -Ib',
  '-Ilink-to-a -Ia -isystem a/.',
  '-isystem a -Ia -Ib -idirafter b',
  '-idirafter b -isystem a -idirafter a -isystem c',
  '-iquote a -iquote b -Ib -Ia',
  '-iquote b -iquote a -Ia',
  '-iquote b -iquote a -iquote nowhere -Ia',
  '-iquote a -iquote a -Ia -Ib',
  '-iquote a -isystem a',
  '-iquote b -iquote a -isystem a',
  '-iquote a -isystem b -iquote b',
  '-I/usr/include -Ia',
  '-Ilink-to-system -isystem /usr/include -Ia',
  '-isystem /usr/include/../include',
  '-iquote /usr/include -idirafter /usr/include',
  '-I nowhere -isystem nowhere/else -iquote nowhere -Idangling -Ia',
  '-I. -I.. -Ib/..',
  '-nostdinc -Ia -isystem b',
  '-nostdinc++ -Ia',
  '-nostdinc',
  '--sysroot=sys -Ia',
  '--sysroot sys -I=/a -Ib',
  '--sysroot=nowhere',
  '-isysroot sys -isystem =/a -Ib',
  '-I=/usr/include -Ia',
  '-I$SYSROOT/usr/include -Ia',
  '-iprefix sys/ -iwithprefix a -iwithprefixbefore usr/include -Ia -isystem b',
  '-iwithprefix include -isystem a',
  '-Ia -iwithprefixbefore include -Ib',
  '-m32 -Ia',
  '-m64 -pthread -march=x86-64-v2 -O2 -Wall -g',
  '-std=c11 -Ia',
  '-ffreestanding -Ia',
  '--include-directory=a --include-directory-after=b',
  '-DX=1 -include file -Ia',
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
const GCC_FLAGS = ['-Ia -I - -Ib', '-iquote c -Ia -Ib -I - -Ib -iquote d'];
const CLANG_FLAGS = [
  '--target=aarch64-linux-gnu -Ia',
  '-target i386-linux-gnu',
  '-stdlib=libc++ -Ia',
  '-nostdlibinc -Ia',
  '-nobuiltininc -isystem a',
  '-isystem-after a -isystem b',
];

const COMPILERS = [
  { program: 'gcc', sources: ['x.c', 'x.S'], more: GCC_FLAGS },
  { program: 'g++', sources: ['x.cc'], more: GCC_FLAGS },
  { program: 'clang', sources: ['x.c', 'x.S', 'x.m'], more: CLANG_FLAGS },
  { program: 'clang++', sources: ['x.cc', 'x.mm'], more: CLANG_FLAGS },
];

for (const { program, sources, more } of COMPILERS) {
  await t.test(`${program}: as it prints it`, { skip: without(program) }, async (t) => {
    const cwd = project();
    const paths = new SearchPaths(realSearchDeps((message) => t.comment(message)));
    const cases = [
      ...[...FLAGS, ...more].map((flags) => ({ flags, environment: {} })),
      ...ENVIRONMENTS.map((environment) => ({ flags: '-Ia -isystem c', environment })),
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
