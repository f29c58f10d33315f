/** A plain job: a preprocessed source that comes whole, compiled in the job's own directory. */
import { fromText, type ByteString } from '../core/byte-string.js';
import type { Result } from '../core/errors.js';
import { WIRE } from '../core/limits.js';
import type { Job } from '../protocol/plain-messages.js';
import type { Language } from '../toolchain/compile-command.js';
import type { JobDirectory } from './job-directory.js';
import type { Delivery, JobRecipe, JobTimes } from './compile-job.js';
import { collectContents, encodeOutput, NO_OUTPUT } from './job-output.js';
import { JobRefused } from './job-refused.js';
import { memoryKeys, type MemoryKeys } from './memory-use.js';
import type { JobUser } from './job-users.js';
import type { CompileEnd, CompileSpec } from './runner.js';
import type { SandboxState } from './sandbox.js';
import type { CompilerCatalogue } from './toolchains.js';

/** Turns a job's typed options into arguments; the error says which option it cannot express. */
export type RenderArguments = (
  options: Job['options'],
  context: {
    readonly language: Language;
    readonly stage: 'object' | 'assembly';
    readonly source: ByteString;
    readonly output: ByteString;
  },
) => Result<ByteString[], string>;

export interface PlainSurroundings {
  readonly compilers: CompilerCatalogue;
  readonly renderArguments: RenderArguments;
  readonly sandbox: SandboxState;
  /** PATH of every compiler: where it finds as, objcopy and its kin. */
  readonly path: string;
  /** Niceness added to every compiler. */
  readonly nice: number;
}

const SUFFIX: { readonly [L in Language]: string } = {
  c: 'i',
  'c++': 'ii',
  'objective-c': 'mi',
  'objective-c++': 'mii',
  'cpp-output': 'i',
  'c++-cpp-output': 'ii',
  'objective-c-cpp-output': 'mi',
  'objective-c++-cpp-output': 'mii',
  assembler: 's',
  'assembler-with-cpp': 's',
};

/**
 * In the job's directory, which is where the compiler starts: it goes by names without a directory,
 * as the way there may be closed to its user, and none of this host's names shows in an object.
 */
const TEMPORARY = 'tmp';

const NOT_SEALED = 'plain jobs cannot be sealed off on this host; the log of tsccd says why';

export class PlainRecipe implements JobRecipe {
  readonly memoryKeys: MemoryKeys;
  readonly #job: Job;
  readonly #around: PlainSurroundings;
  readonly #words: readonly ByteString[];
  #directory = '';
  #user: JobUser | undefined;

  /** Throws JobRefused for what can be refused before anything is made for the job. */
  constructor(job: Job, around: PlainSurroundings) {
    this.#job = job;
    const { toolchain, language, options, sourceDigest } = job;
    this.memoryKeys = memoryKeys(toolchain + sourceDigest, language, options);
    this.#around = around;
    this.#words = this.#renderArguments();
    if (around.sandbox.confine([]) === undefined) throw new JobRefused('sandbox', NOT_SEALED);
  }

  async prepare(
    directory: JobDirectory,
    receiveSource: (path: string) => Promise<void>,
  ): Promise<void> {
    this.#directory = directory.path;
    directory.add(TEMPORARY);
    await receiveSource(`${directory.path}/${this.#source}`);
  }

  async command(): Promise<CompileSpec> {
    const known = await this.#around.compilers.current(this.#job.toolchain);
    if (known === undefined) {
      throw new JobRefused('toolchain', 'this server does not have that compiler');
    }
    const confinement = this.#around.sandbox.confine(known.files);
    if (confinement === undefined) throw new JobRefused('sandbox', NOT_SEALED);
    const user = (this.#user = this.#around.sandbox.users?.claim());
    for (const name of ['', TEMPORARY, this.#source]) user?.own(`${this.#directory}/${name}`);
    const { compiler } = known;
    const directory = fromText(this.#directory);
    return {
      program: compiler,
      confinement: user === undefined ? confinement : { ...confinement, user: user.id },
      words: [compiler, ...this.#words],
      environment: this.#environment(),
      cwd: directory,
      stdout: `${directory}/stdout`,
      stderr: `${directory}/stderr`,
      nice: this.#around.nice,
    };
  }

  async collect(end: CompileEnd): Promise<Delivery> {
    const { job, sourceDigest, sourceEncoding } = this.#job;
    const directory = this.#directory;
    // What a failed compiler may have left is not a result.
    const wanted = [
      { path: `${directory}/stdout`, limit: WIRE.diagnosticsBytes, what: 'standard output' },
      { path: `${directory}/stderr`, limit: WIRE.diagnosticsBytes, what: 'standard error' },
      ...(end.status === 0
        ? [{ path: `${directory}/${this.#output}`, limit: WIRE.outputBytes, what: 'output' }]
        : []),
    ];
    const { contents, closeAll } = await collectContents(wanted);
    const [stdout, stderr, made] = contents;
    try {
      if (
        stdout === undefined ||
        stderr === undefined ||
        (made === undefined && end.status === 0)
      ) {
        throw new JobRefused('failed', 'the compiler succeeded without making its output');
      }
      const scratch = `${directory}/output.br`;
      // As the source came, so shall the output go: the client knows its wire.
      const output =
        made === undefined ? NO_OUTPUT : await encodeOutput(made, sourceEncoding, scratch);
      const announce = (times: JobTimes) =>
        ({
          kind: 'result',
          job,
          status: end.status,
          signal: end.signal,
          sourceDigest,
          outputBytes: output.bytes,
          outputDigest: output.digest,
          outputEncoding: output.encoding,
          encodedBytes: output.content.bytes,
          stdoutBytes: stdout.bytes,
          stderrBytes: stderr.bytes,
          cpuMicroseconds: end.cpuMicroseconds,
          wallMilliseconds: Math.round(times.wall),
          queueMilliseconds: Math.round(times.queue),
          maxRssKiB: end.maxRssKiB,
        }) as const;
      return { announce, contents: [output.content, stdout, stderr] };
    } catch (error) {
      await closeAll();
      throw error;
    }
  }

  close(): void {
    this.#user?.release();
  }

  get #source(): string {
    return `source.${SUFFIX[this.#job.language]}`;
  }

  get #output(): string {
    return `output.${this.#job.stage === 'object' ? 'o' : 's'}`;
  }

  #renderArguments(): ByteString[] {
    const { options, language, stage } = this.#job;
    const rendered = this.#around.renderArguments(options, {
      language,
      stage,
      source: this.#source,
      output: this.#output,
    });
    if (!rendered.ok) throw new JobRefused('option', rendered.error);
    return rendered.value;
  }

  /** Nothing of the server's own environment gets into a job. */
  #environment(): ReadonlyMap<string, ByteString> {
    const environment = new Map([
      ['PATH', fromText(this.#around.path)],
      ['TMPDIR', TEMPORARY],
      ['LC_ALL', 'C'],
    ]);
    const { sourceDateEpoch } = this.#job;
    if (sourceDateEpoch !== null) environment.set('SOURCE_DATE_EPOCH', String(sourceDateEpoch));
    return environment;
  }
}
