/** What is in a file, as the include server's answers tell it, and what the scanner made of it. */
import type { ByteString } from '../core/byte-string.js';
import { digestOf, type Digest } from '../core/digest.js';

/** How a file is read: in an assembler source `#` may begin a comment. */
export type ScanLanguage = 'c' | 'assembler';

export interface FileContent<Scanned> {
  readonly digest: Digest;
  /** Seconds since the epoch, rounded down. */
  readonly mtime: number;
  /** Permission bits. */
  readonly mode: number;
  /** Bytes. */
  readonly size: number;
  /** What the scanner says; scanned when first asked for. */
  scanned(language: ScanLanguage): Scanned;
}

export interface ContentSource<Scanned> {
  scan(bytes: Buffer, language: ScanLanguage): Scanned;
  /** The bytes that are at `path` now, none if it cannot be read any more. */
  readAgain(path: ByteString): Buffer;
}

/** What was read; without `bytes` where there are too many to be kept. */
export interface ReadFile {
  readonly stats: { readonly mtimeMs: number; readonly mode: number; readonly size: number };
  readonly digest: Digest;
  readonly bytes: Buffer | undefined;
}

export class RememberedContent<Scanned> implements FileContent<Scanned> {
  readonly digest: Digest;
  readonly mtime: number;
  readonly mode: number;
  readonly size: number;
  readonly #source: ContentSource<Scanned>;
  readonly #path: ByteString;
  /** Kept until the first scan, which mostly follows at once. */
  #bytes: Buffer | undefined;
  #asC: Scanned | undefined;
  #asAssembler: Scanned | undefined;

  constructor(
    path: ByteString,
    { stats, digest, bytes }: ReadFile,
    source: ContentSource<Scanned>,
    previous: RememberedContent<Scanned> | undefined,
  ) {
    this.digest = digest;
    this.mtime = Math.floor(stats.mtimeMs / 1000);
    this.mode = stats.mode & 0o7777;
    this.size = bytes?.length ?? stats.size;
    this.#path = path;
    this.#source = source;
    this.#bytes = bytes;
    if (previous?.digest !== this.digest) return;
    this.#asC = previous.#asC;
    this.#asAssembler = previous.#asAssembler;
    if (this.#asC !== undefined || this.#asAssembler !== undefined) this.#bytes = undefined;
  }

  /** Whether nobody can tell them apart by anything that was told. */
  equals(other: RememberedContent<Scanned> | undefined): boolean {
    return this.digest === other?.digest && this.mtime === other.mtime && this.mode === other.mode;
  }

  scanned(language: ScanLanguage): Scanned {
    const known = language === 'c' ? this.#asC : this.#asAssembler;
    if (known !== undefined) return known;
    const bytes = this.#bytes ?? this.#source.readAgain(this.#path);
    const scanned = this.#source.scan(bytes, language);
    // They are others by now, as the next catching up finds out: what is said of this digest is
    // not to be remembered from them.
    if (this.#bytes === undefined && digestOf(bytes) !== this.digest) return scanned;
    this.#bytes = undefined;
    if (language === 'c') this.#asC = scanned;
    else this.#asAssembler = scanned;
    return scanned;
  }
}
