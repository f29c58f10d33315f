/** Meson, with its compilers from the environment and from a native file. */
import { writeFileSync } from 'node:fs';
import t from 'tap';
import { BY_CC, ProjectHost } from '../fixtures/same-build.js';
import { without } from '../fixtures/tools.js';

const BUILD_FILES = {
  'meson.build': `project('small', 'c', 'cpp', default_options: ['buildtype=release'])
cc = meson.get_compiler('c')
assert(cc.has_header('stdint.h') and cc.has_function('printf') and cc.sizeof('int') == 4)
assert(cc.has_argument('-Wall') and cc.compiles('int x;') and cc.links('int main(void) {}'))
parts = shared_library('parts', 'greet.c', 'sum.c', 'shape.cc')
executable('program', 'main.c', link_with: parts)
`,
};

const PROBES = ['compile-and-link', 'link', 'preprocess', 'probe', 'query'];

await t.test('CC="tscc gcc"', { skip: without('meson') }, async (t) => {
  const project = await ProjectHost.start(t, BUILD_FILES);
  await project.sameBuild({ line: 'meson setup . .. && ninja', ...BY_CC });
  await project.told(4, PROBES);
});

await t.test('a native file', { skip: without('meson') }, async (t) => {
  const project = await ProjectHost.start(t, BUILD_FILES);
  const native = (name: string, launcher: string): NodeJS.ProcessEnv => {
    const path = `${project.sources}/${name}.ini`;
    writeFileSync(path, `[binaries]\nc = [${launcher}'gcc']\ncpp = [${launcher}'g++']\n`);
    return { NATIVE_FILE: path };
  };
  await project.sameBuild({
    line: 'meson setup --native-file "$NATIVE_FILE" . .. && ninja',
    bare: native('bare', ''),
    tscc: native('tscc', "'tscc', "),
  });
  await project.told(4, PROBES);
});
