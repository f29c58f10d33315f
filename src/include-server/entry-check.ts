/** Whether the file system still has what a client was told of it. */
import { isDeepStrictEqual } from 'node:util';
import type { TreeEntry } from '../protocol/tree-entry.js';
import type { FileTree } from './file-tree.js';

/** Something of the same kind. A link must have the same target. */
export function isThere<S>(tree: FileTree<S>, entry: TreeEntry): boolean {
  const fact = tree.factAt(entry.path);
  switch (entry.kind) {
    case 'file':
      return fact?.kind === 'file' && fact.isReadable;
    case 'directory':
      return fact?.kind === 'directory';
    case 'symlink':
      return fact?.kind === 'symlink' && fact.target === entry.target;
    case 'absent':
      return fact === undefined || fact.kind === 'absent';
  }
}

/** The very same: of a file, content, mode and time as well. */
export async function isSame<S>(tree: FileTree<S>, entry: TreeEntry): Promise<boolean> {
  if (entry.kind !== 'file') return isThere(tree, entry);
  const fact = tree.factAt(entry.path);
  if (fact?.kind !== 'file' || !fact.isReadable) return false;
  if (!fact.isHashed) await tree.hash([fact]);
  return fact.isHashed && isDeepStrictEqual(fact.entry(), entry);
}
