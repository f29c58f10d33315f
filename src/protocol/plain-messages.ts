/**
 * Messages of connections and of plain mode, docs/protocol.md §2: their types, and what their
 * bodies must be. Pure.
 */
import type { ByteString } from '../core/byte-string.js';
import type { Digest } from '../core/digest.js';
import { WIRE } from '../core/limits.js';
import type { Language } from '../toolchain/compile-command.js';
import type { MessageFields } from './message-fields.js';

/** How content is encoded on the wire. */
export const ENCODINGS = ['brotli', 'none'] as const;

export type Encoding = (typeof ENCODINGS)[number];

/** First message of a client. */
export interface Hello {
  readonly kind: 'hello';
  /** WIRE_VERSION of the sender. */
  readonly protocol: number;
  /** Version of tscc, for people. */
  readonly version: string;
  /** Random id of the client process; servers share their slots fairly between these. */
  readonly client: string;
  readonly features: readonly string[];
}

/** Answer to HELLO. */
export interface Welcome {
  readonly kind: 'welcome';
  readonly protocol: number;
  readonly version: string;
  /** Host name of the server, for people. */
  readonly host: string;
  readonly slots: number;
  readonly features: readonly string[];
  /**
   * How well pump jobs are sealed off, as the server has measured: 3 is a root of their own; less
   * and there are none. docs/security.md says what each tier promises.
   */
  readonly tier: number;
  /** The same of plain jobs: 2 or less. */
  readonly plainTier: number;
  /** What the server's sandbox lacks, for people. */
  readonly missing: readonly string[];
}

/** What others make a server do; sent after WELCOME and when something but `load` changes. */
export interface ServerState {
  readonly kind: 'state';
  readonly slots: number;
  /** Jobs of all other clients. */
  readonly running: number;
  readonly queued: number;
  /** Load average over one minute. */
  readonly load: number;
  /** No new jobs: the server is about to end. */
  readonly draining: boolean;
}

export interface Ping {
  readonly kind: 'ping';
}

export interface Pong {
  readonly kind: 'pong';
}

/** Does the server have the compiler with this identity? */
export interface ToolchainQuery {
  readonly kind: 'toolchain-query';
  readonly digest: Digest;
  /** Last component of the compiler's path: where the server looks first. */
  readonly name: ByteString;
  /** Size of the file behind that path: the server looks into compilers of this size only. */
  readonly driverBytes: number;
}

export interface ToolchainAnswer {
  readonly kind: 'toolchain';
  readonly digest: Digest;
  readonly known: boolean;
}

/** A compile; `encodedBytes` of CHUNKs follow. */
export interface Job {
  readonly kind: 'job';
  /** Number chosen by the client, greater than that of each job before on this connection. */
  readonly job: number;
  readonly toolchain: Digest;
  /** Language of the source before it was preprocessed. */
  readonly language: Language;
  readonly stage: 'object' | 'assembly';
  /** Options of the compile: names in the option table and their values, null for none. */
  readonly options: readonly WireOption[];
  /** Value of SOURCE_DATE_EPOCH in seconds, null when it is unset. */
  readonly sourceDateEpoch: number | null;
  /** Size and digest of the decoded source. */
  readonly sourceBytes: number;
  readonly sourceDigest: Digest;
  readonly sourceEncoding: Encoding;
  /** Bytes of CHUNKs. */
  readonly encodedBytes: number;
}

export type WireOption = readonly [name: ByteString, value: ByteString | null];

/** Content of a job: encoded source, or what a RESULT announced. Boundaries mean nothing. */
export interface Chunk {
  readonly kind: 'chunk';
  readonly job: number;
  readonly bytes: Uint8Array;
}

/** Ends a job at once; the server answers nothing more for it. */
export interface Cancel {
  readonly kind: 'cancel';
  readonly job: number;
}

/** A compiler ended; CHUNKs follow with the encoded output, standard output, standard error. */
export interface JobResult {
  readonly kind: 'result';
  readonly job: number;
  /** Exit status, 128+n when signal n killed it. */
  readonly status: number;
  /** Signal that killed it, 0 for none. */
  readonly signal: number;
  /** Digest of the source that was compiled: binds the answer to its question. */
  readonly sourceDigest: Digest;
  /** Size and digest of the decoded output; 0 bytes when there is none. */
  readonly outputBytes: number;
  readonly outputDigest: Digest;
  readonly outputEncoding: Encoding;
  /** Bytes of the output in CHUNKs. */
  readonly encodedBytes: number;
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
  /** User and system time of the compiler and its children. */
  readonly cpuMicroseconds: number;
  /** From the compiler's start to its end. */
  readonly wallMilliseconds: number;
  /** From the last byte of the source to the compiler's start. */
  readonly queueMilliseconds: number;
  readonly maxRssKiB: number;
}

/**
 * `busy`: the queue is full. `draining`: the server is about to end. `toolchain`: it has no such
 * compiler. `option`: the options cannot be rendered. `limit`: something was too large or too
 * slow. `source`: the source was not what JOB announced. `missing`: a file of the closure cannot be
 * had. `sandbox`: no sealed root can be made. `failed`: the compiler could not be run.
 */
export const REFUSAL_CODES = [
  'busy',
  'draining',
  'toolchain',
  'option',
  'limit',
  'source',
  'missing',
  'sandbox',
  'failed',
] as const;

export type RefusalCode = (typeof REFUSAL_CODES)[number];

/** The server will not or cannot do a job; ends it. */
export interface Refused {
  readonly kind: 'refused';
  readonly job: number;
  readonly code: RefusalCode;
  /** One line for people. */
  readonly message: string;
}

/** Last message of either side. */
export interface Goodbye {
  readonly kind: 'goodbye';
  readonly message: string;
}

export type PlainMessage =
  | Hello
  | Welcome
  | ServerState
  | Ping
  | Pong
  | ToolchainQuery
  | ToolchainAnswer
  | Job
  | Chunk
  | Cancel
  | JobResult
  | Refused
  | Goodbye;

const LANGUAGES: readonly Language[] = [
  'c',
  'c++',
  'objective-c',
  'objective-c++',
  'cpp-output',
  'c++-cpp-output',
  'objective-c-cpp-output',
  'objective-c++-cpp-output',
];

export function decodeHello(fields: MessageFields): Hello {
  return {
    kind: 'hello',
    protocol: fields.integer('protocol', WIRE.counter),
    version: fields.text('version', WIRE.nameBytes),
    client: fields.text('client', WIRE.nameBytes),
    features: fields.texts('features', WIRE.nameBytes),
  };
}

export function decodeWelcome(fields: MessageFields): Welcome {
  return {
    kind: 'welcome',
    protocol: fields.integer('protocol', WIRE.counter),
    version: fields.text('version', WIRE.nameBytes),
    host: fields.text('host', WIRE.nameBytes),
    slots: fields.integer('slots', WIRE.counter),
    features: fields.texts('features', WIRE.nameBytes),
    tier: fields.integer('tier', 3),
    plainTier: fields.integer('plainTier', 3),
    missing: fields.texts('missing', WIRE.textLength),
  };
}

export function decodeState(fields: MessageFields): ServerState {
  return {
    kind: 'state',
    slots: fields.integer('slots', WIRE.counter),
    running: fields.integer('running', WIRE.counter),
    queued: fields.integer('queued', WIRE.counter),
    load: fields.nonNegative('load'),
    draining: fields.boolean('draining'),
  };
}

export function decodeJob(job: number, fields: MessageFields): Job {
  return {
    kind: 'job',
    job,
    toolchain: fields.digest('toolchain'),
    language: fields.oneOf('language', LANGUAGES),
    stage: fields.oneOf('stage', ['object', 'assembly']),
    options: fields.pairs('options'),
    sourceDateEpoch: fields.isNull('sourceDateEpoch')
      ? null
      : fields.integer('sourceDateEpoch', Number.MAX_SAFE_INTEGER),
    sourceBytes: fields.integer('sourceBytes', WIRE.sourceBytes),
    sourceDigest: fields.digest('sourceDigest'),
    sourceEncoding: fields.oneOf('sourceEncoding', ENCODINGS),
    encodedBytes: fields.integer('encodedBytes', WIRE.sourceBytes),
  };
}

export function decodeResult(job: number, fields: MessageFields): JobResult {
  return {
    kind: 'result',
    job,
    status: fields.integer('status', 255),
    signal: fields.integer('signal', 127),
    sourceDigest: fields.digest('sourceDigest'),
    outputBytes: fields.integer('outputBytes', WIRE.outputBytes),
    outputDigest: fields.digest('outputDigest'),
    outputEncoding: fields.oneOf('outputEncoding', ENCODINGS),
    encodedBytes: fields.integer('encodedBytes', WIRE.outputBytes),
    stdoutBytes: fields.integer('stdoutBytes', WIRE.diagnosticsBytes),
    stderrBytes: fields.integer('stderrBytes', WIRE.diagnosticsBytes),
    cpuMicroseconds: fields.integer('cpuMicroseconds', Number.MAX_SAFE_INTEGER),
    wallMilliseconds: fields.integer('wallMilliseconds', Number.MAX_SAFE_INTEGER),
    queueMilliseconds: fields.integer('queueMilliseconds', Number.MAX_SAFE_INTEGER),
    maxRssKiB: fields.integer('maxRssKiB', Number.MAX_SAFE_INTEGER),
  };
}

export function decodeToolchainQuery(fields: MessageFields): ToolchainQuery {
  return {
    kind: 'toolchain-query',
    digest: fields.digest('digest'),
    name: fields.byteString('name', WIRE.nameBytes),
    driverBytes: fields.integer('driverBytes', Number.MAX_SAFE_INTEGER),
  };
}

export function decodeToolchainAnswer(fields: MessageFields): ToolchainAnswer {
  return {
    kind: 'toolchain',
    digest: fields.digest('digest'),
    known: fields.boolean('known'),
  };
}

export function decodeRefused(job: number, fields: MessageFields): Refused {
  return {
    kind: 'refused',
    job,
    code: fields.oneOf('code', REFUSAL_CODES),
    message: fields.text('message', WIRE.textLength),
  };
}

export function decodeGoodbye(fields: MessageFields): Goodbye {
  return { kind: 'goodbye', message: fields.text('message', WIRE.textLength) };
}
