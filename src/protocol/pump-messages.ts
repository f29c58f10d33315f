/**
 * Messages of pump mode, docs/protocol.md §2: a client's tree, the contents of its files, and jobs
 * that are compiled in it. What a connection has said once it names by number from then on: tree
 * entries and options are counted from 0 in the order in which they were sent. Pure.
 */
import type { ByteString } from '../core/byte-string.js';
import { isDigest, type Digest } from '../core/digest.js';
import { INCLUDES } from '../core/include-limits.js';
import { WIRE } from '../core/limits.js';
import type { CompilerFamily } from '../toolchain/options/option-table.js';
import { MalformedFrame } from './field-codec.js';
import { isByteString, type MessageFields } from './message-fields.js';
import { ENCODINGS, type Encoding, type WireOption } from './plain-messages.js';
import type { TreeEntry } from './tree-entry.js';

/** More of the client's tree; the newest entry of a path is the one that holds. */
export interface Entries {
  readonly kind: 'entries';
  readonly entries: readonly TreeEntry[];
}

/** More options that PUMP messages name by number. */
export interface Options {
  readonly kind: 'options';
  readonly options: readonly WireOption[];
}

/** A command of the client's, in its tree: what jobs and recipes say alike. */
export interface CommandInTree {
  readonly family: CompilerFamily;
  /** The compiler's path in the tree. */
  readonly program: ByteString;
  readonly argv0: ByteString;
  /** Real path of the working directory. */
  readonly cwd: ByteString;
  readonly environment: readonly WireOption[];
  /** Numbers of the command's options in order, packed (number-runs.ts). */
  readonly options: Uint8Array;
  /** Numbers of the tree entries that the compile may see, packed; a recipe's with its source. */
  readonly closure: Uint8Array;
  /** Value of -x; null where the source's suffix decides. */
  readonly language: string | null;
  /** The source as the command names it. */
  readonly source: ByteString;
  /** Value of -o; null where the command has none. */
  readonly output: ByteString | null;
}

/** How the client made a precompiled header; PUMP-JOB messages name it by number. */
export interface PrecompiledRecipe extends CommandInTree {
  readonly kind: 'precompiled';
  /** Real path of what it makes. */
  readonly path: ByteString;
}

/** Contents that the server lacks. */
export interface Missing {
  readonly kind: 'missing';
  readonly digests: readonly Digest[];
}

/** Contents that the client has no more: the files have changed. */
export interface Gone {
  readonly kind: 'gone';
  readonly digests: readonly Digest[];
}

/** One content of an upload. */
export interface AnnouncedBlob {
  readonly digest: Digest;
  /** Size when decoded. */
  readonly bytes: number;
  readonly encoding: Encoding;
  readonly encodedBytes: number;
}

/** Contents; as CHUNKs follow the encoded ones one after another. */
export interface Blobs {
  readonly kind: 'blobs';
  /** Number of the upload, from the same count as jobs. */
  readonly job: number;
  readonly blobs: readonly AnnouncedBlob[];
}

/** A compile in the client's tree; `encodedBytes` of CHUNKs follow with the source. */
export interface PumpJob extends CommandInTree {
  readonly kind: 'pump-job';
  readonly job: number;
  /** Numbers of the precompiled headers that it may see, packed. */
  readonly precompiled: Uint8Array;
  readonly stage: 'object' | 'assembly';
  /** Whether the compiler shall take its standard error for a terminal. */
  readonly terminal: boolean;
  /** Real paths of the files that the compile may leave. The first one is the object. */
  readonly outputs: readonly ByteString[];
  /** Which of `outputs` is the command's own dependency file; null where it asks for none. */
  readonly dependencyFile: number | null;
  /** How outputs shall come back: the client knows its wire. */
  readonly answerEncoding: Encoding;
  /** Where the source stands, and what it looks like. */
  readonly sourcePath: ByteString;
  readonly sourceTime: number;
  readonly sourceMode: number;
  readonly sourceBytes: number;
  readonly sourceDigest: Digest;
  readonly sourceEncoding: Encoding;
  readonly encodedBytes: number;
}

/** A file that the compile left. */
export interface PumpOutput extends AnnouncedBlob {
  /** Which of the job's `outputs` it is. */
  readonly index: number;
}

/** A compiler ended; CHUNKs follow: the encoded outputs, standard output, standard error. */
export interface PumpResult {
  readonly kind: 'pump-result';
  readonly job: number;
  /** Exit status, 128+n when signal n killed it. */
  readonly status: number;
  readonly signal: number;
  readonly sourceDigest: Digest;
  readonly outputs: readonly PumpOutput[];
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
  /** Packed numbers of the entries that the compiler's own list names; null where there is none. */
  readonly dependencies: Uint8Array | null;
  /** Paths in that list that no entry of the closure stands for. */
  readonly uncovered: readonly ByteString[];
  readonly cpuMicroseconds: number;
  readonly wallMilliseconds: number;
  readonly queueMilliseconds: number;
  readonly maxRssKiB: number;
}

export type PumpMessage =
  Entries | Options | PrecompiledRecipe | Missing | Gone | Blobs | PumpJob | PumpResult;

/** Letters and values of an entry on the wire. */
export function packEntry(entry: TreeEntry): readonly (string | number)[] {
  switch (entry.kind) {
    case 'file':
      return ['f', entry.path, entry.digest, entry.size, entry.mtime, entry.mode];
    case 'directory':
      return ['d', entry.path];
    case 'symlink':
      return ['l', entry.path, entry.target];
    case 'absent':
      return ['a', entry.path];
  }
}

export function decodeEntries(fields: MessageFields): Entries {
  return { kind: 'entries', entries: fields.list('entries').map(unpackEntry) };
}

function unpackEntry(item: unknown): TreeEntry {
  if (!Array.isArray(item)) throw new MalformedFrame('a tree entry is not a list');
  const [letter, path, ...values] = item as unknown[];
  if (!isByteString(path, INCLUDES.pathBytes)) throw new MalformedFrame('a tree entry has no path');
  if (letter === 'd' && values.length === 0) return { kind: 'directory', path };
  if (letter === 'a' && values.length === 0) return { kind: 'absent', path };
  const [first, size, mtime, mode] = values;
  if (letter === 'l' && values.length === 1 && isByteString(first, INCLUDES.pathBytes)) {
    return { kind: 'symlink', path, target: first };
  }
  if (letter === 'f' && values.length === 4) {
    return {
      kind: 'file',
      path,
      digest: digest(first),
      size: whole(size, WIRE.sourceBytes),
      mtime: whole(mtime, Number.MAX_SAFE_INTEGER),
      mode: whole(mode, 0o7777),
    };
  }
  throw new MalformedFrame('a tree entry of an unknown kind');
}

export function packBlob(blob: AnnouncedBlob): readonly (string | number)[] {
  return [blob.digest, blob.bytes, blob.encoding, blob.encodedBytes];
}

export function decodeBlobs(job: number, fields: MessageFields): Blobs {
  return {
    kind: 'blobs',
    job,
    blobs: fields.list('blobs').map((item) => unpackBlob(item, WIRE.sourceBytes)),
  };
}

function unpackBlob(item: unknown, limit: number): AnnouncedBlob {
  if (!Array.isArray(item)) throw new MalformedFrame('a content is not a list');
  const [name, bytes, encoding, encodedBytes] = item as unknown[];
  const known = ENCODINGS.find((one) => one === encoding);
  if (known === undefined) throw new MalformedFrame('a content has an unknown encoding');
  return {
    digest: digest(name),
    bytes: whole(bytes, limit),
    encoding: known,
    encodedBytes: whole(encodedBytes, limit),
  };
}

export function decodeOptions(fields: MessageFields): Options {
  return { kind: 'options', options: fields.pairs('options') };
}

export function decodeDigests(fields: MessageFields): Digest[] {
  return fields.list('digests').map(digest);
}

export function decodePrecompiled(fields: MessageFields): PrecompiledRecipe {
  return {
    kind: 'precompiled',
    path: fields.byteString('path', INCLUDES.pathBytes),
    ...decodeCommand(fields),
  };
}

function decodeCommand(fields: MessageFields): CommandInTree {
  const path = (name: string) => fields.byteString(name, INCLUDES.pathBytes);
  return {
    family: fields.oneOf('family', ['gcc', 'clang']),
    program: path('program'),
    argv0: path('argv0'),
    cwd: path('cwd'),
    environment: fields.pairs('environment'),
    options: fields.bytes('options', WIRE.controlBytes),
    closure: fields.bytes('closure', WIRE.controlBytes),
    language: fields.isNull('language') ? null : fields.text('language', WIRE.nameBytes),
    source: path('source'),
    output: fields.isNull('output') ? null : path('output'),
  };
}

export function decodePumpJob(job: number, fields: MessageFields): PumpJob {
  const path = (name: string) => fields.byteString(name, INCLUDES.pathBytes);
  return {
    kind: 'pump-job',
    job,
    ...decodeCommand(fields),
    precompiled: fields.bytes('precompiled', WIRE.controlBytes),
    stage: fields.oneOf('stage', ['object', 'assembly']),
    terminal: fields.boolean('terminal'),
    outputs: fields.byteStrings('outputs', INCLUDES.pathBytes),
    dependencyFile: fields.isNull('dependencyFile')
      ? null
      : fields.integer('dependencyFile', WIRE.elements),
    answerEncoding: fields.oneOf('answerEncoding', ENCODINGS),
    sourcePath: path('sourcePath'),
    sourceTime: fields.integer('sourceTime', Number.MAX_SAFE_INTEGER),
    sourceMode: fields.integer('sourceMode', 0o7777),
    sourceBytes: fields.integer('sourceBytes', WIRE.sourceBytes),
    sourceDigest: fields.digest('sourceDigest'),
    sourceEncoding: fields.oneOf('sourceEncoding', ENCODINGS),
    encodedBytes: fields.integer('encodedBytes', WIRE.sourceBytes),
  };
}

export function decodePumpResult(job: number, fields: MessageFields): PumpResult {
  return {
    kind: 'pump-result',
    job,
    status: fields.integer('status', 255),
    signal: fields.integer('signal', 127),
    sourceDigest: fields.digest('sourceDigest'),
    outputs: fields.list('outputs').map(unpackOutput),
    stdoutBytes: fields.integer('stdoutBytes', WIRE.diagnosticsBytes),
    stderrBytes: fields.integer('stderrBytes', WIRE.diagnosticsBytes),
    dependencies: fields.isNull('dependencies')
      ? null
      : fields.bytes('dependencies', WIRE.controlBytes),
    uncovered: fields.byteStrings('uncovered', INCLUDES.pathBytes),
    cpuMicroseconds: fields.integer('cpuMicroseconds', Number.MAX_SAFE_INTEGER),
    wallMilliseconds: fields.integer('wallMilliseconds', Number.MAX_SAFE_INTEGER),
    queueMilliseconds: fields.integer('queueMilliseconds', Number.MAX_SAFE_INTEGER),
    maxRssKiB: fields.integer('maxRssKiB', Number.MAX_SAFE_INTEGER),
  };
}

function unpackOutput(item: unknown): PumpOutput {
  if (!Array.isArray(item)) throw new MalformedFrame('an output is not a list');
  const [index, ...blob] = item as unknown[];
  return { index: whole(index, WIRE.elements), ...unpackBlob(blob, WIRE.outputBytes) };
}

function digest(value: unknown): Digest {
  if (!isDigest(value)) throw new MalformedFrame('what should be a digest is no SHA-256 in hex');
  return value;
}

function whole(value: unknown, maximum: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= maximum) {
    return value;
  }
  throw new MalformedFrame(`what should be a whole number up to ${maximum} is not`);
}
