/**
 * Contents of files that servers ask for by digest. They are read again when asked for, since only
 * the first server that lacks one makes that necessary; what was compressed is kept a while for
 * the other servers.
 */
import type { ByteString } from '../core/byte-string.js';
import { digestOf, type Digest } from '../core/digest.js';
import { PUMP } from '../core/limits.js';
import { expandsTooFar } from '../protocol/expansion.js';
import type { FileEntry } from '../protocol/tree-entry.js';
import type { Encoding } from '../protocol/plain-messages.js';

export interface Blob {
  readonly digest: Digest;
  /** Size when decoded. */
  readonly bytes: number;
  readonly encoding: Encoding;
  readonly encoded: Uint8Array;
}

export interface BlobSourceDeps {
  /** Rejects with the system's error. */
  readonly readBytes: (path: ByteString) => Promise<Uint8Array>;
  readonly compress: (bytes: Uint8Array) => Promise<Uint8Array>;
}

export class BlobSource {
  readonly #deps: BlobSourceDeps;
  /** The one used last comes last. */
  readonly #kept = new Map<Digest, Promise<Blob | undefined>>();
  /** Bytes of those that are made. */
  readonly #sizes = new Map<Digest, number>();
  #keptBytes = 0;

  constructor(deps: BlobSourceDeps) {
    this.#deps = deps;
  }

  /** Undefined: the file is not what it was. Servers that ask at once share the work. */
  blobOf(entry: FileEntry): Promise<Blob | undefined> {
    const kept = this.#kept.get(entry.digest);
    if (kept !== undefined) {
      this.#kept.delete(entry.digest);
      this.#kept.set(entry.digest, kept);
      return kept;
    }
    const blob = this.#make(entry);
    this.#kept.set(entry.digest, blob);
    void blob.then((made) => this.#account(entry.digest, made));
    return blob;
  }

  async #make({ path, digest }: FileEntry): Promise<Blob | undefined> {
    let bytes: Uint8Array;
    try {
      bytes = await this.#deps.readBytes(path);
    } catch {
      // Gone or unreadable by now: as good as changed, and the server is told so.
      return undefined;
    }
    if (digestOf(bytes) !== digest) return undefined;
    return encode(digest, bytes, this.#deps.compress);
  }

  #account(digest: Digest, blob: Blob | undefined): void {
    if (blob === undefined) {
      // It may be there again, at another path or as it was.
      this.#kept.delete(digest);
      return;
    }
    this.#sizes.set(digest, blob.encoded.length);
    this.#keptBytes += blob.encoded.length;
    for (const oldest of this.#kept.keys()) {
      if (this.#keptBytes <= PUMP.keptBlobBytes) return;
      const size = this.#sizes.get(oldest);
      // One that is being made has no size yet, and is wanted.
      if (size === undefined) continue;
      this.#kept.delete(oldest);
      this.#sizes.delete(oldest);
      this.#keptBytes -= size;
    }
  }
}

/** Compressed where that gains something: contents cross the wire once, and mostly are text. */
export async function encode(
  digest: Digest,
  bytes: Uint8Array,
  compress: (bytes: Uint8Array) => Promise<Uint8Array>,
): Promise<Blob> {
  const compressed = await compress(bytes);
  const isWorthwhile =
    compressed.length < bytes.length && !expandsTooFar(bytes.length, compressed.length);
  return isWorthwhile
    ? { digest, bytes: bytes.length, encoding: 'brotli', encoded: compressed }
    : { digest, bytes: bytes.length, encoding: 'none', encoded: bytes };
}
