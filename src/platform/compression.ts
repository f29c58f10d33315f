/**
 * Brotli as both ends of the wire use it. Small contents are done at once: the trip through the
 * thread pool costs more than compressing them (docs/decisions/0004).
 */
import {
  brotliCompress,
  brotliCompressSync,
  brotliDecompress,
  brotliDecompressSync,
  constants,
  type BrotliOptions,
} from 'node:zlib';
import { promisify } from 'node:util';

/** Contents up to this size are worth no thread. */
const AT_ONCE = 64 * 1024;

/** For objects and preprocessed sources alike. */
export const BROTLI: BrotliOptions = {
  // Fewer pieces to join for the large ones.
  chunkSize: 64 * 1024,
  params: {
    // Both faster and denser than deflate 1 on preprocessed C++.
    [constants.BROTLI_PARAM_QUALITY]: 1,
    // A window of 256 KiB: the usual 4 MiB are cleared for each content and gain little.
    [constants.BROTLI_PARAM_LGWIN]: 18,
  },
};

const compressInThread = promisify(brotliCompress);
const decompressInThread = promisify(brotliDecompress);

export async function compress(bytes: Uint8Array): Promise<Uint8Array> {
  return bytes.length <= AT_ONCE
    ? compressAtOnce(bytes)
    : withoutRest(await compressInThread(bytes, BROTLI));
}

export function compressAtOnce(bytes: Uint8Array): Uint8Array {
  return withoutRest(brotliCompressSync(bytes, BROTLI));
}

/** zlib gives the used part of a piece, which would be held as a whole for as long as that is kept. */
function withoutRest(bytes: Uint8Array): Uint8Array {
  return bytes.length === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}

/** Rejects when the content is not Brotli's, or larger than announced. */
export async function decompress(bytes: Uint8Array, size: number): Promise<Buffer> {
  return size <= AT_ONCE
    ? decompressAtOnce(bytes, size)
    : decompressInThread(bytes, limitedTo(size));
}

/** Throws where `decompress` rejects. */
export function decompressAtOnce(bytes: Uint8Array, size: number): Buffer {
  return brotliDecompressSync(bytes, limitedTo(size));
}

/** Node takes no limit of 0. */
function limitedTo(size: number): { readonly maxOutputLength: number } {
  return { maxOutputLength: Math.max(1, size) };
}
