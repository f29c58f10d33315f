/**
 * The contents that one client's tree needs: adopted from this host where it has them, else asked
 * of the client, each once while it is under way.
 */
import { setImmediate as otherEvents } from 'node:timers/promises';
import type { Digest } from '../core/digest.js';
import { describeError } from '../core/errors.js';
import { SERVER, STORE } from '../core/limits.js';
import type { Clock } from '../platform/clock.js';
import type { FileEntry } from '../protocol/tree-entry.js';
import { JobRefused } from './job-refused.js';

/** The blob store, as far as trees see it. */
export interface Blobs {
  has(digest: Digest): boolean;
  hold(digests: readonly Digest[]): () => void;
  adopt(entry: FileEntry): Promise<boolean>;
}

/** The job whose turn it is waits for these. */
interface Waiter {
  readonly missing: Set<Digest>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class TreeBlobs {
  readonly #blobs: Blobs;
  readonly #ask: (digests: readonly Digest[]) => void;
  readonly #clock: Clock;
  readonly #underWay = new Set<Digest>();
  /** Contents that cannot be had, and what jobs that need them are told. */
  readonly #gone = new Map<Digest, JobRefused>();
  #toAdopt: FileEntry[] = [];
  #isAdopting = false;
  #isClosed = false;
  #waiter: Waiter | undefined;

  /** @param ask tells the client that these are missing */
  constructor(blobs: Blobs, ask: (digests: readonly Digest[]) => void, clock: Clock) {
    this.#blobs = blobs;
    this.#ask = ask;
    this.#clock = clock;
  }

  /** Begins to get what is not there and not under way. */
  want(entries: Iterable<FileEntry>): void {
    for (const entry of entries) {
      const { digest } = entry;
      if (this.#underWay.has(digest) || this.#blobs.has(digest)) continue;
      this.#gone.delete(digest);
      this.#underWay.add(digest);
      this.#toAdopt.push(entry);
    }
    if (!this.#isAdopting && this.#toAdopt.length > 0) void this.#adopt();
  }

  arrived(digest: Digest): void {
    this.#underWay.delete(digest);
    this.#gone.delete(digest);
    const waiter = this.#waiter;
    if (waiter?.missing.delete(digest) === true && waiter.missing.size === 0) waiter.resolve();
  }

  /** The client has these no more: it will have to look again at what its jobs need. */
  gone(digests: readonly Digest[]): void {
    for (const digest of digests) {
      this.#cannotHave(digest, refusal('missing', digest, 'is not there any more'));
    }
  }

  /** @param why rest of a sentence that begins with the file */
  lost(digest: Digest, why: string): void {
    this.#cannotHave(digest, refusal('failed', digest, why));
  }

  /**
   * Resolves when the store has all of these, which the caller holds there. Rejects with
   * JobRefused. One call at a time.
   */
  async present(entries: readonly FileEntry[], signal: AbortSignal): Promise<void> {
    const missing = new Map<Digest, FileEntry>();
    for (const entry of entries) {
      const { digest } = entry;
      if (this.#blobs.has(digest)) continue;
      const why = this.#gone.get(digest);
      if (why !== undefined) throw why;
      missing.set(digest, entry);
    }
    if (missing.size === 0) return;
    if (this.#isClosed) throw new JobRefused('failed', 'the client is gone');
    const abort = () => this.#waiter?.reject(new JobRefused('failed', 'the job was cancelled'));
    const late = this.#clock.after(SERVER.contentsUpload, () => this.#waiter?.reject(tooLate()));
    signal.addEventListener('abort', abort);
    try {
      await new Promise<void>((resolve, reject) => {
        this.#waiter = { missing: new Set(missing.keys()), resolve, reject };
        if (signal.aborted) abort();
        this.want(missing.values());
      });
    } finally {
      late.cancel();
      signal.removeEventListener('abort', abort);
      this.#waiter = undefined;
    }
  }

  /** Nothing more comes. */
  close(): void {
    this.#isClosed = true;
    this.#toAdopt = [];
    this.#waiter?.reject(new JobRefused('failed', 'the client is gone'));
  }

  #cannotHave(digest: Digest, why: JobRefused): void {
    this.#underWay.delete(digest);
    this.#gone.set(digest, why);
    if (this.#waiter?.missing.has(digest) === true) this.#waiter.reject(why);
  }

  async #adopt(): Promise<void> {
    this.#isAdopting = true;
    // Whoever adds entries adds some more in the same turn.
    await otherEvents();
    while (this.#toAdopt.length > 0) {
      const slice = this.#toAdopt.splice(0, STORE.filesPerSlice);
      const missing: Digest[] = [];
      for (const entry of slice) if (!(await this.#isAdopted(entry))) missing.push(entry.digest);
      if (missing.length > 0 && !this.#isClosed) this.#ask(missing);
      await otherEvents();
    }
    this.#isAdopting = false;
  }

  /** True when the client need not be asked. */
  async #isAdopted(entry: FileEntry): Promise<boolean> {
    try {
      if (!(await this.#blobs.adopt(entry))) return false;
      this.arrived(entry.digest);
    } catch (error) {
      this.lost(entry.digest, `cannot be stored: ${describeError(error)}`);
    }
    return true;
  }
}

function tooLate(): JobRefused {
  const seconds = SERVER.contentsUpload / 1000;
  return new JobRefused('limit', `not all files that it needs arrived within ${seconds} s`);
}

function refusal(code: 'missing' | 'failed', digest: Digest, why: string): JobRefused {
  return new JobRefused(code, `a file that the compile needs (${digest}) ${why}`);
}
