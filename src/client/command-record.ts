/** What the journal, the counters and a verbose build hear of one command. */
import { toText, type ByteString } from '../core/byte-string.js';
import type { Digest } from '../core/digest.js';
import { REPORT } from '../core/limits.js';
import type { DemotionReason, OtherKind } from '../core/reasons.js';
import type { RunRequest } from '../protocol/launcher-wire.js';
import { compileKey } from '../report/compile-key.js';
import type { CommandIdentity, LocalReason } from '../report/events.js';
import type { EndEvent } from '../report/outcome-line.js';
import type { BuildMessages } from './build-messages.js';
import type { CompileRecord } from './compile-verdict.js';
import type { PumpHistory } from './pump-compile.js';
import type { RemoteResult } from './remote-job.js';
import type { Session } from './sessions.js';
import type { Verified } from './verification.js';

/** What the journal is told of the mode that a compile went out in. */
export type ModeRecord = { readonly lentToken?: true } & (
  | ({ readonly outcome: 'pump' } & PumpHistory)
  | { readonly outcome: 'plain'; readonly demotion?: DemotionReason }
);

export class CommandRecord {
  /** Of a compile, once it is known. */
  source: ByteString = '';
  readonly #request: RunRequest;
  readonly #session: Session;
  readonly #messages: BuildMessages;
  readonly #identity: CommandIdentity;

  constructor(request: RunRequest, session: Session, messages: BuildMessages) {
    this.#request = request;
    this.#session = session;
    this.#messages = messages;
    this.#identity = {
      id: session.enter(),
      cwd: toText(request.cwd),
      argv: request.argv.map(toText),
      ...levelOf(request),
      ...(request.isAskedAgain ? { askedAgain: true } : {}),
    };
  }

  /** Number of the command in its session. */
  get id(): number {
    return this.#identity.id;
  }

  /** For people: its source, or else its words. */
  get name(): string {
    return this.source === '' ? this.#identity.argv.join(' ') : toText(this.source);
  }

  other(kind: OtherKind): void {
    this.#end({ event: 'other', ...this.#identity, kind });
  }

  /** @param waited milliseconds until the compiler started here */
  local(reason: LocalReason, detail: string | undefined, waited: number): void {
    this.#end({ event: 'local', ...this.#of(detail), waited, ...reason });
  }

  /** Of a compile that runs here, and of any other command. @param ran milliseconds */
  localEnd(ran: number): void {
    this.#session.record({ event: 'local-end', id: this.#identity.id, ran });
  }

  /** TSCC_FALLBACK=0: it would have run here. */
  failure(reason: LocalReason, detail: string | undefined): void {
    this.#end({ event: 'failed', ...this.#of(detail), ...reason });
  }

  cancelled(phase: string, why: string): void {
    this.#end({ event: 'cancelled', ...this.#identity, phase, why });
  }

  /** @param toolchain digest of the compiler */
  remote(
    output: ByteString,
    toolchain: Digest,
    mode: ModeRecord,
    { verified: _verified, result, sourceDigest, ...record }: CompileRecord,
  ): void {
    let outputBytes = 0;
    for (const { length } of result.outputs.values()) outputBytes += length;
    this.#session.record({
      event: 'compile',
      ...this.#identity,
      ...mode,
      source: toText(this.source),
      output: toText(output),
      ...this.#inputs(toolchain, sourceDigest, result),
      ...record,
      sentBytes: result.sentBytes,
      receivedBytes: result.receivedBytes,
      outputBytes,
      remoteCpu: result.cpu,
      remoteRunning: result.running,
      remoteQueued: result.queued,
    });
  }

  /** What the object rests on; for a journal that somebody may read. */
  #inputs(toolchain: Digest, source: Digest, { read }: RemoteResult) {
    if (!this.#session.journal.isKept) return {};
    const variables = this.#session.environment(this.#request);
    const files = read && this.#session.files(read.entries);
    const { cwd, argv } = this.#identity;
    const parts = { variables: variables.part, files: files?.part ?? '' };
    return {
      environment: variables.number,
      toolchain: toolchain.slice(0, REPORT.digestLength),
      sourceDigest: source.slice(0, REPORT.digestLength),
      key: compileKey({ toolchain, cwd, argv, source, ...parts }),
      ...(files === undefined ? {} : { reads: files.runs }),
    };
  }

  /** A compile that was done here as well, after a server. */
  verified(host: string, output: ByteString, { verdict, differences, kept }: Verified): void {
    this.#session.record({
      event: 'verify',
      id: this.#identity.id,
      host,
      source: toText(this.source),
      output: toText(output),
      verdict,
      differences,
      ...(kept === undefined ? {} : { kept }),
    });
  }

  #of(detail: string | undefined) {
    const source = toText(this.source);
    return { ...this.#identity, source, ...(detail === undefined ? {} : { detail }) };
  }

  #end(end: EndEvent): void {
    this.#session.record(end);
    this.#messages.end(end);
  }
}

function levelOf({ environment }: RunRequest): Pick<CommandIdentity, 'level'> {
  const level = environment.get('MAKELEVEL');
  return level !== undefined && /^[0-9]{1,4}$/.test(level) ? { level: Number(level) } : {};
}
