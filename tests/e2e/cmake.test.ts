/** CMake, by its compiler launchers and by CC, with either generator. */
import t from 'tap';
import { BY_CC, ProjectHost } from '../fixtures/same-build.js';
import { without } from '../fixtures/tools.js';

const BUILD_FILES = {
  'CMakeLists.txt': `cmake_minimum_required(VERSION 3.16)
project(small C CXX)
include(CheckIncludeFile)
check_include_file(stdint.h HAVE_STDINT_H)
add_library(parts SHARED greet.c sum.c shape.cc)
add_executable(program main.c)
target_link_libraries(program parts)
`,
};

const BY_LAUNCHER = {
  bare: {},
  tscc: { LAUNCHERS: '-DCMAKE_C_COMPILER_LAUNCHER=tscc -DCMAKE_CXX_COMPILER_LAUNCHER=tscc' },
};

const GENERATORS = [
  ['Ninja', 'ninja'],
  ['Unix Makefiles', 'make'],
] as const;

for (const [generator, program] of GENERATORS) {
  const skip = without('cmake') || without(program);
  const line = (more: string): string =>
    `cmake -G '${generator}' -DCMAKE_BUILD_TYPE=Release ${more} .. && cmake --build . -j 4`;

  await t.test(`CMAKE_C_COMPILER_LAUNCHER, ${generator}`, { skip }, async (t) => {
    const project = await ProjectHost.start(t, BUILD_FILES);
    await project.sameBuild({ line: line('$LAUNCHERS'), ...BY_LAUNCHER });
    await project.told(4, []);
  });
}

await t.test('CC="tscc gcc"', { skip: without('cmake') }, async (t) => {
  const project = await ProjectHost.start(t, BUILD_FILES);
  const line = "cmake -G 'Unix Makefiles' -DCMAKE_BUILD_TYPE=Release .. && cmake --build . -j 4";
  await project.sameBuild({ line, ...BY_CC });
  await project.told(4, ['compile-and-link', 'link', 'probe', 'query']);
});
