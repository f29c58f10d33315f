/** `tscc install DIR`: links named after compilers, so that PATH alone puts tscc in the way. */
import { lstatSync, mkdirSync, readdirSync, readlinkSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describeError, EXIT, TsccError } from '../core/errors.js';

/** Linked whether or not they are installed now: what is missing fails as it would without tscc. */
const ALWAYS = ['cc', 'c++', 'gcc', 'g++'];

/** `gcc-12`, `x86_64-linux-gnu-g++`, `clang++-14`: linked when they are along PATH. */
const COMPILER_PATTERN =
  /^(?:[a-z0-9_]+-(?:[a-z0-9_]+-)*)?(?:gcc|g\+\+|clang|clang\+\+)(?:-[0-9.]+)?$/;

export function installLinks(directory: string): void {
  const launcher = fileURLToPath(new URL('../../../bin/tscc', import.meta.url));
  const names = [...new Set([...ALWAYS, ...compilersAlongPath()])].toSorted();
  try {
    mkdirSync(directory, { recursive: true });
    for (const name of names) link(`${directory}/${name}`, launcher);
  } catch (error) {
    if (error instanceof TsccError) throw error;
    throw new TsccError(
      `${directory}: ${describeError(error)}: name a directory of yours`,
      EXIT.ioError,
    );
  }
  process.stdout.write(
    `${names.length} links in ${directory}: ${names.join(' ')}\n` +
      `put it first on PATH:  export PATH="${directory}:$PATH"\n`,
  );
}

function link(path: string, launcher: string): void {
  const present = lstatSync(path, { throwIfNoEntry: false });
  if (present === undefined) return symlinkSync(launcher, path);
  if (present.isSymbolicLink() && readlinkSync(path) === launcher) return;
  throw new TsccError(
    `${path} is there already and is no link to tscc: remove it, or name another directory`,
    EXIT.badArguments,
  );
}

function compilersAlongPath(): string[] {
  const directories = (process.env['PATH'] ?? '').split(':').filter((name) => name.startsWith('/'));
  return directories.flatMap((directory) => {
    try {
      return readdirSync(directory).filter((name) => COMPILER_PATTERN.test(name));
    } catch {
      // PATH often names directories that are not there.
      return [];
    }
  });
}
