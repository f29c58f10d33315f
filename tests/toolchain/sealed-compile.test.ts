import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { digestOf } from '../../src/core/digest.js';
import { parseDependencyFile } from '../../src/toolchain/dependency-file.js';
import { LocaleFiles } from '../../src/toolchain/locale-files.js';
import { renderPumpArguments } from '../../src/toolchain/pump-arguments.js';
import { pumpFields, pumpOutputs } from '../../src/toolchain/pump-command.js';
import { realToolchainDeps } from '../../src/toolchain/toolchain-host.js';
import { ToolchainProbe } from '../../src/toolchain/toolchain.js';
import { spawnSync } from 'node:child_process';
import { compileOf, scratchDirectory } from '../fixtures/commands.js';
import { SealedRoot, withoutNamespaces } from '../fixtures/sealed-root.js';
import { without } from '../fixtures/tools.js';

const deps = realToolchainDeps((message) => t.comment(message));
const probe = new ToolchainProbe(deps);
const locales = new LocaleFiles(deps);
const PATH = '/usr/local/bin:/usr/bin:/bin';

const SOURCES: Readonly<Record<string, string>> = {
  'x.c':
    '#include <stdio.h>\n#include <stddef.h>\n#include "own.h"\n' +
    'int main(void) { int n; printf("%d %s\\n", OWN, __FILE__); return n; }\n',
  'own.h': '#define OWN 3\n',
  'x.cc': '#include <vector>\n#include <string>\nstd::vector<std::string> v{"a"};\n',
  'bad.c': 'int f(void) { return missing; }\nint g(void) { return "a" }\n',
  'x.S': '#include "own.h"\n.globl f\nf: mov $OWN, %eax\n ret\n.incbin "data.bin"\n',
  'bad.s': 'f: nonsense %eax\n',
  'data.bin': 'data',
};

const GCC = [
  '-c -O2 -g -Wall x.c -o x.o',
  '-c -O2 -g -Wall -MD -gsplit-dwarf x.c -o x.o',
  '-c bad.c',
  '-c x.S -g',
  '-c -pipe bad.s',
  '-S -fverbose-asm x.c',
  '-c -O1 -flto -frandom-seed=1 x.c',
  '-c -fsanitize=address,undefined x.c',
  '-c --coverage -frandom-seed=1 x.c',
  '-c -m16 -ffreestanding bad.c',
];
const CXX = ['-c -O2 -g -Wall x.cc', '-c -std=c++20 -MD x.cc'];

const CASES: readonly (readonly [string, readonly string[], string])[] = [
  ['gcc', GCC, 'C'],
  ['gcc', ['-c bad.c', '-c -pipe bad.s', '-c -O2 -Wall -g x.c'], 'C.UTF-8'],
  ['gcc-12', ['-c -O2 -g x.c'], 'C'],
  ['gcc-11', ['-c -O2 -g x.c'], 'C'],
  ['/usr/bin/gcc', ['-c -O2 -g x.c'], 'C'],
  ['g++', CXX, 'C'],
  [
    'clang',
    ['-c -O2 -g -Wall x.c', '-c bad.c', '-c -O1 -g x.S', '-c -fsanitize=address x.c'],
    'C.UTF-8',
  ],
  ['clang++', CXX, 'C'],
  ['aarch64-linux-gnu-gcc', ['-c -O2 -g x.c'], 'C'],
];

/** Everything that the compile reads, by the compiler's own word, and where it looks for headers. */
function headersOf(argv: readonly string[], cwd: string): string[] {
  const env = { PATH, LC_ALL: 'C', PWD: cwd };
  const list = spawnSync(argv[0] ?? '', [...argv.slice(1), '-M', '-MF', '-'], { cwd, env });
  const verbose = spawnSync(argv[0] ?? '', [...argv.slice(1), '-v', '-E'], { cwd, env });
  const directories = verbose.stderr.toString().match(/^ \/.*$/gm) ?? [];
  return [
    ...parseDependencyFile(list.stdout.toString('latin1')),
    ...directories.map((line) => line.trim()),
  ];
}

for (const [compiler, lines, locale] of CASES) {
  const skip = withoutNamespaces() || (compiler.includes('/') ? false : without(compiler));
  await t.test(`${compiler} with nothing but its files, LC_ALL=${locale}`, { skip }, async (t) => {
    const path = compiler.includes('/') ? compiler : `/usr/bin/${compiler}`;
    const toolchain = await probe.identify(path, PATH);
    if (typeof toolchain === 'string') throw new Error(toolchain);
    const cwd = scratchDirectory();
    const env = { PATH, LC_ALL: locale, PWD: cwd };
    const root = new SealedRoot();
    for (const file of toolchain.files) root.add(file);
    for (const file of locales.of(toolchain, new Map(Object.entries(env)))) root.add(file);
    for (const [name, text] of Object.entries(SOURCES)) {
      writeFileSync(join(cwd, name), text);
      root.add(join(cwd, name));
    }
    for (const line of lines) {
      const command = compileOf([compiler, ...line.split(' ')], { cwd, family: toolchain.family });
      const words = command.words.filter((word) => word !== '-MD');
      for (const file of headersOf([compiler, ...words], cwd)) {
        root.add(file.startsWith('/') ? file : join(cwd, file));
      }
      const rendered = renderPumpArguments(pumpFields(command), compiler);
      if (!rendered.ok) throw new Error(rendered.error);
      const sealed = root.run([compiler, ...rendered.value.words], cwd, env);
      const { status, stdout, stderr } = spawnSync(compiler, line.split(' '), { cwd, env });
      t.strictSame(
        sealed,
        { status, stdout: stdout.toString('latin1'), stderr: stderr.toString('latin1') },
        line,
      );
      for (const { absolute } of pumpOutputs(command)) {
        const made = root.read(absolute);
        const outside = status === 0 ? readFileSync(absolute) : undefined;
        t.equal(made && digestOf(made), outside && digestOf(outside), `${line}: ${absolute}`);
        rmSync(absolute, { force: true });
        rmSync(root.directory + absolute, { force: true });
      }
    }
  });
}
