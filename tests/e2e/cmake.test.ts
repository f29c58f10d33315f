/** CMake, by its compiler launchers with either generator, and by CC. */
import t from 'tap';
import {
  assertSameBuild,
  assertSameProducts,
  ProjectHost,
  TSCC,
} from '../fixtures/project-host.js';
import { without } from '../fixtures/tools.js';

const project = await ProjectHost.start(t, {
  'CMakeLists.txt': `cmake_minimum_required(VERSION 3.16)
project(small C CXX)
include(CheckIncludeFile)
check_include_file(stdint.h HAVE_STDINT_H)
add_library(parts SHARED greet.c sum.c shape.cc)
add_executable(program main.c)
target_link_libraries(program parts)
`,
});

const build = (generator: string, options = ''): string =>
  `cmake -G '${generator}' -DCMAKE_BUILD_TYPE=Release ${options} .. && cmake --build . -j 4`;
const LAUNCHERS = '-DCMAKE_C_COMPILER_LAUNCHER=tscc -DCMAKE_CXX_COMPILER_LAUNCHER=tscc';

await t.test('compiler launchers, Ninja', { skip: without('cmake', 'ninja') }, async (t) => {
  const bare = await project.build(build('Ninja'), {});
  const tscc = await project.build(build('Ninja', LAUNCHERS), {});
  assertSameBuild(t, tscc, bare);
  await project.assertWentOut(t, tscc, 4, []);
});

await t.test('Unix Makefiles', { skip: without('cmake') }, async (t) => {
  const bare = await project.build(build('Unix Makefiles'), {});
  await t.test('compiler launchers', async (t) => {
    const tscc = await project.build(build('Unix Makefiles', LAUNCHERS), {});
    assertSameBuild(t, tscc, bare);
    await project.assertWentOut(t, tscc, 4, []);
  });
  await t.test('CC="tscc gcc", so that its probes come to tscc too', async (t) => {
    const tscc = await project.build(build('Unix Makefiles'), TSCC);
    assertSameProducts(t, tscc, bare);
    await project.assertWentOut(t, tscc, 4, ['link', 'probe', 'query']);
  });
});
