/**
 * Files that a server's compiler did not find, and that are here: each is a hole in a closure. The
 * compiler names them in its error, and they are looked for where it would have looked.
 */
import { directoryName, joinPath, type ByteString } from '../core/byte-string.js';
import type { Files } from '../platform/files.js';
import type { CompileCommand } from '../toolchain/compile-command.js';

/** GCC's and Clang's words, and GNU as's for .include and .incbin. */
const ERRORS = [
  /^(?<in>.+?):\d+:\d+: fatal error: (?<name>.+): No such file or directory$/gm,
  /^(?<in>.+?):\d+:\d+: fatal error: '(?<name>.+)' file not found$/gm,
  /^(?<in>.+?):\d+: Error: (?:can't open|file not found:) `?(?<name>[^'\n]+?)'?(?: for reading: .*)?$/gm,
];

/** Absolute paths, in the order of the errors; none when nothing that is here was missed. */
export function filesMissedBy(
  stderr: ByteString,
  command: CompileCommand,
  files: Pick<Files, 'stat'>,
): ByteString[] {
  const found: ByteString[] = [];
  for (const pattern of ERRORS) {
    for (const { groups } of stderr.matchAll(pattern)) {
      const name = groups?.['name'] ?? '';
      const beside = joinPath(command.cwd, directoryName(groups?.['in'] ?? ''));
      for (const directory of [beside, ...searchedDirectories(command)]) {
        const path = joinPath(directory, name);
        if (files.stat(path)?.kind !== 'file') continue;
        found.push(path);
        break;
      }
    }
  }
  return found;
}

/** Those of the command line, and where the compile stands. */
function searchedDirectories({ cwd, options }: CompileCommand): ByteString[] {
  const named = options.flatMap(({ name, value }) =>
    /^-(?:I|iquote|isystem|idirafter)$/.test(name) && value !== undefined
      ? [joinPath(cwd, value)]
      : [],
  );
  return [cwd, ...named];
}
