/** Pump mode of a server that can make no namespace: a supervisor answers for its jobs' roots. */
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { BuildHost } from '../fixtures/build-host.js';
import { without } from '../fixtures/tools.js';
import { NO_NAMESPACES_TO_TAKE } from '../fixtures/without-namespaces.js';

/** As WITHOUT_NAMESPACES, with a header that only the server's host has. */
const SERVERS_HOST = [
  ...['unshare', '-Urm', 'sh', '-c'],
  `mount -t tmpfs none /usr/local/include && echo '#define ONLY_THERE' >/usr/local/include/there.h &&
    echo 0 >/proc/sys/user/max_user_namespaces && exec "$0" "$@"`,
];

const FILES: Readonly<Record<string, string>> = {
  'x.c': `#include <stdio.h>
#include "x.h"
#if __has_include(<there.h>) || __has_include("/usr/local/include/there.h")
#error that is a header of another host
#endif
int main(void) { printf("%d %s\\n", X, __FILE__); return f(3); }
`,
  'x.h': '#define X 7\nstatic inline int f(int a) { return a > X ? a : X; }\n',
  'x.cc':
    '#include <vector>\n#include <string>\nstd::vector<std::string> f() { return {"a", "b"}; }\n',
  'w.c': 'int f(int a) {\n  int unused;\n  if (a = 1) return 2;\n  return "é";\n}\n',
  'bad.c': '#include "x.h"\nint f(void) { return undeclared; }\n',
  's.S': '#include "s.h"\n.globl s\ns: .long X\n.incbin "x.h"\n',
  's.h': '#define X 9\n',
  'p.h': '#include <string.h>\n#define P 5\n',
  'p.c': '#include "p.h"\nint p(const char *s) { return P + (int)strlen(s); }\n',
};

async function newHost(t: Test): Promise<BuildHost> {
  const host = new BuildHost(t);
  host.env['TSCC_MODE'] = 'pump';
  for (const [name, text] of Object.entries(FILES)) {
    writeFileSync(`${host.directory}/${name}`, text);
  }
  await host.startServers(['127.0.0.1'], ['--jobs', '2'], SERVERS_HOST);
  return host;
}

/** The same command here and there: everything that it leaves and prints is the same. */
async function compare(t: Test, host: BuildHost, compiler: string, words: string): Promise<void> {
  const run = async (name: string, command: string) => {
    const cwd = `${host.directory}/work`;
    const line = `rm -rf '${cwd}' && mkdir '${cwd}' && cd '${cwd}' && cp ../*.* . &&
      ${command} ${words}; s=$?; rm -f ${Object.keys(FILES).join(' ')}
      mv '${cwd}' '../${name}'; exit $s`;
    await host.shell(`rm -rf '${name}'`);
    return host.shell(line);
  };
  const expected = await run('here', compiler);
  t.same(await run('there', `tscc ${compiler}`), expected, `${compiler} ${words}`);
  t.same(await host.shell('diff -r here there'), { status: 0, stdout: '', stderr: '' }, words);
}

const COMMANDS: readonly (readonly [compiler: string, words: string])[] = [
  ['gcc', '-O2 -c x.c'],
  ['gcc', '-g -O1 -MD -MF x.dep -c x.c -o sub.o'],
  ['gcc', '-g -gsplit-dwarf -c x.c'],
  ['gcc', '--coverage -frandom-seed=1 -c x.c'],
  ['gcc', '-fstack-usage -MMD -S x.c'],
  ['gcc', '-Wall -Wextra -c w.c'],
  ['gcc', '-flto -frandom-seed=1 -O2 -c x.c'],
  ['gcc', '-g -c s.S'],
  ['g++', '-g -O1 -MD -c x.cc'],
];

await t.test('all is as it is here', { skip: NO_NAMESPACES_TO_TAKE }, async (t) => {
  const host = await newHost(t);
  for (const [compiler, words] of COMMANDS) await compare(t, host, compiler, words);
  t.match(await host.status(), {
    outcomes: { pump: COMMANDS.length, plain: 0, local: 0 },
    fallbacks: {},
    demotions: {},
    tiers: { 2: COMMANDS.length },
  });
  t.match((await host.run('tscc', ['hosts'])).stdout, /^(?!.*plain mode only).*sandbox tier 2/);
  // What fails there is told in the words of the compiler here.
  await compare(t, host, 'gcc', '-c bad.c');
  t.match(await host.status(), { fallbacks: { 'compile-error': 1 } });
});

await t.test('clang', { skip: NO_NAMESPACES_TO_TAKE || without('clang') }, async (t) => {
  const host = await newHost(t);
  for (const words of ['-O2 -g -MD -c x.c', '-c s.S']) await compare(t, host, 'clang', words);
  t.match(await host.status(), { outcomes: { pump: 2 }, fallbacks: {} });
});

await t.test(
  'headers that are made during the build',
  { skip: NO_NAMESPACES_TO_TAKE },
  async (t) => {
    const host = await newHost(t);
    const same = async (words: string) =>
      t.strictSame(
        await host.shell(
          `gcc ${words} -o here.o && tscc gcc ${words} -o there.o && cmp here.o there.o`,
        ),
        { status: 0, stdout: '', stderr: '' },
      );
    await host.shell('tscc gcc -O1 p.h -o p.h.gch');
    await same('-O1 -c p.c');
    for (const value of [8, 9, 10]) {
      writeFileSync(`${host.directory}/x.h`, FILES['x.h']?.replace('7', String(value)) ?? '');
      await same('-g -c x.c');
    }
    t.match(await host.status(), { outcomes: { pump: 4, plain: 0 }, fallbacks: {} });
  },
);

await t.test('a compiler at other paths', { skip: NO_NAMESPACES_TO_TAKE }, async (t) => {
  const host = await newHost(t);
  mkdirSync(`${host.directory}/bin`);
  copyFileSync('/usr/bin/gcc', `${host.directory}/bin/gcc`);
  symlinkSync('/usr/lib', `${host.directory}/lib`);
  const compiler = `${host.directory}/bin/gcc`;
  const line = `'${compiler}' -c x.c -o here.o && for i in 1 2 3; do
    tscc '${compiler}' -c x.c -o $i.o && cmp $i.o here.o || exit
  done`;
  t.strictSame(await host.shell(line), { status: 0, stdout: '', stderr: '' });
  t.match(await host.status(), {
    outcomes: { pump: 0, plain: 3, local: 0 },
    demotions: { 'other-paths': 3 },
    fallbacks: {},
  });
});

await t.test('who asks for more gets nothing', { skip: NO_NAMESPACES_TO_TAKE }, async (t) => {
  const host = await newHost(t);
  host.env['TSCC_MIN_TIER'] = '3';
  t.match(await host.shell('tscc gcc -c x.c'), { status: 0 });
  t.match(await host.status(), { outcomes: { pump: 0, plain: 0, local: 1 } });
  t.ok(readFileSync(`${host.directory}/x.o`).length > 0);
});
