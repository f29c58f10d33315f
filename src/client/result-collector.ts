/**
 * Puts a RESULT and the CHUNKs after it together: encoded output, then what was printed. Nothing
 * of it is believed before sizes and digest agree.
 */
import { digestOf } from '../core/digest.js';
import { decompress } from '../platform/compression.js';
import type { JobResult } from '../protocol/messages.js';
import { RemoteFailure, type RemoteResult } from './remote-job.js';

export class ResultCollector {
  readonly #header: JobResult;
  readonly #sentBytes: number;
  readonly #expected: number;
  readonly #parts: Uint8Array[] = [];
  #received = 0;

  constructor(header: JobResult, sentBytes: number) {
    this.#header = header;
    this.#sentBytes = sentBytes;
    this.#expected = header.encodedBytes + header.stdoutBytes + header.stderrBytes;
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
    const encoded = all.subarray(0, header.encodedBytes);
    const stdoutEnd = header.encodedBytes + header.stdoutBytes;
    const output = await decode(encoded, header);
    if (output.length !== header.outputBytes) {
      throw invalid(`the output has ${output.length} bytes, announced were ${header.outputBytes}`);
    }
    if (output.length > 0 && digestOf(output) !== header.outputDigest) {
      throw invalid('the output does not have the digest that was announced');
    }
    return {
      status: header.status,
      signal: header.signal,
      output,
      stdout: all.subarray(header.encodedBytes, stdoutEnd),
      stderr: all.subarray(stdoutEnd),
      cpu: header.cpuMicroseconds / 1000,
      running: header.wallMilliseconds,
      queued: header.queueMilliseconds,
      sentBytes: this.#sentBytes,
      receivedBytes: this.#received,
    };
  }
}

async function decode(encoded: Buffer, header: JobResult): Promise<Buffer> {
  if (header.outputEncoding === 'none' || header.outputBytes === 0) return encoded;
  try {
    return await decompress(encoded, header.outputBytes);
  } catch (error) {
    throw new RemoteFailure('result-invalid', 'the output cannot be decompressed', {
      cause: error,
    });
  }
}

function invalid(message: string): RemoteFailure {
  return new RemoteFailure('result-invalid', message);
}
