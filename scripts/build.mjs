// `npm run build`: TypeScript into build/, C programs into bin/. A step whose inputs have not
// changed is skipped, so that `npm test` and `npm run demo` start at once.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compileNative, inputsOf, nativePrograms } from './native-programs.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

const modified = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** What decides how a program is compiled. */
const rules = ['build.mjs', 'native-programs.mjs'].map((name) => `${root}scripts/${name}`);

function fail(message) {
  console.error(`tscc: build: ${message}`);
  process.exit(1);
}

function buildTypeScript() {
  // An emptied build/src with a left-over build info would make an incremental tsc emit nothing.
  for (const [output, info] of [
    ['src', '.tsbuildinfo'],
    ['browser/report-main.js', 'browser/.tsbuildinfo'],
  ]) {
    if (!existsSync(`${root}build/${output}`)) rmSync(`${root}build/${info}`, { force: true });
  }
  // The second project's scripts run in a page, where there is a document and no Node.js.
  for (const project of ['.', 'browser']) {
    const tsc = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', project], {
      cwd: root,
      stdio: 'inherit',
    });
    if (tsc.status !== 0) fail('tsc found errors (above)');
  }
}

function buildNative(program) {
  const target = `${root}bin/${program}`;
  if (Math.max(...[...rules, ...inputsOf(program)].map(modified)) < modified(target)) return;
  try {
    compileNative(program, target, [`-DTSCC_NODE="${process.execPath}"`]);
  } catch (error) {
    fail(error.message);
  }
}

buildTypeScript();
for (const program of Object.keys(nativePrograms)) buildNative(program);
