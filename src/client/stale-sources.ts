/** Preprocessed sources that nobody removed: their daemon and launcher were killed at once. */
import { DAEMON } from '../core/limits.js';
import type { Clock } from '../platform/clock.js';
import type { Files } from '../platform/files.js';
import type { PathBytes } from '../platform/system-path.js';

/** @param stem path with which the names of all such files begin */
export function removeStaleSources(
  stem: PathBytes,
  files: Pick<Files, 'newestFirst' | 'lstat' | 'remove'>,
  clock: Pick<Clock, 'now'>,
): void {
  const directory = stem.slice(0, stem.lastIndexOf('/'));
  const oldest = clock.now() - DAEMON.staleSource;
  for (const name of files.newestFirst(directory)) {
    const path = `${directory}/${name}`;
    if (!path.startsWith(stem)) continue;
    const facts = files.lstat(path);
    // A daemon that ends may still wait for younger ones.
    if (facts !== undefined && facts.modified < oldest) files.remove(path);
  }
}
