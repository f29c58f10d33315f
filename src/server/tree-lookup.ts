/** Where a path leads in a closure, symbolic links followed as the kernel does. Pure. */
import { baseName, directoryName, type ByteString } from '../core/byte-string.js';
import type { Digest } from '../core/digest.js';
import { INCLUDES } from '../core/include-limits.js';
import type { TreeEntry } from '../protocol/tree-entry.js';

const DOTS = /\/(?:\.\/)+/g;

export class TreeLookup {
  readonly #entryOf: (number: number) => TreeEntry | undefined;
  readonly #closure: readonly number[];
  #numbers: Map<ByteString, number> | undefined;
  #directories: Set<ByteString> | undefined;
  /** Directories as they were asked for → real ones: few for many files. */
  readonly #realDirectories = new Map<ByteString, ByteString | undefined>();

  /** @param closure numbers for which `entryOf` has an entry */
  constructor(closure: readonly number[], entryOf: (number: number) => TreeEntry | undefined) {
    this.#closure = closure;
    this.#entryOf = entryOf;
  }

  /** Number of the file that an absolute path leads to; undefined when it leads to none. */
  fileAt(path: ByteString): number | undefined {
    if (!path.startsWith('/')) return undefined;
    // Most paths are real ones already, or would be without `.`: what is below it is below them.
    const file = this.#fileAt(path.includes('/./') ? path.replaceAll(DOTS, '/') : path);
    if (file !== undefined) return file;
    const name = baseName(path);
    if (name === '' || name === '.' || name === '..') return undefined;
    const directory = this.#realDirectory(directoryName(path));
    if (directory === undefined) return undefined;
    const at = `${directory}/${name}`;
    if (this.#entryAt(at)?.kind !== 'symlink') return this.#fileAt(at);
    const real = this.#realPath(at);
    return real === undefined ? undefined : this.#fileAt(real);
  }

  /** Whether an absolute path leads to the file at `real`, which the closure need not have. */
  leadsTo(path: ByteString, real: ByteString): boolean {
    if (path === real) return true;
    this.#directories ??= this.#allDirectories();
    addAbove(this.#directories, directoryName(real));
    return this.#realPath(path) === real;
  }

  /** Content of the file that is at a real path; undefined when none is. */
  digestAt(path: ByteString): Digest | undefined {
    const entry = this.#entryAt(path);
    return entry?.kind === 'file' ? entry.digest : undefined;
  }

  #realDirectory(path: ByteString): ByteString | undefined {
    if (this.#realDirectories.has(path)) return this.#realDirectories.get(path);
    const real = this.#realPath(path);
    const directory = real !== undefined && this.#isDirectory(real) ? real : undefined;
    this.#realDirectories.set(path, directory);
    return directory;
  }

  /** Empty for the root directory; undefined when a directory on the way is none. */
  #realPath(path: ByteString): ByteString | undefined {
    let links = 0;
    let at = '';
    const ahead = path.split('/').toReversed();
    for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
      if (!this.#isDirectory(at)) return undefined;
      if (name === '' || name === '.') continue;
      if (name === '..') {
        at = at.slice(0, Math.max(0, at.lastIndexOf('/')));
        continue;
      }
      const next = `${at}/${name}`;
      const entry = this.#entryAt(next);
      if (entry?.kind !== 'symlink') {
        at = next;
        continue;
      }
      if (++links > INCLUDES.symlinks) return undefined;
      if (entry.target.startsWith('/')) at = '';
      ahead.push(...entry.target.split('/').toReversed());
    }
    return at;
  }

  #fileAt(path: ByteString): number | undefined {
    return this.#entryAt(path)?.kind === 'file' ? this.#allNumbers().get(path) : undefined;
  }

  #entryAt(path: ByteString): TreeEntry | undefined {
    const number = this.#allNumbers().get(path);
    return number === undefined ? undefined : this.#entryOf(number);
  }

  #allNumbers(): Map<ByteString, number> {
    if (this.#numbers === undefined) {
      this.#numbers = new Map();
      for (const number of this.#closure) {
        const entry = this.#entryOf(number);
        if (entry !== undefined) this.#numbers.set(entry.path, number);
      }
    }
    return this.#numbers;
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
      addAbove(all, entry.kind === 'directory' ? entry.path : directoryName(entry.path));
    }
    return all;
  }
}

/** A directory and those above it. */
function addAbove(all: Set<ByteString>, directory: ByteString): void {
  let path = directory;
  for (; path !== '/' && !all.has(path); path = directoryName(path)) all.add(path);
}
