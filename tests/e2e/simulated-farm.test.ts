/** The simulated farm of benchmarks/: a recorded build comes back from servers as it was recorded. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { Recording } from '../../benchmarks/farm-recording.js';
import type { FarmResult } from '../../benchmarks/farm-run.js';
import { BuildHost } from '../fixtures/build-host.js';
import { withoutNamespaces } from '../fixtures/sealed-root.js';
import { writeSmallProject } from '../fixtures/small-project.js';

const farm = fileURLToPath(new URL('../../benchmarks/farm.js', import.meta.url));
/** With a dependency file, without one, with words, and with nothing to replay. */
const BUILD = [
  'gcc -O2 -MMD -c -o greet.o greet.c',
  'g++ -c shape.cc',
  'gcc -Wall -Wextra -c warns.c',
  '! gcc -c missing.c',
  'gcc -o program greet.o sum.c main.c',
];

const host = new BuildHost(t);
const project = `${host.directory}/project`;
const kept = `${host.directory}/farm`;
mkdirSync(project);
writeSmallProject(project, { 'warns.c': 'static int unused;\n' });

const replay = (words: readonly string[]) => {
  const args = [farm, kept, '--farm', '2x2', '--runs', '1', ...words];
  return host.run(process.execPath, args);
};

await t.test('records a build and replays it in both modes', async (t) => {
  const words = ['--project', project, '--build', BUILD.join(' && ')];
  const rows = ['--rows', 'tscc plain', '--output', `${host.directory}/plain`];
  const { status, stderr } = await replay([...words, ...rows]);
  t.equal(status, 0, stderr);
  const recording = JSON.parse(readFileSync(`${kept}/recording.json`, 'utf8')) as Recording;
  const outputs = recording.compiles.map(({ output }) => output.slice(project.length + 1));
  t.same(outputs, ['greet.o', 'shape.o', 'warns.o']);
  t.same(recording.leftOut, { failed: 1, 'compiles nothing': 1 });
  t.ok(recording.compiles.every(({ cpu, wall }) => cpu > 0 && wall > 0));

  const [result] = JSON.parse(readFileSync(`${host.directory}/plain.json`, 'utf8')) as FarmResult[];
  const [run] = result?.rows.find(({ name }) => name === 'tscc plain')?.runs ?? [];
  t.same(run?.tscc?.outcomes, { pump: 0, plain: 2, cache: 0, local: 1 }, 'words are made here');
  t.same(run?.tscc?.reasons, { 'plain-diagnostics': 1 });
  t.ok((run?.wall ?? 0) >= (result?.longest ?? Infinity), 'nothing is faster than its compiler');
  t.match(readFileSync(`${host.directory}/plain.svg`, 'utf8'), /tscc plain.*\n.*\n.*efficiency/);
});

await t.test('in sealed roots too', { skip: withoutNamespaces() }, async (t) => {
  const { status, stderr } = await replay(['--rows', 'tscc pump', '--output', `${kept}/pump`]);
  t.equal(status, 0, stderr);
  const [result] = JSON.parse(readFileSync(`${kept}/pump.json`, 'utf8')) as FarmResult[];
  const [run] = result?.rows.find(({ name }) => name === 'tscc pump')?.runs ?? [];
  t.same(run?.tscc?.outcomes, { pump: 3, plain: 0, cache: 0, local: 0 });
  t.ok((run?.tscc?.phases['compiler'] ?? 0) > 0);
  t.match(readFileSync(`${project}/greet.d`, 'utf8'), /^greet\.o: greet\.c project\.h\n$/);
  t.notOk(existsSync(`${project}/shape.d`), 'a list that only the server asked for stays there');
});
