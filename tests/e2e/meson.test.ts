/** Meson, with its compilers from the environment and from a native file. */
import { writeFileSync } from 'node:fs';
import t from 'tap';
import {
  assertSameBuild,
  assertSameProducts,
  BARE,
  ProjectHost,
  TSCC,
} from '../fixtures/project-host.js';
import { without } from '../fixtures/tools.js';

const MESON_BUILD = `project('small', 'c', 'cpp', default_options: ['buildtype=release'])
cc = meson.get_compiler('c')
assert(cc.has_header('stdint.h') and cc.has_function('printf') and cc.sizeof('int') == 4)
assert(cc.has_argument('-Wall') and cc.compiles('int x;') and cc.links('int main(void) {}'))
parts = shared_library('parts', 'greet.c', 'sum.c', 'shape.cc')
executable('program', 'main.c', link_with: parts)
`;

const OTHER = ['link', 'no-input', 'preprocess', 'probe', 'query'];

await t.test('Meson', { skip: without('meson', 'ninja') }, async (t) => {
  const project = await ProjectHost.start(t, { 'meson.build': MESON_BUILD });
  const line = 'meson setup $OPTIONS . .. && ninja';
  const bare = await project.build(line, BARE);

  await t.test('CC="tscc gcc"', async (t) => {
    const tscc = await project.build(line, TSCC);
    assertSameBuild(t, tscc, bare);
    await project.assertWentOut(t, tscc, 4, OTHER);
  });

  await t.test('a native file', async (t) => {
    const text = "[binaries]\nc = ['tscc', 'gcc']\ncpp = ['tscc', 'g++']\n";
    writeFileSync(`${project.sources}/tscc.ini`, text);
    const tscc = await project.build(line, { OPTIONS: '--native-file ../tscc.ini' });
    assertSameProducts(t, tscc, bare);
    await project.assertWentOut(t, tscc, 4, OTHER);
  });
});
