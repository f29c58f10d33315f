import t from 'tap';
import * as fc from 'fast-check';
import { ARGUMENTS } from '../../src/core/limits.js';
import { REMOTE_OPTIONS } from '../../src/toolchain/options/option-table.js';
import {
  remoteOptions,
  renderRemoteArguments,
  type RemoteContext,
} from '../../src/toolchain/remote-options.js';
import { preprocessedLanguage } from '../../src/toolchain/source-language.js';
import { compileOf } from '../fixtures/commands.js';

const CONTEXT: RemoteContext = {
  language: 'c++',
  stage: 'object',
  source: '/job/source.ii',
  output: '/job/output.o',
};
const TAIL = ['-x', 'c++-cpp-output', '-c', '-o', '/job/output.o', '/job/source.ii'];

/** Spellings that run, load, read or write something; no rendered word may begin with one. */
const FORBIDDEN = [
  '@ -fplugin -fpass-plugin -iplugindir -wrapper -specs --specs -B --prefix -Xclang -Xlinker',
  '-Xassembler -Xpreprocessor -Wl, -Wp, -mllvm -cc1 --config -fmodule -fmodules-cache -include',
  '-imacros -I -isystem -iquote -idirafter --sysroot -isysroot -MD -MF -MJ -dump -d -aux-info',
  '-save-temps -fdump -fopt-info -fprofile-use -fprofile-generate -fauto-profile -fsanitize-ignore',
  '-ftime-trace -fcrash -foptimization-record --serialize -fdiagnostics-format -fuse-ld -L -l -T',
  '-no-integrated -fno-integrated -resource-dir --gcc-toolchain -ivfsoverlay -fstack-usage',
  '-fcallgraph -gsplit-dwarf --coverage -ftest-coverage -flto -flto= -fsave-optimization -index',
]
  .join(' ')
  .split(' ')
  .filter((word) => word !== '-flto');

/** Two names begin like -flto= but change nothing without it. */
function isForbidden(word: string): boolean {
  if (/^-flto-(?:compression-level|partition)=/.test(word)) return false;
  return FORBIDDEN.some((spelling) => word.startsWith(spelling));
}

await t.test('options of a command come out as arguments again', async (t) => {
  const command = compileOf(
    'g++ -DX -Ii -include h -O2 -g -std=c++17 -Wall -W -Werror=format=2 -pthread -fPIC -march=x86-64 ' +
      '--param inline-unit-growth=3 -Wa,--noexecstack -Xassembler -mrelax-relocations=no -MD -Wp,-DY ' +
      '-ffile-prefix-map=/a/b=/c -Wl,-z,now -Lx -lm -static -pipe -c x.cc -o x.o',
  );
  t.strictSame(renderRemoteArguments(remoteOptions(command), CONTEXT), {
    ok: true,
    value: [
      ...'-O2 -g -std=c++17 -Wall -W -Werror=format=2 -pthread -fPIC -march=x86-64'.split(' '),
      ...'--param=inline-unit-growth=3 -Wa,--noexecstack -Wa,-mrelax-relocations=no'.split(' '),
      ...'-ffile-prefix-map=/a/b=/c -static'.split(' '),
      ...TAIL,
    ],
  });
});

await t.test('languages once they are preprocessed', async (t) => {
  t.equal(preprocessedLanguage('c'), 'cpp-output');
  t.equal(preprocessedLanguage('objective-c'), 'objective-c-cpp-output');
});

await t.test('Clang is told the directory, which its -E does not note', async (t) => {
  const clang = { family: 'clang', cwd: '/w' } as const;
  t.strictSame(remoteOptions(compileOf('clang -c x.c', clang)), [
    ['-fdebug-compilation-dir=', '/w'],
  ]);
  t.strictSame(remoteOptions(compileOf('clang -fdebug-compilation-dir y -c x.c', clang)), [
    ['-fdebug-compilation-dir=', 'y'],
  ]);
});

await t.test('what is refused', async (t) => {
  const refused: [unknown, RegExp][] = [
    [undefined, /not a list/],
    [{ length: 1, 0: ['-O', '2'] }, /not a list/],
    [['-O2'], /not a pair/],
    [[['-O', '2', '3']], /not a pair/],
    [[[2, '2']], /no name/],
    [[['-O2', null]], /"-O2" is not sent/],
    [[['-fplugin=', 'x.so']], /"-fplugin=" is not sent/],
    [[['__proto__', null]], /not sent/],
    [[['constructor', null]], /not sent/],
    [[['-I', '/etc']], /not sent/],
    [[['-o', '/etc/x']], /not sent/],
    [[['-include', '/etc/passwd']], /not sent/],
    [[['-Wp,', '-MD,/etc/x']], /not sent/],
    [[['-Wl,', 'x']], /not sent/],
    [[['-Xclang', '-load']], /not sent/],
    [[['-save-temps', null]], /not sent/],
    [[['-flto', null]], /not sent/],
    [[['-fprofile-use=', 'x']], /not sent/],
    [[['-O', null]], /needs a value/],
    [[['-O', 2]], /needs a value/],
    [[['-w', '']], /takes no value/],
    [[['-pthread', 'x']], /takes no value/],
    [[['-O', '2 -fplugin=x']], /cannot have/],
    [[['-W', 'a,-al=/x']], /cannot have/],
    [[['-W', 'l,-plugin']], /cannot have/],
    [[['-W', 'p,-MD,/x']], /cannot have/],
    [[['-Wa,', '-al=/x']], /cannot have/],
    [[['-Wa,', '--noexecstack,@/etc/passwd']], /cannot have/],
    [[['-Wa,', '--defsym,-o']], /cannot have/],
    [[['-std=', '/etc/passwd']], /cannot have/],
    [[['-march=', '../x']], /cannot have/],
    [[['--param=', 'no-such=1']], /cannot have/],
    [[['--param=', 'inline-unit-growth=/x']], /cannot have/],
    [[['-ffile-prefix-map=', 'a\0b=c']], /cannot have/],
    [[['-ffile-prefix-map=', 'a\u0100=c']], /cannot have/],
    [[['-ffile-prefix-map=', 'x'.repeat(ARGUMENTS.remoteValue + 1)]], /too long/],
    [Array.from({ length: ARGUMENTS.remoteOptions + 1 }, () => ['-w', null]), /more than/],
  ];
  for (const [options, message] of refused) {
    const rendered = renderRemoteArguments(options, CONTEXT);
    t.notOk(rendered.ok, JSON.stringify(options)?.slice(0, 60));
    if (!rendered.ok) t.match(rendered.error, message);
  }
});

await t.test('no name that may be sent begins with a forbidden spelling', async (t) => {
  t.strictSame([...REMOTE_OPTIONS.keys()].filter(isForbidden), []);
});

await t.test('junk never yields a forbidden word, and never throws', async (t) => {
  t.doesNotThrow(renderJunk, 'junk');
  t.doesNotThrow(renderPairs, 'pairs of known names and any value');
});

function renderJunk(): void {
  const names = fc.constantFrom(...REMOTE_OPTIONS.keys(), ...FORBIDDEN, '-Wp,', '-o', '-x');
  const values = fc.oneof(
    fc.constant(null),
    fc.string(),
    fc.constantFrom(...FORBIDDEN),
    fc.constantFrom('a,-o', '2', 'all', '@x', '/etc/passwd', '-o/x', '--noexecstack,-I.', ''),
    fc.anything(),
  );
  const option = fc.oneof(fc.tuple(names, values), fc.tuple(fc.string(), values), fc.anything());
  const junk = fc.oneof(fc.array(option, { maxLength: 6 }), fc.anything());
  fc.assert(
    fc.property(junk, (options) => {
      const rendered = renderRemoteArguments(options, CONTEXT);
      if (!rendered.ok) return;
      const words = rendered.value.slice(0, -TAIL.length);
      if (rendered.value.slice(-TAIL.length).join(' ') !== TAIL.join(' ')) throw new Error('tail');
      for (const word of words) {
        if (!word.startsWith('-') || isForbidden(word)) throw new Error(`rendered ${word}`);
      }
    }),
    { numRuns: 5_000 },
  );
}

/** So that the property is not only about refusals. */
function renderPairs(): void {
  fc.assert(
    fc.property(fc.constantFrom(...REMOTE_OPTIONS.values()), fc.string(), (spec, text) => {
      const value = spec.value === 'none' ? null : text;
      const rendered = renderRemoteArguments([[spec.name, value]], CONTEXT);
      if (!rendered.ok) return;
      const [word = ''] = rendered.value;
      if (!word.startsWith(spec.name) || isForbidden(word)) throw new Error(`rendered ${word}`);
    }),
    { numRuns: 5_000 },
  );
}
