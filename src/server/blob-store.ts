/**
 * Contents by digest on the server's disk, for all clients and across restarts:
 *
 *   STORE/blobs-v1/DIGEST              one file each; its access time says when it was used last
 *   STORE/blobs-v1/incoming/SERVER/N   being written by a server (server-directory.ts)
 *
 * A blob appears by rename and never changes. Its file has the time and mode of the first tree
 * entry that wanted it, so that layers are made of hard links to it. Several servers may share the
 * directory: what one believes of a blob is checked against the file that it linked.
 */
import {
  closeSync,
  copyFileSync,
  createReadStream,
  lstatSync,
  renameSync,
  unlinkSync,
  utimesSync,
  type Stats,
} from 'node:fs';
import { copyFile, opendir } from 'node:fs/promises';
import { setImmediate as otherEvents } from 'node:timers/promises';
import { fromText, type ByteString } from '../core/byte-string.js';
import { digestOf, isDigest, type Digest } from '../core/digest.js';
import { describeError, errnoCode } from '../core/errors.js';
import { STORE } from '../core/limits.js';
import { systemPath } from '../platform/system-path.js';
import type { FileEntry } from '../protocol/tree-entry.js';
import { openAdoptable, readAdoptable, type AdoptableFile } from './adoptable-files.js';
import {
  blobStats,
  cut,
  dress,
  hashOf,
  isThere,
  linkOrCopy,
  looksOf,
  unlinkIfThere,
  writeAtOnce,
  writePieces,
  type Looks,
} from './blob-files.js';
import { BlobIndex, ExpectedLooks, type BlobFacts } from './blob-index.js';
import { JobRefused } from './job-refused.js';
import { ServerDirectory } from './server-directory.js';

/** The store does not have a blob (any more); it can be put again. */
export class BlobMissing extends Error {
  override readonly name = 'BlobMissing';
  readonly digest: Digest;

  constructor(digest: Digest, why: string) {
    super(`blob ${digest} ${why}`);
    this.digest = digest;
  }
}

/** Fewer trips through the thread pool. */
const HOW = { bufferSize: 1024 } as const;

export class BlobStore {
  readonly #directory: ByteString;
  readonly #incoming: ServerDirectory;
  readonly #limit: number;
  readonly #log: (line: string) => void;
  readonly #index = new BlobIndex();
  readonly #expected = new ExpectedLooks();
  #lastTemporary = 0;
  /** Higher than the limit while what is above it is held. */
  #evictAbove: number;
  #eviction: Promise<void> | undefined;
  #evicted = 0;

  private constructor(
    directory: string,
    incoming: ServerDirectory,
    limit: number,
    log: (line: string) => void,
  ) {
    this.#directory = fromText(directory);
    this.#incoming = incoming;
    this.#limit = limit;
    this.#evictAbove = limit;
    this.#log = log;
  }

  /**
   * @param store the server's store; blobs are below `blobs-v1` in it
   * @param limitBytes space on disk; what jobs that wait need may exceed it for a while
   * @param log takes a line about leftovers and corrupt blobs
   *
   * Rejects with the system's error when the directory cannot be read and written.
   */
  static async open(
    store: string,
    limitBytes: number,
    log: (line: string) => void,
  ): Promise<BlobStore> {
    const directory = `${store}/blobs-v1`;
    const incoming = await ServerDirectory.open(`${directory}/incoming`, log);
    const blobs = new BlobStore(directory, incoming, limitBytes, log);
    const strangers = await blobs.#scan();
    if (strangers.length > 0) log(`${directory} has foreign names: ${strangers.join(' ')}`);
    await blobs.#makeRoom();
    return blobs;
  }

  /** Removes what is only this server's; blobs stay. */
  async close(): Promise<void> {
    await this.#eviction;
    await this.#incoming.close();
  }

  /** Space that blobs take on disk, as far as this server knows. */
  get bytes(): number {
    return this.#index.bytes;
  }

  /** Contents that made room for others so far. */
  get evicted(): number {
    return this.#evicted;
  }

  has(digest: Digest): boolean {
    return this.#index.get(digest) !== undefined;
  }

  /** Keeps these, there or to come, from eviction until the answered function is called. */
  hold(digests: readonly Digest[]): () => void {
    const letGo = this.#index.hold(digests);
    return () => {
      letGo();
      this.#evictAbove = this.#limit;
    };
  }

  /**
   * Stores a content. Rejects with JobRefused (`source` when it has another digest, `limit` when
   * it is too large) or with the system's error.
   */
  async put(digest: Digest, bytes: Uint8Array): Promise<void> {
    if (bytes.length > STORE.atOnceBytes) return this.putPieces(digest, bytes.length, cut(bytes));
    this.#checkSize(digest, bytes.length);
    if (digestOf(bytes) !== digest) throw otherContent(digest);
    if (this.has(digest)) return;
    this.#writeAtOnce(digest, bytes, looksOf(this.#expected.take(digest)));
    await this.#makeRoom();
  }

  /** As `put`, for content that comes bit by bit; `size` bytes in all are announced. */
  async putPieces(
    digest: Digest,
    size: number,
    pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<void> {
    this.#checkSize(digest, size);
    const temporary = this.#newTemporary();
    try {
      const found = await writePieces(temporary, size, pieces);
      if (found !== digest) throw otherContent(digest);
      dress(temporary, looksOf(this.#expected.take(digest)));
      this.#enter(digest, temporary, true);
    } catch (error) {
      unlinkIfThere(temporary);
      throw error;
    }
    await this.#makeRoom();
  }

  /**
   * Sees to it that the store has the blob of `entry` without the client's help: from another
   * server that shares the directory, or as a copy of the server's own file at the same path. A
   * copy, not a link: the system's file may be written to in place. False when neither has it;
   * the entry's time and mode are remembered then for when the content comes. Rejects with
   * JobRefused (`limit`) when it is too large to keep, or with the system's error.
   */
  async adopt(entry: FileEntry): Promise<boolean> {
    const { digest, path, size } = entry;
    if (this.has(digest) || this.#find(digest)) return true;
    this.#checkSize(digest, size);
    const file = openAdoptable(path, size);
    if (file !== undefined && (await this.#take(file, entry))) return true;
    this.#expected.set(entry);
    return false;
  }

  /**
   * Makes `at`, which must not exist, a file with the blob's content and the entry's time and
   * mode, readable for all: a link to the blob where that looks so, else a copy, which then
   * becomes the blob; with `isOwn` a copy in any case. Rejects with BlobMissing (also when it turns out to be corrupt), with
   * JobRefused when the entry has another size than its content, or with the system's error.
   */
  async place(entry: FileEntry, at: ByteString, isOwn = false): Promise<void> {
    const { digest } = entry;
    const stats = this.#link(digest, at);
    let facts = this.#index.get(digest);
    if (facts?.inode !== stats.ino) facts = factsOf(stats, false);
    if (!facts.isVerified) {
      if ((await hashOf(at, stats.size)) !== digest) {
        unlinkSync(systemPath(at));
        throw this.#lose(digest, 'is corrupt on the disk');
      }
      facts = { ...facts, isVerified: true };
    }
    if (facts.size !== entry.size) {
      unlinkSync(systemPath(at));
      throw new JobRefused('source', `${entry.digest} has ${facts.size} bytes, not ${entry.size}`);
    }
    const now = Date.now();
    if (now - facts.usedOnDisk > STORE.useResolution) {
      utimesSync(systemPath(at), now / 1000, stats.mtimeMs / 1000);
      facts = { ...facts, usedOnDisk: now };
    }
    this.#index.set(digest, facts);
    const looks = looksOf(entry);
    const isAlike = stats.mtimeMs === looks.mtime * 1000 && (stats.mode & 0o7777) === looks.mode;
    if (isOwn || !isAlike) await this.#makeOwn(at, stats.size, looks);
    if (!isOwn && !isAlike) this.#offer(digest, at, true);
  }

  #checkSize(digest: Digest, size: number): void {
    const limit = Math.min(this.#limit, STORE.blobBytes);
    if (size <= limit) return;
    throw new JobRefused(
      'limit',
      `a file of ${size} bytes (${digest}) is more than this server keeps, ${limit}; ` +
        `see tsccd --store-size`,
    );
  }

  #pathOf(digest: Digest): ByteString {
    return `${this.#directory}/${digest}`;
  }

  #newTemporary(): ByteString {
    return `${fromText(this.#incoming.path)}/${++this.#lastTemporary}`;
  }

  #writeAtOnce(digest: Digest, bytes: Uint8Array, looks: Looks): void {
    const temporary = this.#newTemporary();
    try {
      writeAtOnce(temporary, bytes, looks);
      this.#enter(digest, temporary, true);
    } catch (error) {
      unlinkIfThere(temporary);
      throw error;
    }
  }

  /** A finished temporary becomes the blob. */
  #enter(digest: Digest, temporary: ByteString, isVerified: boolean): void {
    const stats = lstatSync(systemPath(temporary));
    renameSync(systemPath(temporary), systemPath(this.#pathOf(digest)));
    this.#index.set(digest, factsOf(stats, isVerified));
  }

  async #take(file: AdoptableFile, entry: FileEntry): Promise<boolean> {
    const { digest, size } = entry;
    if (size <= STORE.atOnceBytes) {
      let bytes;
      try {
        bytes = readAdoptable(file, size);
      } finally {
        closeSync(file.descriptor);
      }
      if (digestOf(bytes) !== digest) return false;
      this.#writeAtOnce(digest, bytes, looksOf(entry));
      await this.#makeRoom();
      return true;
    }
    this.#expected.set(entry);
    const pieces = createReadStream('', { fd: file.descriptor, start: 0, highWaterMark: 1 << 20 });
    try {
      await this.putPieces(digest, size, pieces);
      return true;
    } catch (error) {
      if (error instanceof JobRefused) return false;
      throw error;
    } finally {
      pieces.destroy();
    }
  }

  /** A link to the blob at `at`, and what it is a link to. */
  #link(digest: Digest, at: ByteString): Stats {
    const path = this.#pathOf(digest);
    try {
      if (linkOrCopy(path, at) === 'full') {
        const { ino } = lstatSync(systemPath(path));
        const facts = this.#index.get(digest);
        this.#offer(digest, at, facts?.inode === ino && facts.isVerified);
      }
    } catch (error) {
      if (errnoCode(error) !== 'ENOENT' || isThere(path)) throw error;
      throw this.#lose(digest, 'is gone from the disk');
    }
    return lstatSync(systemPath(at));
  }

  /** Makes `at`, a link to the blob, a copy that looks as wanted. */
  async #makeOwn(at: ByteString, size: number, looks: Looks): Promise<void> {
    const temporary = this.#newTemporary();
    try {
      if (size <= STORE.atOnceBytes) copyFileSync(systemPath(at), systemPath(temporary));
      else await copyFile(systemPath(at), systemPath(temporary));
      dress(temporary, looks);
      renameSync(systemPath(temporary), systemPath(at));
    } catch (error) {
      unlinkIfThere(temporary);
      throw error;
    }
  }

  /** The file `at` becomes the blob. */
  #offer(digest: Digest, at: ByteString, isVerified: boolean): void {
    const temporary = this.#newTemporary();
    if (linkOrCopy(at, temporary) === 'linked') this.#enter(digest, temporary, isVerified);
    else unlinkIfThere(temporary);
  }

  /** Another server may have put it there. */
  #find(digest: Digest): boolean {
    const facts = this.#look(digest);
    if (facts === undefined) return false;
    this.#index.set(digest, facts);
    return true;
  }

  #look(digest: Digest): BlobFacts | undefined {
    const stats = blobStats(this.#pathOf(digest), digest);
    return stats === undefined ? undefined : factsOf(stats, false);
  }

  #lose(digest: Digest, how: string): BlobMissing {
    this.#log(`blob ${digest} ${how}`);
    this.#drop(digest);
    return new BlobMissing(digest, how);
  }

  #drop(digest: Digest): void {
    this.#index.delete(digest);
    try {
      unlinkIfThere(this.#pathOf(digest));
    } catch (error) {
      this.#log(`cannot remove blob ${digest}: ${describeError(error)}`);
    }
  }

  /** Makes the index agree with the directory, which is the truth; answers names of no blobs. */
  async #scan(): Promise<string[]> {
    const found: { digest: Digest; facts: BlobFacts }[] = [];
    const known = [...this.#index.digests()];
    const seen = new Set<Digest>();
    const strangers: string[] = [];
    for await (const { name } of await opendir(systemPath(this.#directory), HOW)) {
      if (!isDigest(name)) {
        if (name !== 'incoming') strangers.push(name);
        continue;
      }
      seen.add(name);
      if (this.has(name)) continue;
      const facts = this.#look(name);
      if (facts !== undefined) found.push({ digest: name, facts });
      else if (isThere(this.#pathOf(name))) this.#lose(name, 'is empty or foreign');
    }
    for (const digest of known) if (!seen.has(digest)) this.#index.delete(digest);
    found.sort((a, b) => a.facts.usedOnDisk - b.facts.usedOnDisk);
    for (const { digest, facts } of found) if (!this.has(digest)) this.#index.set(digest, facts);
    return strangers;
  }

  /** Evicts when the limit is passed; resolves when there is room. */
  async #makeRoom(): Promise<void> {
    if (this.#index.bytes <= this.#evictAbove) return;
    this.#eviction ??= this.#evict().finally(() => (this.#eviction = undefined));
    await this.#eviction;
  }

  async #evict(): Promise<void> {
    // Where servers share the directory, others add and remove as well.
    await this.#scan();
    for (const digest of [...this.#index.toEvict(this.#limit * STORE.evictTo)]) {
      this.#drop(digest);
      if (++this.#evicted % STORE.filesPerSlice === 0) await otherEvents();
    }
    const { bytes } = this.#index;
    const step = this.#limit * (1 - STORE.evictTo);
    this.#evictAbove = bytes > this.#limit ? bytes + step : this.#limit;
  }
}

function factsOf({ size, ino, atimeMs }: Stats, isVerified: boolean): BlobFacts {
  return { size, inode: ino, isVerified, usedOnDisk: atimeMs };
}

function otherContent(digest: Digest): JobRefused {
  return new JobRefused('source', `the content sent for ${digest} does not have that digest`);
}
