/** The real machine for SearchPaths. */
import { fromBytes, toText } from '../core/byte-string.js';
import { ARGUMENTS } from '../core/limits.js';
import { lookAtDirectory } from '../platform/directory-look.js';
import { directoryStamp } from '../platform/file-hash.js';
import { run } from '../platform/process.js';
import type { SearchDeps } from './default-search-path.js';

/** @param note takes what went wrong, for a log */
export function realSearchDeps(note: (message: string) => void): SearchDeps {
  return {
    async runCompiler(program, args, cwd, environment) {
      const variables = [...environment].map(([name, value]) => [toText(name), toText(value)]);
      const { status, stdout, stderr } = await run(toText(program), args.map(toText), {
        cwd: toText(cwd),
        env: { ...Object.fromEntries(variables), LC_ALL: 'C' },
        timeout: ARGUMENTS.compilerAnswer,
      });
      return { status, stdout: fromBytes(stdout), stderr: fromBytes(stderr) };
    },
    look: lookAtDirectory,
    directoryStamp,
    note,
  };
}
