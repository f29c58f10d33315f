// Makes a fresh clone ready to run: installs the npm packages when the lock file is newer than
// what is installed, then builds. Plain JavaScript without imports from packages, because it runs
// before there are any.
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Modification time of a file in milliseconds, or 0 when there is no such file. */
function modified(path) {
  return statSync(root + path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function run(command, args) {
  execFileSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
}

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`tscc: Node.js ${process.versions.node} is too old; install 20.19 or newer`);
  process.exit(1);
}

try {
  if (modified('node_modules/.package-lock.json') < modified('package-lock.json')) {
    run('npm', ['ci', '--no-audit', '--no-fund']);
  }
  run(process.execPath, ['scripts/build.mjs']);
} catch (error) {
  // The command that failed has printed its own reason.
  process.exit(error.status ?? 1);
}
