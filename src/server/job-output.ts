/**
 * What a compiler left behind, ready to be sent. It ran with the client's source, so its files are
 * met with suspicion: opened without following links or waiting for a pipe, only if they have no
 * other name, and sized through the open descriptor. Small content is held in memory, large content stays on disk.
 */
import type { Hash } from 'node:crypto';
import {
  closeSync,
  constants,
  createWriteStream,
  fstatSync,
  openSync,
  readFileSync,
  type Stats,
} from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createBrotliCompress } from 'node:zlib';
import { digestOf, finishDigest, startDigest, type Digest } from '../core/digest.js';
import { describeError, errnoCode } from '../core/errors.js';
import { SERVER, STORE, WIRE } from '../core/limits.js';
import { BROTLI, compress } from '../platform/compression.js';
import type { Encoding } from '../protocol/plain-messages.js';
import { JobRefused } from './job-refused.js';

const HOW = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Compression must save a tenth, or decompressing is not worth its time. */
const WORTHWHILE = 0.9;

/** A file's content; must be closed. */
export interface Content {
  readonly bytes: number;
  /** The bytes in order; may be gone through more than once. */
  readonly pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** An output as RESULT announces it; `content` is the encoded form. */
export interface EncodedOutput {
  readonly bytes: number;
  readonly digest: Digest;
  readonly encoding: Encoding;
  readonly content: Content;
}

/** An output that does not exist. */
export const NO_OUTPUT: EncodedOutput = {
  bytes: 0,
  digest: digestOf(''),
  encoding: 'none',
  content: inMemory(new Uint8Array()),
};

/**
 * Opens a file that a compiler wrote; undefined when there is none. Rejects with JobRefused when
 * it is no regular file or larger than `limit`; `what` names it in the message.
 */
export async function openContent(
  path: string | Buffer,
  limit: number,
  what: string,
): Promise<Content | undefined> {
  try {
    const small = readSmall(path, limit, what);
    if (small !== undefined) return inMemory(small);
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return undefined;
    if (error instanceof JobRefused) throw error;
    throw new JobRefused('failed', `cannot open the ${what}: ${describeError(error)}`);
  }
  const file = await open(path, HOW);
  try {
    const { size } = checked(await file.stat(), limit, what);
    if (size > SERVER.outputInMemory) {
      const pieces = { [Symbol.asyncIterator]: () => readPieces(file, size) };
      return { bytes: size, pieces, close: () => file.close() };
    }
    const bytes = await file.readFile();
    await file.close();
    return inMemory(bytes);
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Undefined when it is not that small. */
function readSmall(path: string | Buffer, limit: number, what: string): Buffer | undefined {
  const file = openSync(path, HOW);
  try {
    const { size } = checked(fstatSync(file), limit, what);
    return size <= STORE.atOnceBytes ? readFileSync(file) : undefined;
  } finally {
    closeSync(file);
  }
}

/** A file that a job may have left. */
export interface WantedFile {
  readonly path: string;
  readonly limit: number;
  /** Names it in messages. */
  readonly what: string;
}

/** Opens all of them; none stays open when one cannot be taken. Undefined where there is none. */
export async function collectContents(wanted: readonly WantedFile[]): Promise<{
  readonly contents: readonly (Content | undefined)[];
  readonly closeAll: () => Promise<void>;
}> {
  const contents: (Content | undefined)[] = [];
  const closeAll = async () => {
    await Promise.all(contents.map(async (content) => content?.close()));
  };
  try {
    for (const { path, limit, what } of wanted) {
      contents.push(await openContent(path, limit, what));
    }
    return { contents, closeAll };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

function inMemory(bytes: Uint8Array): Content {
  return { bytes: bytes.length, pieces: [bytes], close: async () => undefined };
}

function checked(stat: Stats, limit: number, what: string): Stats {
  if (!stat.isFile()) throw new JobRefused('failed', `the ${what} is not a regular file`);
  // A second name of a file that the server may read and the compiler may not.
  if (stat.nlink !== 1) throw new JobRefused('failed', `the ${what} has another name`);
  if (stat.size > limit) {
    throw new JobRefused('limit', `the ${what} has ${stat.size} bytes; ${limit} are allowed`);
  }
  return stat;
}

async function* readPieces(file: FileHandle, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < size;) {
    // A buffer for each piece: the connection holds on to it until it is sent.
    const buffer = Buffer.allocUnsafe(Math.min(WIRE.chunkBytes, size - at));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) throw new JobRefused('failed', 'an output shrank while it was read');
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}

/**
 * Digest and wire form of an output. Takes over `content`; a large one is compressed into the new
 * file `scratch`.
 */
export async function encodeOutput(
  content: Content,
  encoding: Encoding,
  scratch: string,
): Promise<EncodedOutput> {
  const hash = startDigest();
  let encoded: Content;
  try {
    encoded =
      encoding === 'none'
        ? await hashed(content, hash)
        : content.bytes > SERVER.outputInMemory
          ? await compressToFile(content, hash, scratch)
          : await compressInMemory(content, hash);
  } catch (error) {
    await content.close();
    throw error;
  }
  const pays = encoded.bytes < WORTHWHILE * content.bytes;
  if (encoded !== content) await (pays ? content : encoded).close();
  return {
    bytes: content.bytes,
    digest: finishDigest(hash),
    encoding: pays ? 'brotli' : 'none',
    content: pays ? encoded : content,
  };
}

async function hashed(content: Content, hash: Hash): Promise<Content> {
  for await (const piece of content.pieces) hash.update(piece);
  return content;
}

async function compressInMemory(content: Content, hash: Hash): Promise<Content> {
  const plain = await collect(content);
  hash.update(plain);
  return inMemory(await compress(plain));
}

async function collect({ pieces }: Content): Promise<Buffer> {
  const collected: Uint8Array[] = [];
  for await (const piece of pieces) collected.push(piece);
  return Buffer.concat(collected);
}

async function compressToFile(content: Content, hash: Hash, scratch: string): Promise<Content> {
  const pieces = async function* () {
    for await (const piece of content.pieces) {
      hash.update(piece);
      yield piece;
    }
  };
  const file = createWriteStream(scratch, { flags: 'wx', mode: 0o600 });
  await pipeline(pieces, createBrotliCompress(BROTLI), file);
  const encoded = await openContent(scratch, WIRE.outputBytes, 'compressed output');
  if (encoded === undefined) throw new JobRefused('failed', 'the compressed output vanished');
  return encoded;
}
