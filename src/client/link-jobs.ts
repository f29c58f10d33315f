/** The jobs of one connection: numbered, sent, answered, or lost with it. */
import { WIRE } from '../core/limits.js';
import type { Clock } from '../platform/clock.js';
import { expandsTooFar } from '../protocol/expansion.js';
import type { PeerConnection } from '../protocol/peer-connection.js';
import type { JobResult, RefusalCode, Refused } from '../protocol/plain-messages.js';
import type { PumpResult } from '../protocol/pump-messages.js';
import type { PumpShipping } from './pump-shipping.js';
import {
  RemoteFailure,
  type FailureKind,
  type PlainJob,
  type RemoteJob,
  type RemoteResult,
} from './remote-job.js';
import { ResultCollector } from './result-collector.js';

export interface LinkJobsContext {
  readonly clock: Clock;
  /** For people. */
  readonly hostName: string;
  /** Whether preprocessed sources are compressed however fast the wire is. */
  readonly compressed: boolean;
  readonly compress: (bytes: Uint8Array) => Promise<Uint8Array>;
  readonly nextNumber: () => number;
  /**
   * The server told that it has a compiler, and refused a job for the lack of it; undefined: a job
   * that nobody waits for any more.
   */
  readonly onToolchainLost: (job: RemoteJob | undefined) => void;
  /** A job has ended. */
  readonly onChange: () => void;
}

interface OpenJob {
  readonly job: RemoteJob;
  readonly sending: Sending;
  readonly resolve: (result: Promise<RemoteResult>) => void;
  readonly reject: (failure: RemoteFailure) => void;
  collector: ResultCollector | undefined;
}

/** What refusals of some kinds mean for the compile. */
const REFUSALS: { readonly [code in RefusalCode]?: FailureKind } = {
  failed: 'failed',
  sandbox: 'failed',
  missing: 'stale',
};

/** A job on its way out. */
export interface Sending {
  aborted: boolean;
  /** Bytes that it put on the wire. */
  bytes: number;
}

export class LinkJobs {
  readonly #connection: PeerConnection;
  readonly #shipping: PumpShipping;
  readonly #context: LinkJobsContext;
  /** All of them; those that are on the wire have a number. */
  readonly #open = new Set<OpenJob>();
  readonly #jobs = new Map<number, OpenJob>();

  constructor(connection: PeerConnection, shipping: PumpShipping, context: LinkJobsContext) {
    this.#connection = connection;
    this.#shipping = shipping;
    this.#context = context;
  }

  /** Jobs that are there now. */
  get size(): number {
    return this.#open.size;
  }

  /** See ServerLink.run. */
  run(job: RemoteJob, timeout: number, signal: AbortSignal): Promise<RemoteResult> {
    const { clock, hostName, onChange, nextNumber } = this.#context;
    const sending: Sending = { aborted: false, bytes: 0 };
    let number: number | undefined;
    return new Promise<RemoteResult>((resolve, reject) => {
      const finish = () => {
        timer.cancel();
        signal.removeEventListener('abort', cancel);
        sending.aborted = true;
        this.#open.delete(open);
        if (number !== undefined) this.#jobs.delete(number);
        onChange();
      };
      const stop = (reason: unknown) => {
        finish();
        if (number !== undefined) this.#connection.send({ kind: 'cancel', job: number });
        reject(reason);
      };
      const cancel = () => stop(signal.reason);
      const timer = clock.after(timeout, () => {
        stop(new RemoteFailure('timeout', `${hostName}: no answer in ${timeout} ms`));
      });
      signal.addEventListener('abort', cancel, { once: true });
      const open: OpenJob = {
        job,
        sending,
        collector: undefined,
        resolve: (result) => {
          finish();
          resolve(result);
        },
        reject: (failure) => {
          finish();
          reject(failure);
        },
      };
      this.#open.add(open);
      // When all before it is on the wire: numbers grow in the order of messages.
      const begin = () => {
        number = nextNumber();
        this.#jobs.set(number, open);
        return number;
      };
      const sent =
        job.mode === 'plain'
          ? this.#sendPlain(begin, job, sending)
          : this.#shipping.send(begin, job, sending);
      sent.catch((error: unknown) => stop(error));
    });
  }

  resultArrived(header: JobResult | PumpResult): void {
    const job = this.#jobs.get(header.job);
    // The answer crossed our CANCEL.
    if (job === undefined) return;
    const fault = job.collector === undefined ? faultOf(header, job.job) : 'answered twice';
    if (fault !== undefined) {
      job.reject(new RemoteFailure('garbage', `${this.#context.hostName} ${fault}`));
      return;
    }
    const read = header.kind === 'pump-result' ? this.#shipping.filesRead(header) : undefined;
    job.collector = new ResultCollector(header, read, job.sending.bytes);
    this.chunkArrived(header.job, new Uint8Array());
  }

  chunkArrived(number: number, bytes: Uint8Array): void {
    const job = this.#jobs.get(number);
    if (job === undefined) return;
    if (job.collector?.add(bytes) !== true) {
      this.#connection.destroy(`more of job ${number} than its result announced`);
    } else if (job.collector.isComplete) {
      job.resolve(job.collector.finish());
    }
  }

  refused({ job, code, message }: Refused): void {
    const kind = REFUSALS[code] ?? 'refused';
    const text = `${this.#context.hostName}: ${code}: ${message}`;
    const open = this.#jobs.get(job);
    // Before the compile looks for another server.
    if (code === 'toolchain') this.#context.onToolchainLost(open?.job);
    open?.reject(new RemoteFailure(kind, text));
  }

  /** @param kind whether the host may be there all the same */
  lost(kind: 'lost' | 'outdated', message: string): void {
    const failure = new RemoteFailure(kind, `${this.#context.hostName}: ${message}`);
    for (const job of [...this.#open]) job.reject(failure);
  }

  async #sendPlain(
    begin: () => number,
    { mode: _mode, source, ...fields }: PlainJob,
    sending: Sending,
  ): Promise<void> {
    const encoded = await this.#encode(source.bytes);
    if (sending.aborted) return;
    const number = begin();
    sending.bytes = encoded.bytes.length;
    this.#connection.send({
      kind: 'job',
      job: number,
      ...fields,
      sourceBytes: source.bytes.length,
      sourceDigest: source.digest,
      sourceEncoding: encoded.encoding,
      encodedBytes: encoded.bytes.length,
    });
    await this.#connection.sendContent(number, [encoded.bytes], sending);
  }

  /**
   * Compressing costs the build host more than a fast wire gains, so it is for hosts whose list
   * says `lzo`, and for wires on which earlier sources still wait (docs/decisions/0007).
   */
  async #encode(bytes: Uint8Array) {
    const raw = { encoding: 'none', bytes } as const;
    if (!this.#context.compressed && this.#connection.unsentBytes < WIRE.backlog) return raw;
    const compressed = await this.#context.compress(bytes);
    return expandsTooFar(bytes.length, compressed.length)
      ? raw
      : ({ encoding: 'brotli', bytes: compressed } as const);
  }
}

/** What in an answer shows that it is none to this job, as the rest of a sentence. */
function faultOf(header: JobResult | PumpResult, job: RemoteJob): string | undefined {
  if (header.sourceDigest !== job.source.digest) return 'answered for another source';
  if (header.kind === 'result') return job.mode === 'plain' ? undefined : 'answered a plain job';
  if (job.mode === 'plain') return 'answered a pump job';
  const indexes = new Set(header.outputs.map(({ index }) => index));
  if (indexes.size < header.outputs.length) return 'sent an output twice';
  return [...indexes].every((index) => index < job.outputs.length)
    ? undefined
    : 'sent an output that the job does not have';
}
