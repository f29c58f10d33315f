/**
 * TSCC_VERIFY: a compile that a server has done is done here too before the build goes on, by the
 * launcher and with the very words, paths and surroundings of the command; what both made is
 * compared. The local files are in place then, whatever comes of it.
 *
 *   local ─▶ compare ─▶ same
 *               └─▶ differs ─▶ inputs looked at ─▶ inputs-changed
 *                                     └─▶ local again ─▶ not-reproducible: differs there too
 *                                                └─▶ mismatch: kept, told, an error where wanted
 *
 * Every step may throw LauncherGone; the caller knows what that means.
 */
import { fromText, toText, type ByteString } from '../core/byte-string.js';
import { EXIT } from '../core/errors.js';
import { DAEMON, LAUNCHER, VERIFY } from '../core/limits.js';
import type { Files } from '../platform/files.js';
import { fieldBytes } from '../protocol/field-codec.js';
import type { RunRequest } from '../protocol/launcher-wire.js';
import type { VerifyVerdict } from '../report/events.js';
import {
  beyondUsual,
  differencesOf,
  STDERR,
  STDOUT,
  type CompileProducts,
  type Difference,
  type Ignored,
} from '../toolchain/output-difference.js';
import type { BuildMessages } from './build-messages.js';
import type { KeptMismatches } from './kept-mismatches.js';
import type { LauncherConnection } from './launcher-connection.js';
import { runHere } from './local-preprocessor.js';
import type { Slot } from './local-slots.js';
import { writingOf } from './output-target.js';

export interface VerificationContext {
  readonly files: Files;
  /** Stem of files in which the compiler's standard output arrives: `unique` completes it. */
  readonly sourceStem: ByteString;
  readonly unique: () => string;
  readonly mismatches: Pick<KeptMismatches, 'keep'>;
}

/** What came back from a server, with status 0. */
export interface RemoteProducts {
  readonly host: string;
  /** In the order in which differences are told. */
  readonly outputs: readonly {
    /** As the command names it. */
    readonly name: ByteString;
    /** Where it will stand. */
    readonly path: ByteString;
    /** Undefined: the server's compiler left no such file. */
    readonly bytes: Uint8Array | undefined;
  }[];
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  /** What the mode that it was done in does not promise to be the same. */
  readonly mayDiffer?: Ignored;
  /** Whether a local compile would not read what the server's did. */
  readonly inputsChanged: () => Promise<boolean>;
}

export interface Verified {
  readonly verdict: VerifyVerdict;
  readonly differences: readonly string[];
  readonly kept?: string;
  /** It was done here, and has ended; otherwise the server's files are still to be put in place. */
  readonly isLocal: boolean;
  /** A mismatch that was to be an error. */
  readonly hasFailed?: true;
}

/** What one compile here came to. */
interface LocalProducts {
  readonly status: number;
  readonly products: CompileProducts;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

export class Verification {
  readonly #request: RunRequest;
  readonly #source: ByteString;
  readonly #session: string;
  readonly #fails: boolean;
  readonly #launcher: LauncherConnection;
  readonly #messages: BuildMessages;
  readonly #localSlot: () => Promise<Slot | undefined>;
  readonly #context: VerificationContext;

  /** @param fails whether a mismatch is an error */
  constructor(
    request: RunRequest,
    source: ByteString,
    session: string,
    fails: boolean,
    launcher: LauncherConnection,
    messages: BuildMessages,
    localSlot: () => Promise<Slot | undefined>,
    context: VerificationContext,
  ) {
    this.#request = request;
    this.#source = source;
    this.#session = session;
    this.#fails = fails;
    this.#launcher = launcher;
    this.#messages = messages;
    this.#localSlot = localSlot;
    this.#context = context;
  }

  /**
   * Compiles here, puts nothing of the server's in place, and lets the launcher end.
   *
   * @param onResult called before that
   */
  async run(remote: RemoteProducts, onResult: () => void): Promise<Verified> {
    const { argv } = this.#request;
    if (fieldBytes(argv) > DAEMON.commandBytes || remote.stderr.length > LAUNCHER.frameBytes) {
      return { verdict: 'too-large', differences: [], isLocal: false };
    }
    const first = await this.#compile(remote);
    const found = compare(remote, first);
    const finish = (local: LocalProducts, verdict: VerifyVerdict) => {
      onResult();
      return this.#finish(local, { verdict, differences: textsOf(found) });
    };
    if (found.length === 0) return finish(first, 'same');
    if (await remote.inputsChanged()) return finish(first, 'inputs-changed');
    const second = await this.#compile(remote);
    const beyond = beyondUsual(found, differencesBetween(first, second));
    if (beyond.length === 0) return finish(second, 'not-reproducible');
    return this.#disagree(remote, second, textsOf(beyond));
  }

  async #compile({ outputs }: RemoteProducts): Promise<LocalProducts> {
    const { files, sourceStem, unique } = this.#context;
    const before = outputs.map(({ path }) => writingOf(path, files));
    const into = `${sourceStem}${unique()}`;
    const slot = await this.#localSlot();
    try {
      const { status, stderr } = await runHere(this.#request.argv, into, [], this.#launcher);
      const products = new Map<string, Uint8Array>();
      for (const [at, { name, path }] of outputs.entries()) {
        if (files.stat(path)?.kind !== 'file' || writingOf(path, files) === before[at]) continue;
        products.set(toText(name), await files.readBytes(path));
      }
      return { status, products, stdout: await files.readBytes(into), stderr };
    } finally {
      files.remove(into);
      slot?.release();
    }
  }

  async #disagree(
    remote: RemoteProducts,
    local: LocalProducts,
    differences: readonly string[],
  ): Promise<Verified> {
    const { host, outputs, stdout, stderr } = remote;
    const kept = await this.#context.mismatches.keep(this.#request, {
      session: this.#session,
      host,
      source: this.#source,
      differences,
      remote: productsOf(outputs, stdout, stderr),
      local: withWords(local),
    });
    const source = toText(this.#source);
    const where = kept === undefined ? 'neither could be kept' : `both are in ${kept}`;
    this.#messages.alarm(
      fromText(
        `MISMATCH: ${source}: ${host} made another result than this host: ` +
          `${differences[0]}; the local one is used, ${where}`,
      ),
    );
    const verified = {
      verdict: 'mismatch',
      differences,
      ...(kept === undefined ? {} : { kept }),
    } as const;
    if (!this.#fails) return this.#finish(local, verified);
    // As a compiler does: a failure leaves nothing that the next make would take for up to date.
    for (const { path } of outputs) this.#context.files.remove(path);
    const message = fromText(`verify-mismatch: ${source}: ${differences[0]}`);
    this.#launcher.send({ kind: 'fail', status: EXIT.failure, message });
    return { ...verified, isLocal: true, hasFailed: true };
  }

  /** Prints what the compiler here printed, and ends as it did. */
  async #finish(
    { status, stdout, stderr }: LocalProducts,
    verified: Omit<Verified, 'isLocal'>,
  ): Promise<Verified> {
    this.#launcher.gone.throwIfAborted();
    if (stdout.length > 0) this.#launcher.send({ kind: 'stdout', bytes: stdout });
    if (stderr.length > 0) this.#launcher.send({ kind: 'stderr', bytes: stderr });
    this.#launcher.send({ kind: 'done', status, renames: [] });
    await this.#launcher.next();
    return { ...verified, isLocal: true };
  }
}

function textsOf(found: readonly Difference[]): readonly string[] {
  return found.slice(0, VERIFY.differences).map(({ text }) => text);
}

function compare(remote: RemoteProducts, local: LocalProducts): readonly Difference[] {
  const { outputs, stdout, stderr, mayDiffer } = remote;
  const there = productsOf(outputs, stdout, stderr);
  return [
    ...statusDifference(0, local.status),
    ...differencesOf(there, withWords(local), mayDiffer),
  ];
}

/** The first takes the server's part. */
function differencesBetween(first: LocalProducts, second: LocalProducts): readonly Difference[] {
  return [
    ...statusDifference(first.status, second.status),
    ...differencesOf(withWords(first), withWords(second)),
  ];
}

function statusDifference(there: number, here: number): Difference[] {
  if (there === here) return [];
  const part = 'exit status';
  return [{ part, text: `${part} ${there} on the server, ${here} here` }];
}

function productsOf(
  outputs: RemoteProducts['outputs'],
  stdout: Uint8Array,
  stderr: Uint8Array,
): CompileProducts {
  const products = new Map<string, Uint8Array>();
  for (const { name, bytes } of outputs) if (bytes !== undefined) products.set(toText(name), bytes);
  return products.set(STDOUT, stdout).set(STDERR, stderr);
}

function withWords({ products, stdout, stderr }: LocalProducts): CompileProducts {
  return new Map(products).set(STDOUT, stdout).set(STDERR, stderr);
}
