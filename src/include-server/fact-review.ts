/** Looks again at facts that are doubted, or that nobody vouches for, and corrects them. */
import { joinPath, type ByteString } from '../core/byte-string.js';
import { INCLUDES } from '../core/include-limits.js';
import type { TreeFiles } from '../platform/tree-files.js';
import { isMissing, type FileFacts } from './file-facts.js';
import type { HeaderChange } from './header-news.js';
import { isSameInode, isUnchanged, stampOf, type StampStats } from './file-stamp.js';
import {
  UNASKED,
  type DirectoryNode,
  type FileNode,
  type NameFact,
  type TreeNode,
} from './tree-nodes.js';
import type { Vouchers } from './vouchers.js';

/** What is not as somebody was told: names in a directory, the content of files, or whatever. */
export type Changed<S> = DirectoryNode<S> | 'content' | 'everything';

export class FactReview<S> {
  readonly #files: TreeFiles;
  readonly #facts: FileFacts<S>;
  readonly #vouchers: Vouchers<S>;
  readonly #onChange: (what: Changed<S>) => void;
  readonly #onNews: (change: HeaderChange, directory: ByteString, name: ByteString) => void;
  /** Taken before anything is looked at: what is younger than that is doubtful. */
  #now = 0;

  constructor(
    files: TreeFiles,
    facts: FileFacts<S>,
    vouchers: Vouchers<S>,
    onChange: (what: Changed<S>) => void,
    onNews: (change: HeaderChange, directory: ByteString, name: ByteString) => void,
  ) {
    this.#files = files;
    this.#facts = facts;
    this.#vouchers = vouchers;
    this.#onChange = onChange;
    this.#onNews = onNews;
  }

  /**
   * Begins a round: looks at what something was told about. All that is not vouched for is to be
   * looked at, by `refresh`, before it is used.
   */
  begin(): void {
    this.#now = this.#files.now();
    this.#facts.beginRound();
    for (const directory of this.#facts.takeUnsure()) this.#onChange(directory);
    const { count, bytes } = this.#facts;
    if (count > INCLUDES.rememberedNodes || bytes > INCLUDES.rememberedBytes) this.#forgetAll();
    const { suspects, confirming, touched } = this.#vouchers;
    this.#reviewAll(new Set([...confirming, ...suspects]));
    for (const directory of touched) {
      for (const name of directory.doubtfulNames) this.#reviewName(directory, name);
      directory.doubtfulNames.clear();
    }
    touched.clear();
  }

  /** Looks at everything that is not vouched for. */
  refreshAll(): void {
    this.#reviewAll(this.#vouchers.unvouched);
  }

  /** Makes sure that what is known of it was so at some moment of this round. */
  refresh(node: TreeNode<S>): void {
    if (!this.#facts.isFresh(node)) this.#reviewNode(node);
  }

  #reviewAll(nodes: ReadonlySet<TreeNode<S>>): void {
    const [directories, files]: [DirectoryNode<S>[], FileNode<S>[]] = [[], []];
    for (const node of nodes) {
      if (node.kind === 'directory') directories.push(node);
      else files.push(node);
    }
    // Directories first: a file that is replaced after its directory was looked at is then found
    // by the directory's next change of stamp.
    for (const node of directories) this.#reviewNode(node);
    for (const node of files) this.#reviewNode(node);
  }

  #reviewNode(node: TreeNode<S>): void {
    if (node.vouching === 'forgotten') return;
    this.#facts.setSeen(node);
    if (node.kind === 'directory') this.#reviewDirectory(node);
    else this.#reviewFile(node);
    this.#vouchers.confirm(node);
  }

  #reviewFile(node: FileNode<S>): void {
    const seen = node.isLocal ? this.#files.lstat(node.path) : this.#files.statOpened(node.path);
    if (typeof seen === 'string' || !seen.isFile()) this.#reviewName(node.parent, node.name);
    else if (!this.#isStillFile(node, seen)) this.#drop(node.parent, node.name);
  }

  #reviewDirectory(node: DirectoryNode<S>): void {
    const seen = this.#files.lstat(node.path);
    if (typeof seen === 'string' || !seen.isDirectory() || !isSameInode(node.stamp, seen)) {
      if (node.parent === undefined) this.#forgetAll();
      else this.#reviewName(node.parent, node.name);
      return;
    }
    if (isUnchanged(node.stamp, seen)) return;
    node.stamp = stampOf(seen, this.#now, node.isLocal);
    const isSearchable = this.#files.maySearch(node.path);
    if (isSearchable !== node.isSearchable) this.#onChange(node);
    node.isSearchable = isSearchable;
    this.#reviewNames(node);
    node.doubtfulNames.clear();
  }

  #reviewNames(directory: DirectoryNode<S>): void {
    const listing = directory.isListed ? this.#files.list(directory.path) : 'ENOENT';
    const listed = typeof listing === 'string' ? undefined : new Set(listing);
    directory.isListed = listed !== undefined;
    for (const [name, fact] of [...directory.names]) {
      if (fact.kind === 'unasked') {
        if (listed?.has(name) !== true) directory.names.delete(name);
      } else if (fact.kind === 'absent' && listed?.has(name) === false) {
        continue;
      } else if (
        (fact.kind !== 'file' && fact.kind !== 'directory') ||
        // Else its own turn comes, when somebody asks for it.
        fact.vouching === 'vouched'
      ) {
        this.#reviewName(directory, name);
      }
    }
    for (const name of listed ?? []) {
      if (!directory.names.has(name)) directory.names.set(name, UNASKED);
    }
  }

  #reviewName(directory: DirectoryNode<S>, name: ByteString): void {
    const fact = directory.names.get(name);
    if (fact === undefined || fact.kind === 'unasked') return;
    if (this.#isStill(fact, joinPath(directory.path, name))) return;
    this.#drop(directory, name);
    if (fact.kind === 'absent') this.#onNews('created', directory.path, name);
    if (fact.kind === 'file') this.#onNews('changed', directory.path, name);
  }

  #isStill(fact: NameFact<S>, path: ByteString): boolean {
    const seen = this.#files.lstat(path);
    if (typeof seen === 'string') return fact.kind === 'absent' && isMissing(seen);
    switch (fact.kind) {
      case 'absent':
        return false;
      case 'file':
        return seen.isFile() && this.#isStillFile(fact, seen);
      case 'directory':
        return seen.isDirectory() && isSameInode(fact.stamp, seen);
      case 'symlink':
        return seen.isSymbolicLink() && this.#files.readLink(path) === fact.target;
      case 'special':
        return !seen.isFile() && !seen.isDirectory() && !seen.isSymbolicLink();
    }
  }

  #isStillFile(node: FileNode<S>, seen: StampStats): boolean {
    if (isUnchanged(node.stamp, seen)) return true;
    const { stamp: before, isReadable: wasReadable } = node;
    const outcome = this.#facts.read(node, seen, this.#now);
    if (outcome === 'other') return false;
    if (outcome === 'changed') {
      this.#onNews('changed', node.parent.path, node.name);
      this.#onChange(node.isReadable === wasReadable ? 'content' : node.parent);
    }
    if (!isSameInode(before, node.stamp)) this.#vouchers.renew(node);
    return true;
  }

  #drop(directory: DirectoryNode<S>, name: ByteString): void {
    this.#facts.forget(directory, name);
    this.#onChange(directory);
  }

  #forgetAll(): void {
    this.#facts.forgetAll();
    this.#onChange('everything');
  }
}
