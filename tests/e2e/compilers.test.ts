/** Compilers of other names, makes and targets than gcc. */
import t from 'tap';
import { assertSameBuild, ProjectHost } from '../fixtures/project-host.js';
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

const project = await ProjectHost.start(t);

for (const [compiler, units] of COMPILERS) {
  await t.test(compiler, { skip: without(compiler) }, async (t) => {
    const line = `for unit in ${units.join(' ')}; do
      $CC -O2 -Wall -MD -c ../$unit -o $unit.o || exit
    done`;
    const bare = await project.build(line, { CC: compiler });
    const tscc = await project.build(line, { CC: `tscc ${compiler}` });
    assertSameBuild(t, tscc, bare);
    t.equal(tscc.files.size, 2 * units.length);
    await project.assertWentOut(t, tscc, units.length, []);
  });
}
