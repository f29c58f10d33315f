import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { digestOf } from '../../src/core/digest.js';
import type { CompileCommand } from '../../src/toolchain/compile-command.js';
import { parseCommand } from '../../src/toolchain/parse-command.js';
import { REAL_DEPENDENCIES, renderPumpArguments } from '../../src/toolchain/pump-arguments.js';
import {
  dependencyListOf,
  pumpFields,
  pumpObstacle,
  pumpOutputs,
} from '../../src/toolchain/pump-command.js';
import { filesBelow, runIn, scratchDirectory } from '../fixtures/commands.js';
import { without } from '../fixtures/tools.js';

const SOURCES: Readonly<Record<string, string>> = {
  'x.c':
    '#include <stddef.h>\n#include "own.h"\n#ifndef VALUE\n#define VALUE 1\n#endif\n' +
    'int unused(void) { int n; return n + VALUE; }\nint f(int a) { return OWN + a; }\n' +
    'const char *g(void) { return __FILE__; }\n',
  'own.h': '#pragma once\n#define OWN 3\n',
  'inc/own.h': '#define OWN 4\n',
  'inc/extra.h': '#define EXTRA 1\nstatic inline int extra(void) { return EXTRA; }\n',
  'x.cc':
    '#include <utility>\n#include "own.h"\nstruct S { ~S(); }; int f(S, int a) { return a + OWN; }\n',
  'x.S': '#include "own.h"\n.globl f\nf: mov $OWN, %eax\n ret\n.incbin "data.bin"\n',
  'asm.s': '.globl f\nf: ret\n.include "more.s"\n',
  'more.s': '.byte 7\n',
  'data.bin': 'data',
  'x.i': '# 1 "x.c"\nint f(void) { return 3; }\n',
  'odd $ name.c': 'int f(void) { return 1; }\n',
};

/** A fresh directory with the sources, always at the same path: it is part of what is made. */
class Place {
  readonly directory = join(scratchDirectory(), 'work');

  run(argv: readonly string[]) {
    const { directory } = this;
    const [program = '', ...words] = argv;
    runIn('/', ['rm', '-rf', directory]);
    for (const [path, text] of Object.entries({ ...SOURCES, 'out/keep': '' })) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), text);
    }
    const { status, stdout, stderr } = runIn(directory, [program, ...words]);
    const made = filesBelow(directory).filter((path) => !(path in SOURCES) && path !== 'out/keep');
    const files = new Map(
      // GCC's record of optimisations has addresses of its own memory.
      made.map((path) => [path, path.endsWith('.gz') ? '' : this.#content(path)]),
    );
    return { status, stdout: stdout.toString('latin1'), stderr, files };
  }

  /** Short enough to be shown when it differs. */
  #content(path: string): string {
    const bytes = readFileSync(join(this.directory, path));
    return path.endsWith('.d') ? bytes.toString('latin1') : digestOf(bytes);
  }

  command(argv: readonly string[], family: 'gcc' | 'clang'): CompileCommand {
    const parsed = parseCommand({
      argv,
      cwd: this.directory,
      readResponseFile: () => undefined,
      environment: new Map(),
      family,
    });
    if (parsed.kind !== 'compile') throw new Error(`${argv.join(' ')}: ${JSON.stringify(parsed)}`);
    return parsed.command;
  }
}

const BOTH: readonly (string | readonly string[])[] = [
  '-c x.c',
  '-O2 -g -Wall -Wextra -c x.c -o out/x.o',
  '-g3 -c x.c -ox.o -MD',
  '-S x.c',
  '-S -O1 -fverbose-asm x.c -o out/y.s',
  '-c -MMD -MP -MF out/deps.d x.c -o out/x.o',
  '-c -MD -MT target -MQ target$two x.c',
  '-c -Wp,-MMD,out/.x.o.d x.c -o out/x.o',
  '-c -Wp,-MD,out/.x.o.d -Xpreprocessor -DVALUE=(1,2) x.c -o out/x.o',
  ['-c', '-MD', '-MT', 'a b $ # : c', '-DVALUE="a\nb"[0]', '-D', "X='\"'", 'x.c'],
  '-c -Iinc -I inc -iquote inc -isystem inc -idirafter inc -include extra.h x.c',
  '-c -iquoteinc -isysteminc -includeinc/extra.h -DX -D Y=1 -UX -U Z x.c',
  '-c -imacros inc/extra.h --sysroot=/ x.c',
  '-c --include-directory=inc --define-macro=A x.c',
  '-c -Werror=uninitialized -Wall x.c',
  '-c -DOWN=1 -Werror x.c',
  '-c -x c++ x.c -o out/x.o',
  '-c -xc x.c',
  '-c -g -gsplit-dwarf x.c -o out/x.o',
  '-c -g -ffile-prefix-map=/a=/b -fdebug-prefix-map=/c=/d x.c',
  '-c -Wa,--noexecstack -Xassembler --noexecstack x.c',
  '-c -fsanitize=address,undefined x.c',
  '-c -ftest-coverage -fprofile-arcs -frandom-seed=1 x.c -o out/x.o',
  '-c -fprofile-generate -frandom-seed=1 x.c',
  '-c -Lnowhere -lm -Wl,-z,now -pthread -pipe x.c',
  '-c -g x.i',
  '-c -MD x.i',
  '-c x.S',
  '-c -MD x.S -o out/x.o',
  '-c asm.s',
  ['-c', 'odd $ name.c', '-MD', '-o', 'out/odd $ name.o'],
  '-c -I missing -Wmissing-include-dirs x.c',
  '-c -DVALUE=( x.c',
  '-std=gnu11 -fno-pie -mno-red-zone -march=x86-64 -c x.c -S',
  '-c -MD -Iinc x.cc -std=c++17 -O2 -g',
];

const GCC: typeof BOTH = [
  '-c --param max-inline-insns-single=5 --param=inline-unit-growth=3 x.c',
  '-c -save-temps x.c -o out/x.o',
  '-c -save-temps=cwd x.c -o out/x.o',
  '-c -fstack-usage -fcallgraph-info x.c -o out/x.o',
  '-c -aux-info out/info x.c',
  '-c -g -grecord-gcc-switches -frecord-gcc-switches -DX -Iinc x.c',
  '-c -flto -frandom-seed=1 -O2 x.c',
  '-c -fsave-optimization-record -O2 -frandom-seed=1 x.c -o out/x.o',
  '-c -fopt-info -O3 x.c',
  '-c --coverage -frandom-seed=1 x.c',
  '-c --coverage -frandom-seed=1 -fprofile-dir=prof -fprofile-note=out/note x.c',
];

for (const family of ['gcc', 'clang'] as const) {
  await t.test(
    `${family}: the rebuilt command makes the same`,
    { skip: without(family) },
    async (t) => {
      const place = new Place();
      for (const line of family === 'gcc' ? [...BOTH, ...GCC] : BOTH) {
        const words = typeof line === 'string' ? line.split(' ') : line;
        const argv = [family, ...words];
        const name = argv.join(' ');
        const command = place.command(argv, family);
        t.equal(pumpObstacle(command, new Map()), undefined, name);
        const rendered = renderPumpArguments(pumpFields(command), family);
        if (!rendered.ok) {
          t.fail(`${name}: ${rendered.error}`);
          continue;
        }
        const lists = rendered.value.addedLists;
        const rebuilt = rendered.value.words.map((word) => word.replace('/.tscc-lists/', 'tscc.'));
        const original = place.run(argv);
        const again = place.run([family, ...rebuilt]);
        const added = lists.map((path) => path.replace('/.tscc-lists/', 'tscc.'));
        for (const path of added) {
          if (!again.files.delete(path)) t.not(again.status, 0, `${name}: ${path}`);
        }
        t.strictSame(again, original, `${name}: ${rebuilt.join(' ')}`);
        const known = pumpOutputs(command);
        t.strictSame(
          [...original.files.keys()].filter(
            (path) => !known.some((output) => output.path === path),
          ),
          [],
          `${name}: every file made is known`,
        );
        if (original.status === 0) {
          for (const { path, isRequired } of known) {
            if (isRequired) t.ok(original.files.has(path), `${name}: ${path}`);
          }
        }
        const isAdded = dependencyListOf(command) === 'added';
        t.ok(isAdded ? lists.length > 0 : !lists.includes(REAL_DEPENDENCIES), name);
      }
    },
  );
}
