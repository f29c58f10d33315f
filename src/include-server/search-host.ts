/** The real machine for SearchPaths. */
import { fromBytes, toText, type ByteString } from '../core/byte-string.js';
import { ARGUMENTS } from '../core/limits.js';
import { lookAtDirectory, type DirectoryLook } from '../platform/directory-look.js';
import { directoryStamp } from '../platform/file-hash.js';
import { run } from '../platform/process.js';
import type { SearchDeps } from './default-search-path.js';
import type { FileTree } from './file-tree.js';

/**
 * @param tree what is known of directories
 * @param note takes what went wrong, for a log
 */
export function realSearchDeps<S>(tree: FileTree<S>, note: (message: string) => void): SearchDeps {
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
    ...searchedDirectories(tree),
    directoryStamp,
    note,
  };
}

/** Directories of search paths, as the tree knows them. */
export function searchedDirectories<S>(tree: FileTree<S>): Pick<SearchDeps, 'look' | 'refresh'> {
  const look = (path: ByteString): DirectoryLook => {
    const walked = tree.walk(`${path}/`);
    switch (walked.kind) {
      case 'absent':
        return { kind: walked.errno === 'ENOENT' ? 'absent' : 'obstructed' };
      case 'directory': {
        const { dev, ino } = walked.inode;
        // Overlays put more into a number than a double holds, and may be one place in two trees.
        return Number.isSafeInteger(ino)
          ? { kind: 'directory', identity: `${dev}:${ino}` }
          : lookAtDirectory(path);
      }
      case 'file':
      case 'unreadable':
        return { kind: 'obstructed' };
    }
  };
  return { look, refresh: () => tree.startRound() };
}
