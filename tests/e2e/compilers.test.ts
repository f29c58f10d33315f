/** Compilers of other names, makes and targets than gcc. */
import t from 'tap';
import { ProjectHost } from '../fixtures/same-build.js';
import { without } from '../fixtures/tools.js';

const C = ['greet.c', 'sum.c', 'main.c'];
const CXX = ['shape.cc'];

const COMPILERS: readonly (readonly [compiler: string, units: readonly string[]])[] = [
  ['gcc-12', C],
  ['x86_64-linux-gnu-gcc-12', C],
  ['g++-12', CXX],
  ['aarch64-linux-gnu-gcc', C],
  ['clang', C],
  ['clang++', CXX],
];

for (const [compiler, units] of COMPILERS) {
  await t.test(compiler, { skip: without(compiler) }, async (t) => {
    const project = await ProjectHost.start(t);
    const compile = `$CC -O2 -Wall -MD -c ../$unit -o $unit.o`;
    await project.sameBuild({
      line: `for unit in ${units.join(' ')}; do ${compile} || exit; done`,
      bare: { CC: compiler },
      tscc: { CC: `tscc ${compiler}` },
    });
    await project.told(units.length, []);
  });
}
