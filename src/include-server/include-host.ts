/** The real machine for an IncludeServer. */
import type { Clock } from '../platform/clock.js';
import type { PipedProcess } from '../platform/piped-process.js';
import { realTreeFiles } from '../platform/tree-files.js';
import { scan } from './directive-scanner.js';
import { FileTree } from './file-tree.js';
import { HeaderNews, type HeaderNewsSink } from './header-news.js';
import { IncludeServer } from './include-server.js';
import type { ScannedFile } from './scanned-file.js';
import { realSearchDeps } from './search-host.js';
import { SearchPaths } from './search-path.js';

export interface RealIncludeServer {
  readonly server: IncludeServer;
  readonly tree: FileTree<ScannedFile>;
  /** Resolves when its watcher is gone. */
  close(): Promise<void>;
}

/**
 * @param startWatch starts tscc-watch; undefined: files are looked at each time
 * @param sink is told of headers that come and change; undefined: nobody is
 * @param note takes what went wrong, or slow, for a log
 */
export function realIncludeServer(
  clock: Clock,
  startWatch: (() => PipedProcess) | undefined,
  note: (message: string) => void,
  sink?: HeaderNewsSink,
): RealIncludeServer {
  const tree = new FileTree<ScannedFile>({
    files: realTreeFiles,
    clock,
    startWatch,
    scan,
    ...(sink === undefined ? {} : { news: new HeaderNews<ScannedFile>(clock, sink) }),
    onDegraded: (why) => note(`include server: ${JSON.stringify(why)}`),
  });
  const server = new IncludeServer(tree, new SearchPaths(realSearchDeps(tree, note)));
  return { server, tree, close: () => tree.close() };
}
