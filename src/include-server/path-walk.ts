/** Follows paths as the kernel does, through remembered facts. */
import type { ByteString } from '../core/byte-string.js';
import { INCLUDES } from '../core/limits.js';
import type { DirectoryEntry, SymlinkEntry } from '../protocol/tree-entry.js';
import type { FileFacts } from './file-facts.js';
import type { DirectoryNode, NameFact, TreeFile } from './tree-nodes.js';

/** What a path leads through besides its end. */
export interface Trail {
  /** The directories that were looked into, `/` first. */
  readonly directories: readonly DirectoryEntry[];
  readonly symlinks: readonly SymlinkEntry[];
}

export type Walked<S> =
  | { readonly kind: 'file'; readonly file: TreeFile<S>; readonly trail: Trail }
  /** `path` is its real path. */
  | { readonly kind: 'directory'; readonly path: ByteString; readonly trail: Trail }
  /** `at`: the first part of the way that is not there (ENOENT), or is no directory (ENOTDIR). */
  | { readonly kind: 'absent'; readonly at: ByteString; readonly trail: Trail }
  /** `at`: what may not be read or searched, is a device or the like, or a loop of links. */
  | { readonly kind: 'unreadable'; readonly at: ByteString; readonly trail: Trail };

/** The same, with the node of a directory. */
type Arrival<S> =
  | Exclude<Walked<S>, { kind: 'directory' }>
  | {
      readonly kind: 'directory';
      readonly path: ByteString;
      readonly trail: Trail;
      readonly node: DirectoryNode<S>;
    };

export class PathWalk<S> {
  readonly #facts: FileFacts<S>;
  /** Where the directory parts of paths lead: most walks share theirs with many others. */
  readonly #arrivals = new Map<ByteString, Arrival<S>>();

  constructor(facts: FileFacts<S>) {
    this.#facts = facts;
  }

  /** Some fact has changed. */
  reset(): void {
    this.#arrivals.clear();
  }

  /** @param path absolute */
  walk(path: ByteString): Walked<S> {
    const end = path.indexOf('\0');
    // As any string of the kernel's, it ends at a NUL.
    const whole = end < 0 ? path : path.slice(0, end);
    if (!whole.startsWith('/')) throw new Error(`Internal error: '${path}' is not absolute`);
    const slash = whole.lastIndexOf('/');
    const last = whole.slice(slash + 1);
    if (last === '' || last === '.' || last === '..') return this.#arrive(whole);
    if (whole.length > INCLUDES.pathBytes) return this.#resolve(whole);
    const start = this.#arrive(whole.slice(0, slash + 1));
    if (start.kind !== 'directory') return start;
    return this.#step(start, last) ?? this.#resolve(whole);
  }

  /** What is at a real path itself; undefined when no path leads there without a link. */
  factAt(path: ByteString): NameFact<S> | undefined {
    const slash = path.lastIndexOf('/');
    const start = this.#arrive(path.slice(0, slash + 1));
    if (start.kind !== 'directory' || !start.node.isSearchable) return undefined;
    if (start.path !== (path.slice(0, slash) || '/')) return undefined;
    return this.#facts.lookUp(start.node, path.slice(slash + 1));
  }

  /** The usual end of a walk; undefined when there is more to it. */
  #step(
    { node, trail }: Extract<Arrival<S>, { kind: 'directory' }>,
    name: ByteString,
  ): Walked<S> | undefined {
    if (!node.isSearchable || name.length > INCLUDES.nameBytes) return undefined;
    const fact = this.#facts.lookUp(node, name);
    if (fact?.kind === 'file' && fact.body !== undefined)
      return { kind: 'file', file: fact, trail };
    if (fact?.kind === 'absent') return { kind: 'absent', at: below(node, name), trail };
    return undefined;
  }

  #arrive(path: ByteString): Arrival<S> {
    let arrival = this.#arrivals.get(path);
    if (arrival === undefined) {
      arrival = this.#resolve(path);
      this.#arrivals.set(path, arrival);
    }
    return arrival;
  }

  #resolve(path: ByteString): Arrival<S> {
    const root = this.#facts.root();
    let at = root;
    const directories = new Set([root.entry]);
    const symlinks = new Set<SymlinkEntry>();
    let links = 0;
    const trail = (): Trail => ({ directories: [...directories], symlinks: [...symlinks] });
    const stop = (kind: 'absent' | 'unreadable', where: ByteString): Arrival<S> => ({
      kind,
      at: where,
      trail: trail(),
    });
    if (path.length > INCLUDES.pathBytes) return stop('unreadable', path);
    // What lies ahead, the next component last.
    const ahead = path.split('/').toReversed();
    for (;;) {
      const name = ahead.pop();
      if (name === undefined) {
        return { kind: 'directory', path: at.path, trail: trail(), node: at };
      }
      if (name === '') continue;
      if (!at.isSearchable) return stop('unreadable', at.path);
      if (name === '.') continue;
      if (name === '..') {
        at = at.parent ?? at;
        directories.add(at.entry);
        continue;
      }
      const here = below(at, name);
      if (name.length > INCLUDES.nameBytes) return stop('unreadable', here);
      const fact = this.#facts.lookUp(at, name);
      switch (fact?.kind) {
        case 'absent':
          return stop('absent', here);
        case undefined:
          return stop('unreadable', here);
        case 'special':
          return stop(ahead.length > 0 ? 'absent' : 'unreadable', here);
        case 'file': {
          // Even a slash at the end asks for a directory.
          if (ahead.length > 0) return stop('absent', here);
          if (fact.body === undefined) return stop('unreadable', here);
          return { kind: 'file', file: fact, trail: trail() };
        }
        case 'directory':
          at = fact;
          directories.add(at.entry);
          break;
        case 'symlink':
          if (++links > INCLUDES.symlinks) return stop('unreadable', here);
          symlinks.add(fact);
          if (fact.target.startsWith('/')) at = root;
          ahead.push(...fact.target.split('/').toReversed());
          break;
      }
    }
  }
}

const below = (directory: DirectoryNode<unknown>, name: ByteString): ByteString =>
  directory.path === '/' ? `/${name}` : `${directory.path}/${name}`;
