/** Follows paths as the kernel does, through remembered facts. */
import type { ByteString } from '../core/byte-string.js';
import { INCLUDES } from '../core/include-limits.js';
import type { SymlinkEntry } from '../protocol/tree-entry.js';
import type { Inode } from './file-stamp.js';
import type { DirectoryNode, NameFact, TreeFile } from './tree-nodes.js';

/** What a path leads through besides its end. */
export interface Trail {
  /** The directories that were looked into, `/` first. */
  readonly directories: readonly DirectoryNode<unknown>[];
  readonly symlinks: readonly SymlinkEntry[];
  /** Those of the directories that are above no other, nearly: what all of it rests on. */
  readonly footing: readonly DirectoryNode<unknown>[];
}

export type Walked<S> =
  | { readonly kind: 'file'; readonly file: TreeFile<S>; readonly trail: Trail }
  /** `path` is its real path. */
  | {
      readonly kind: 'directory';
      readonly path: ByteString;
      readonly inode: Inode;
      readonly trail: Trail;
    }
  /** `at`: the first part of the way that is not there, or is no directory. */
  | {
      readonly kind: 'absent';
      readonly at: ByteString;
      readonly errno: 'ENOENT' | 'ENOTDIR';
      readonly trail: Trail;
    }
  /** `at`: what may not be read or searched, is a device or the like, or a loop of links. */
  | { readonly kind: 'unreadable'; readonly at: ByteString; readonly trail: Trail };

/** Where the directory part of a path leads. */
interface Arrival<S> {
  readonly walked: Exclude<Walked<S>, { kind: 'directory' }> | Destination<S>;
  /** The tree's version up to which that was so, and the moment when it was made sure last. */
  version: number;
  moment: number;
}

type Destination<S> = Extract<Walked<S>, { kind: 'directory' }> & {
  readonly node: DirectoryNode<S>;
};

/** What a walk goes through: facts of this round. */
export interface WalkedTree<S> {
  readonly version: number;
  /** Another one in each round, and after each change. */
  readonly moment: number;
  root(): DirectoryNode<S>;
  /** As FileFacts has it, and of this round. */
  lookUp(directory: DirectoryNode<S>, name: ByteString): NameFact<S> | undefined;
  /** Whether nothing that was told of names in them, or above, has changed since a version. */
  isUnchanged(directories: Iterable<DirectoryNode<unknown>>, version: number): boolean;
}

/** A way that changes while it is followed is followed anew so often. */
const TRIES = 8;

export class PathWalk<S> {
  readonly #tree: WalkedTree<S>;
  /** Where the directory parts of paths lead: most walks share theirs with many others. */
  readonly #arrivals = new Map<ByteString, Arrival<S>>();

  constructor(tree: WalkedTree<S>) {
    this.#tree = tree;
  }

  /** Everything was forgotten. */
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
    return this.#tree.lookUp(start.node, path.slice(slash + 1));
  }

  /** The usual end of a walk; undefined when there is more to it. */
  #step({ node, trail }: Destination<S>, name: ByteString): Walked<S> | undefined {
    if (!node.isSearchable || name.length > INCLUDES.nameBytes) return undefined;
    const fact = this.#tree.lookUp(node, name);
    if (fact?.kind === 'file' && fact.body !== undefined)
      return { kind: 'file', file: fact, trail };
    if (fact?.kind === 'absent') {
      return { kind: 'absent', at: below(node, name), errno: 'ENOENT', trail };
    }
    return undefined;
  }

  #arrive(path: ByteString): Arrival<S>['walked'] {
    const known = this.#arrivals.get(path);
    if (known !== undefined) {
      if (known.moment === this.#tree.moment) return known.walked;
      if (this.#tree.isUnchanged(known.walked.trail.footing, known.version)) {
        known.version = this.#tree.version;
        known.moment = this.#tree.moment;
        return known.walked;
      }
    }
    const { version } = this.#tree;
    const walked = this.#resolve(path);
    this.#arrivals.set(path, { walked, version, moment: this.#tree.moment });
    return walked;
  }

  #resolve(path: ByteString): Arrival<S>['walked'] {
    for (let tries = 1; ; tries++) {
      const { version } = this.#tree;
      const walked = this.#follow(path);
      // Else some directory on the way turned out to be another.
      if (version === this.#tree.version || tries === TRIES) return walked;
    }
  }

  #follow(path: ByteString): Arrival<S>['walked'] {
    const root = this.#tree.root();
    let at = root;
    const directories = new Set<DirectoryNode<unknown>>([root]);
    const symlinks = new Set<SymlinkEntry>();
    let links = 0;
    const trail = (): Trail => {
      const all = [...directories];
      const footing = all.filter((directory, index) => all[index + 1]?.parent !== directory);
      return { directories: all, symlinks: [...symlinks], footing };
    };
    const stop = (where: ByteString): Walked<S> & { kind: 'unreadable' } => ({
      kind: 'unreadable',
      at: where,
      trail: trail(),
    });
    const absent = (
      where: ByteString,
      errno: 'ENOENT' | 'ENOTDIR',
    ): Walked<S> & { kind: 'absent' } => ({ kind: 'absent', at: where, errno, trail: trail() });
    if (path.length > INCLUDES.pathBytes) return stop(path);
    // What lies ahead, the next component last.
    const ahead = path.split('/').toReversed();
    for (;;) {
      const name = ahead.pop();
      if (name === undefined) {
        return { kind: 'directory', path: at.path, inode: at.stamp, trail: trail(), node: at };
      }
      if (name === '') continue;
      if (!at.isSearchable) return stop(at.path);
      if (name === '.') continue;
      if (name === '..') {
        at = at.parent ?? at;
        directories.add(at);
        continue;
      }
      const here = below(at, name);
      if (name.length > INCLUDES.nameBytes) return stop(here);
      const fact = this.#tree.lookUp(at, name);
      switch (fact?.kind) {
        case 'absent':
          return absent(here, 'ENOENT');
        case undefined:
          return stop(here);
        case 'special':
          return ahead.length > 0 ? absent(here, 'ENOTDIR') : stop(here);
        case 'file': {
          // Even a slash at the end asks for a directory.
          if (ahead.length > 0) return absent(here, 'ENOTDIR');
          if (fact.body === undefined) return stop(here);
          return { kind: 'file', file: fact, trail: trail() };
        }
        case 'directory':
          at = fact;
          directories.add(at);
          break;
        case 'symlink':
          if (++links > INCLUDES.symlinks) return stop(here);
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
