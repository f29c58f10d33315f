/**
 * What one connection has told its server for pump mode: tree entries and options by number, and
 * the contents that the server asks for. Everything is told once; a job names it by number.
 *
 *   job ──▶ ENTRIES, OPTIONS (what is new) ──▶ PUMP-JOB, CHUNKs of the source
 *   MISSING ──▶ BLOBS, CHUNKs   or   GONE
 */
import type { ByteString } from '../core/byte-string.js';
import type { Digest } from '../core/digest.js';
import { PUMP } from '../core/limits.js';
import { packNumbers, unpackNumbers } from '../protocol/number-runs.js';
import type { PeerConnection } from '../protocol/peer-connection.js';
import type { WireOption } from '../protocol/plain-messages.js';
import type { PumpResult } from '../protocol/pump-messages.js';
import type { FileEntry, TreeEntry } from '../protocol/tree-entry.js';
import { encode, type Blob, type BlobSource } from './blob-source.js';
import type { Sending } from './link-jobs.js';
import { RemoteFailure, type FilesRead, type HeaderRecipe, type PumpedJob } from './remote-job.js';

/** The file system as the include server knows it. */
export interface World {
  /** Grows whenever something known may have changed. */
  readonly version: number;
  /** Whether there is still something of that kind at that path. */
  stillThere(entry: TreeEntry): boolean;
}

export interface PumpShippingContext {
  readonly world: World;
  readonly blobs: BlobSource;
  readonly compress: (bytes: Uint8Array) => Promise<Uint8Array>;
  /** Whether outputs shall come back compressed: the host's list says so. */
  readonly compressed: boolean;
  /** The next number for a job or an upload. */
  readonly nextNumber: () => number;
  /** Contents have gone out. */
  readonly onUpload: (blobs: number, bytes: number, encodedBytes: number) => void;
}

export class PumpShipping {
  readonly #connection: PeerConnection;
  readonly #context: PumpShippingContext;
  /** Of those that hold: one that another takes the place of must be said again. */
  readonly #numbers = new Map<TreeEntry, number>();
  /** By number; the first one is 1. */
  readonly #entries: (TreeEntry | undefined)[] = [undefined];
  /** The newest entry of each path: the one that holds. */
  readonly #newest = new Map<ByteString, TreeEntry>();
  /** A file with these bytes, for when the server asks. */
  readonly #files = new Map<Digest, FileEntry>();
  readonly #options = new Map<string, number>();
  /** Precompiled headers by all that was said of them. */
  readonly #headers = new Map<string, number>();
  #version = -1;

  constructor(connection: PeerConnection, context: PumpShippingContext) {
    this.#connection = connection;
    this.#context = context;
  }

  /**
   * Sends a job. Nothing is awaited between what it rests on and the job itself, so that a server
   * sees a client's tree as it was for this very job. Rejects with RemoteFailure `closure-stale`
   * where something of the closure has gone since it was made.
   */
  async send(begin: () => number, job: PumpedJob, sending: Sending): Promise<void> {
    const { source, command } = job;
    const blob = await encode(source.digest, source.bytes, this.#context.compress);
    if (sending.aborted) return;
    const before = this.#connection.sentBytes;
    const closure = this.#tellAll(job);
    if (closure === undefined) {
      throw new RemoteFailure('stale', 'something of the closure is gone');
    }
    const precompiled = job.precompiled.map((recipe) => this.#tellHeader(recipe));
    const number = begin();
    this.#connection.send({
      kind: 'pump-job',
      job: number,
      family: command.family,
      program: job.program,
      argv0: job.argv0,
      cwd: job.cwd,
      environment: job.environment,
      options: packNumbers(this.#tellOptions(command.options)),
      closure: packNumbers(closure),
      precompiled: packNumbers(precompiled.toSorted((a, b) => a - b)),
      language: command.language,
      stage: command.stage,
      terminal: job.terminal,
      source: command.source,
      output: command.output,
      outputs: job.outputs,
      dependencyFile: job.dependencyFile ?? null,
      answerEncoding: this.#context.compressed ? 'brotli' : 'none',
      sourcePath: source.path,
      sourceTime: source.mtime,
      sourceMode: source.mode,
      sourceBytes: source.bytes.length,
      sourceDigest: source.digest,
      sourceEncoding: blob.encoding,
      encodedBytes: blob.encoded.length,
    });
    sending.bytes = this.#connection.sentBytes - before + blob.encoded.length;
    await this.#connection.sendContent(number, [blob.encoded], sending);
  }

  /** Tells entries before a job needs them, so that their contents are there when it comes. */
  announce(entries: readonly TreeEntry[]): void {
    this.#tell(entries);
  }

  /** What a result says of the files that were read. Throws MalformedFrame. */
  filesRead({ dependencies, uncovered }: PumpResult): FilesRead | undefined {
    if (dependencies === null) return undefined;
    const count = this.#entries.length;
    const entries: TreeEntry[] = [];
    for (const number of unpackNumbers(dependencies, count, count)) {
      const entry = this.#entries[number];
      if (entry !== undefined) entries.push(entry);
    }
    return { entries, uncovered };
  }

  /** Uploads what the server asks for, in several uploads if it is much. */
  async upload(digests: readonly Digest[]): Promise<void> {
    const gone: Digest[] = [];
    let batch: Blob[] = [];
    let bytes = 0;
    for (const digest of digests) {
      const blob = await this.#blobOf(digest);
      if (blob === undefined) {
        gone.push(digest);
        continue;
      }
      batch.push(blob);
      bytes += blob.encoded.length;
      if (bytes < PUMP.uploadBytes && batch.length < PUMP.uploadBlobs) continue;
      await this.#send(batch);
      batch = [];
      bytes = 0;
    }
    if (batch.length > 0) await this.#send(batch);
    if (gone.length > 0) this.#connection.send({ kind: 'gone', digests: gone });
  }

  /** By whichever file still has it. */
  async #blobOf(digest: Digest): Promise<Blob | undefined> {
    const latest = this.#files.get(digest);
    const blob = latest && (await this.#context.blobs.blobOf(latest));
    if (blob !== undefined || latest === undefined) return blob;
    for (const entry of [...this.#newest.values()]) {
      if (entry.kind !== 'file' || entry.digest !== digest || entry === latest) continue;
      const other = await this.#context.blobs.blobOf(entry);
      if (other !== undefined) return other;
    }
    return undefined;
  }

  async #send(batch: readonly Blob[]): Promise<void> {
    const number = this.#context.nextNumber();
    this.#connection.send({
      kind: 'blobs',
      job: number,
      blobs: batch.map(({ digest, bytes, encoding, encoded }) => ({
        digest,
        bytes,
        encoding,
        encodedBytes: encoded.length,
      })),
    });
    await this.#connection.sendContent(
      number,
      batch.map(({ encoded }) => encoded),
    );
    const sum = (of: (blob: Blob) => number) => batch.reduce((total, blob) => total + of(blob), 0);
    this.#context.onUpload(
      batch.length,
      sum(({ bytes }) => bytes),
      sum(({ encoded }) => encoded.length),
    );
  }

  /**
   * Numbers of these entries, in ascending order; what the server does not know it is told.
   * Undefined where one of them is not there any more.
   */
  #tell(entries: readonly TreeEntry[]): Uint32Array | undefined {
    const fresh: TreeEntry[] = [];
    const numbers = new Uint32Array(entries.length);
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i] as TreeEntry;
      let number = this.#numbers.get(entry);
      if (number === undefined) {
        number = this.#add(entry);
        fresh.push(entry);
      }
      numbers[i] = number;
    }
    const vanished = this.#vanished();
    for (const entry of vanished) {
      this.#add(entry);
      fresh.push(entry);
    }
    this.#sendEntries(fresh);
    const isWhole = vanished.length === 0 || !entries.some(({ path }) => this.#isAbsent(path));
    return isWhole ? numbers.toSorted() : undefined;
  }

  #isAbsent(path: ByteString): boolean {
    return this.#newest.get(path)?.kind === 'absent';
  }

  #add(entry: TreeEntry): number {
    const number = this.#entries.length;
    this.#entries.push(entry);
    const replaced = this.#newest.get(entry.path);
    if (replaced !== undefined) this.#numbers.delete(replaced);
    this.#numbers.set(entry, number);
    this.#newest.set(entry.path, entry);
    if (entry.kind === 'file') this.#files.set(entry.digest, entry);
    return number;
  }

  /** What was told and is not there any more; looked for when something may have changed. */
  #vanished(): TreeEntry[] {
    const { world } = this.#context;
    if (this.#version === world.version) return [];
    this.#version = world.version;
    const vanished: TreeEntry[] = [];
    for (const entry of this.#newest.values()) {
      if (entry.kind === 'absent' || world.stillThere(entry)) continue;
      vanished.push({ kind: 'absent', path: entry.path });
    }
    return vanished;
  }

  #sendEntries(entries: readonly TreeEntry[]): void {
    let batch: TreeEntry[] = [];
    let bytes = 0;
    for (const entry of entries) {
      bytes += entry.path.length + (entry.kind === 'symlink' ? entry.target.length : 0);
      batch.push(entry);
      if (bytes < PUMP.entriesBytes && batch.length < PUMP.entries) continue;
      this.#connection.send({ kind: 'entries', entries: batch });
      batch = [];
      bytes = 0;
    }
    if (batch.length > 0) this.#connection.send({ kind: 'entries', entries: batch });
  }

  /** As `#tell`, of the job's closure and those of its headers at once: what is gone is told once. */
  #tellAll({ closure, precompiled }: PumpedJob): Uint32Array | undefined {
    if (precompiled.length === 0) return this.#tell(closure);
    const all = precompiled.flatMap((recipe) => recipe.closure);
    return this.#tell([...closure, ...all]) && this.#tell(closure);
  }

  /** Number of a precompiled header; a new one where its files have others, or are said anew. */
  #tellHeader(recipe: HeaderRecipe): number {
    const { path, program, argv0, cwd, environment, command } = recipe;
    const { family, options, language, source, output } = command;
    const closure = packNumbers(this.#tell(recipe.closure) ?? []);
    const said = { path, family, program, argv0, cwd, environment, language, source, output };
    // Numbers of entries mean the same for ever, those of options do not.
    const key = JSON.stringify([said, options, closure.toString('latin1')]);
    let number = this.#headers.get(key);
    if (number === undefined) {
      number = this.#headers.size;
      this.#headers.set(key, number);
      const numbers = { options: packNumbers(this.#tellOptions(options)), closure };
      this.#connection.send({ kind: 'precompiled', ...said, ...numbers });
    }
    return number;
  }

  #tellOptions(options: readonly WireOption[]): number[] {
    const keys = options.map(optionKey);
    let fresh = new Set(keys.filter((key) => !this.#options.has(key)));
    // Both ends begin a table anew that would grow too large.
    if (this.#options.size + fresh.size > PUMP.options) {
      this.#options.clear();
      fresh = new Set(keys);
    }
    if (fresh.size > 0) {
      for (const key of fresh) this.#options.set(key, this.#options.size);
      const byKey = new Map(options.map((option, at) => [keys[at], option]));
      const told = [...fresh].map((key) => byKey.get(key) as WireOption);
      this.#connection.send({ kind: 'options', options: told });
    }
    return keys.map((key) => this.#options.get(key) as number);
  }
}

function optionKey([name, value]: WireOption): string {
  return `${name}\0${value ?? '\0'}`;
}
