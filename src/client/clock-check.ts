/** Whether a compile's result depends on when it ran: then only the local one is the right one. */
import type { ByteString } from '../core/byte-string.js';
import type { ClockWord } from '../include-server/scanned-file.js';
import type { TreeEntry } from '../protocol/tree-entry.js';

/**
 * The first file among `read` that asks for the time; undefined when none does. With
 * SOURCE_DATE_EPOCH `__DATE__` and `__TIME__` say that time, wherever they are compiled;
 * `__TIMESTAMP__` is the file's own time in the zone of this host.
 */
export function readsClock(
  words: ReadonlyMap<ByteString, ReadonlySet<ClockWord>>,
  read: readonly TreeEntry[],
  environment: ReadonlyMap<ByteString, ByteString>,
): ByteString | undefined {
  if (words.size === 0) return undefined;
  const isFixed = environment.has('SOURCE_DATE_EPOCH');
  for (const { path } of read) {
    const found = words.get(path);
    if (found === undefined) continue;
    if (!isFixed || found.has('__TIMESTAMP__')) return path;
  }
  return undefined;
}
