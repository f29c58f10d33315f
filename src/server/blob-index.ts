/** What the blob store knows of its blobs: sizes, and the order of their use. No side effects. */
import type { Digest } from '../core/digest.js';
import { STORE } from '../core/limits.js';
import type { FileEntry } from '../protocol/tree-entry.js';

/** One blob on disk. */
export interface BlobFacts {
  /** Bytes. */
  readonly size: number;
  /** Inode: another server that shares the directory may have put another file in its place. */
  readonly inode: number;
  /** Its content was seen to have its digest, by this process. */
  readonly isVerified: boolean;
  /** Milliseconds since the epoch of the last use that is noted on disk. */
  readonly usedOnDisk: number;
}

export class BlobIndex {
  /** Least recently used first. */
  readonly #blobs = new Map<Digest, BlobFacts>();
  readonly #holds = new Map<Digest, number>();
  #bytes = 0;

  /** Space on disk, in whole blocks. */
  get bytes(): number {
    return this.#bytes;
  }

  get(digest: Digest): BlobFacts | undefined {
    return this.#blobs.get(digest);
  }

  digests(): IterableIterator<Digest> {
    return this.#blobs.keys();
  }

  /** New or changed facts; makes it the most recently used. */
  set(digest: Digest, facts: BlobFacts): void {
    this.delete(digest);
    this.#blobs.set(digest, facts);
    this.#bytes += blocks(facts.size);
  }

  delete(digest: Digest): void {
    const facts = this.#blobs.get(digest);
    if (facts === undefined) return;
    this.#blobs.delete(digest);
    this.#bytes -= blocks(facts.size);
  }

  /** These are not evicted until the answered function is called. */
  hold(digests: readonly Digest[]): () => void {
    for (const digest of digests) this.#holds.set(digest, (this.#holds.get(digest) ?? 0) + 1);
    let isHeld = true;
    return () => {
      if (isHeld) for (const digest of digests) this.#letGo(digest);
      isHeld = false;
    };
  }

  /** Those to remove so that at most `bytes` remain, least recently used first. */
  *toEvict(bytes: number): Generator<Digest> {
    let remaining = this.#bytes;
    for (const [digest, facts] of this.#blobs) {
      if (remaining <= bytes) return;
      if (this.#holds.has(digest)) continue;
      remaining -= blocks(facts.size);
      yield digest;
    }
  }

  #letGo(digest: Digest): void {
    const holds = this.#holds.get(digest) ?? 0;
    if (holds > 1) this.#holds.set(digest, holds - 1);
    else this.#holds.delete(digest);
  }
}

/** Times and modes of the files that clients were asked for; the oldest are forgotten first. */
export class ExpectedLooks {
  readonly #looks = new Map<Digest, FileEntry>();

  set(entry: FileEntry): void {
    if (this.#looks.has(entry.digest)) return;
    this.#looks.set(entry.digest, entry);
    if (this.#looks.size <= STORE.expectedBlobs) return;
    for (const oldest of this.#looks.keys()) {
      this.#looks.delete(oldest);
      return;
    }
  }

  /** What was set, which is forgotten. */
  take(digest: Digest): FileEntry | undefined {
    const entry = this.#looks.get(digest);
    this.#looks.delete(digest);
    return entry;
  }
}

function blocks(size: number): number {
  return Math.ceil(size / STORE.blockBytes) * STORE.blockBytes;
}
