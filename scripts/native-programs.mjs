// The C programs in native/, and how they are compiled: `npm run build` makes them for this clone,
// `npm run package` for other hosts.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const native = fileURLToPath(new URL('../native/', import.meta.url));
const cc = process.env.CC_FOR_BUILD ?? 'cc';

const sourcesLike = (pattern) =>
  readdirSync(native)
    .filter((name) => pattern.test(name))
    .toSorted()
    .map((name) => native + name);

/** Every header counts as an input of each program. */
const headers = sourcesLike(/\.h$/);

/** Program in bin/ → its sources. */
export const nativePrograms = {
  tscc: sourcesLike(/^launcher.*\.c$/),
  'tscc-runner': sourcesLike(/^runner.*\.c$/),
  'tscc-watch': [`${native}watch.c`],
};

/** Files that a program is made from. */
export const inputsOf = (program) => [...nativePrograms[program], ...headers];

/**
 * Compiles a program to `target`; answers whether it is static. Throws an error with one line that
 * says what to do; the compiler's own messages are on standard error by then.
 */
export function compileNative(program, target, flags) {
  const args = [
    '-std=gnu11',
    '-O2',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-D_FILE_OFFSET_BITS=64',
    ...flags,
    '-o',
    target,
    ...nativePrograms[program],
  ];
  // Static where libc.a exists: a static program starts in a third of the time.
  const asStatic = spawnSync(cc, ['-static', ...args], { stdio: 'ignore' });
  if (asStatic.error !== undefined) {
    throw new Error(
      `no C compiler: '${cc}' ${asStatic.error.code}; install gcc (or set CC_FOR_BUILD)`,
    );
  }
  if (asStatic.status === 0) return true;
  if (spawnSync(cc, args, { stdio: ['ignore', 'inherit', 'inherit'] }).status !== 0) {
    throw new Error(`'${cc}' could not build ${program} (its messages are above)`);
  }
  return false;
}
