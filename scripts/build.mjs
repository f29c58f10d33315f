// `npm run build`: TypeScript into build/, C programs into bin/. A step whose inputs have not
// changed is skipped, so that `npm test` and `npm run demo` start at once.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const cc = process.env.CC_FOR_BUILD ?? 'cc';

/** Program in bin/ → its sources in native/; every header there counts as an input of each. */
const programs = {
  tscc: readdirSync(`${root}native`).filter((name) => /^launcher.*\.c$/.test(name)),
  'tscc-runner': readdirSync(`${root}native`).filter((name) => /^runner.*\.c$/.test(name)),
  'tscc-watch': ['watch.c'],
};

const modified = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

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

function compile(program, sources) {
  const target = `${root}bin/${program}`;
  const inputs = [
    fileURLToPath(import.meta.url),
    ...sources.map((name) => `${root}native/${name}`),
    ...readdirSync(`${root}native`)
      .filter((name) => name.endsWith('.h'))
      .map((name) => `${root}native/${name}`),
  ];
  if (Math.max(...inputs.map(modified)) < modified(target)) return;
  const args = [
    '-std=gnu11',
    '-O2',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-D_FILE_OFFSET_BITS=64',
    `-DTSCC_NODE="${process.execPath}"`,
    '-o',
    target,
    ...sources.map((name) => `${root}native/${name}`),
  ];
  // Static where libc.a exists: a static program starts in a third of the time.
  const isStatic = spawnSync(cc, ['-static', ...args], { stdio: 'ignore' });
  if (isStatic.error !== undefined) {
    fail(`no C compiler: '${cc}' ${isStatic.error.code}; install gcc (or set CC_FOR_BUILD)`);
  }
  if (isStatic.status === 0) return;
  try {
    execFileSync(cc, args, { stdio: 'inherit' });
  } catch {
    fail(`'${cc}' could not build bin/${program} (its messages are above)`);
  }
}

buildTypeScript();
for (const [program, sources] of Object.entries(programs)) compile(program, sources);
