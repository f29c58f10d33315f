/** Where a path leads in a closure, symbolic links followed as the kernel does. Pure. */
import { directoryName, type ByteString } from '../core/byte-string.js';
import { INCLUDES } from '../core/limits.js';
import type { TreeEntry } from '../protocol/tree-entry.js';

export class TreeLookup {
  readonly #entryOf: (number: number) => TreeEntry | undefined;
  readonly #closure: readonly number[];
  #numbers: Map<ByteString, number> | undefined;
  #directories: Set<ByteString> | undefined;

  constructor(closure: readonly number[], entryOf: (number: number) => TreeEntry | undefined) {
    this.#closure = closure;
    this.#entryOf = entryOf;
  }

  /** Number of the file that an absolute path leads to; undefined when it leads to none. */
  fileAt(path: ByteString): number | undefined {
    if (!path.startsWith('/')) return undefined;
    // Nearly all paths are real ones already.
    const number = this.#numberOf(path);
    const kind = number === undefined ? undefined : this.#entryOf(number)?.kind;
    if (kind === 'file') return number;
    if (kind === 'directory') return undefined;
    return this.#walk(path);
  }

  #walk(path: ByteString): number | undefined {
    let links = 0;
    let at = '';
    const ahead = path.split('/').toReversed();
    // Empty where it ends with a slash: then only a directory will do.
    for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
      if (!this.#isDirectory(at)) return undefined;
      if (name === '' || name === '.') continue;
      if (name === '..') {
        at = at.slice(0, Math.max(0, at.lastIndexOf('/')));
        continue;
      }
      const next = `${at}/${name}`;
      const number = this.#numberOf(next);
      const entry = number === undefined ? undefined : this.#entryOf(number);
      if (entry?.kind === 'file' && ahead.length === 0) return number;
      if (entry?.kind !== 'symlink') {
        at = next;
        continue;
      }
      if (++links > INCLUDES.symlinks) return undefined;
      if (entry.target.startsWith('/')) at = '';
      ahead.push(...entry.target.split('/').toReversed());
    }
    return undefined;
  }

  #numberOf(path: ByteString): number | undefined {
    if (this.#numbers === undefined) {
      this.#numbers = new Map();
      for (const number of this.#closure) {
        const entry = this.#entryOf(number);
        if (entry !== undefined) this.#numbers.set(entry.path, number);
      }
    }
    return this.#numbers.get(path);
  }

  #isDirectory(path: ByteString): boolean {
    this.#directories ??= this.#allDirectories();
    return path === '' || this.#directories.has(path);
  }

  #allDirectories(): Set<ByteString> {
    const all = new Set<ByteString>();
    for (const number of this.#closure) {
      const entry = this.#entryOf(number);
      if (entry === undefined) continue;
      let path = entry.kind === 'directory' ? entry.path : directoryName(entry.path);
      for (; path !== '/' && !all.has(path); path = directoryName(path)) all.add(path);
    }
    return all;
  }
}
