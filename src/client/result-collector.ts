/**
 * Puts a result and the CHUNKs after it together: the encoded outputs, then what was printed.
 * Nothing of it is believed before sizes and digests agree.
 */
import { digestOf } from '../core/digest.js';
import { decompress } from '../platform/compression.js';
import type { JobResult } from '../protocol/plain-messages.js';
import type { AnnouncedBlob, PumpOutput, PumpResult } from '../protocol/pump-messages.js';
import { RemoteFailure, type FilesRead, type RemoteResult } from './remote-job.js';

/** What both kinds of results say. */
type Header = JobResult | PumpResult;

export class ResultCollector {
  readonly #header: Header;
  readonly #outputs: readonly PumpOutput[];
  readonly #read: FilesRead | undefined;
  readonly #sentBytes: number;
  readonly #encodedBytes: number;
  readonly #expected: number;
  readonly #parts: Uint8Array[] = [];
  #received = 0;

  /** @param read what a pump job's result says of the files that were read */
  constructor(header: Header, read: FilesRead | undefined, sentBytes: number) {
    this.#header = header;
    this.#outputs = header.kind === 'result' ? outputOf(header) : header.outputs;
    this.#read = read;
    this.#sentBytes = sentBytes;
    this.#encodedBytes = this.#outputs.reduce((sum, { encodedBytes }) => sum + encodedBytes, 0);
    this.#expected = this.#encodedBytes + header.stdoutBytes + header.stderrBytes;
  }

  get isComplete(): boolean {
    return this.#received === this.#expected;
  }

  /** False when more comes than the header announced. */
  add(bytes: Uint8Array): boolean {
    this.#parts.push(bytes);
    this.#received += bytes.length;
    return this.#received <= this.#expected;
  }

  /** Decodes and checks. Rejects with RemoteFailure `result-invalid`. */
  async finish(): Promise<RemoteResult> {
    const header = this.#header;
    const all = Buffer.concat(this.#parts, this.#received);
    const outputs = new Map<number, Uint8Array>();
    let at = 0;
    for (const output of this.#outputs) {
      const encoded = all.subarray(at, at + output.encodedBytes);
      at += output.encodedBytes;
      outputs.set(output.index, await decodeChecked(encoded, output));
    }
    const stdoutEnd = at + header.stdoutBytes;
    return {
      status: header.status,
      signal: header.signal,
      outputs,
      stdout: all.subarray(at, stdoutEnd),
      stderr: all.subarray(stdoutEnd),
      read: this.#read,
      cpu: header.cpuMicroseconds / 1000,
      running: header.wallMilliseconds,
      queued: header.queueMilliseconds,
      sentBytes: this.#sentBytes,
      receivedBytes: this.#received,
    };
  }
}

/** A plain compile leaves one file, or none: an object is never empty. */
function outputOf(header: JobResult): readonly PumpOutput[] {
  const { outputBytes: bytes, outputDigest: digest, outputEncoding: encoding } = header;
  if (bytes === 0 && header.encodedBytes === 0) return [];
  return [{ index: 0, bytes, digest, encoding, encodedBytes: header.encodedBytes }];
}

async function decodeChecked(encoded: Uint8Array, announced: AnnouncedBlob): Promise<Uint8Array> {
  const bytes = await decode(encoded, announced);
  if (bytes.length !== announced.bytes) {
    throw invalid(`an output has ${bytes.length} bytes, announced were ${announced.bytes}`);
  }
  if (digestOf(bytes) !== announced.digest) {
    throw invalid('an output does not have the digest that was announced');
  }
  return bytes;
}

async function decode(encoded: Uint8Array, announced: AnnouncedBlob): Promise<Uint8Array> {
  if (announced.encoding === 'none' || announced.bytes === 0) return encoded;
  try {
    return await decompress(encoded, announced.bytes);
  } catch (error) {
    throw new RemoteFailure('garbage', 'an output cannot be decompressed', {
      cause: error,
    });
  }
}

function invalid(message: string): RemoteFailure {
  return new RemoteFailure('garbage', message);
}
