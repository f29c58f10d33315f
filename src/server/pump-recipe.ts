/**
 * A pump job: the client's source, compiled by the client's compiler in a sealed root that shows
 * the client's own files at their own paths, and nothing else.
 */
import { joinPath, type ByteString } from '../core/byte-string.js';
import { WIRE } from '../core/limits.js';
import { packNumbers } from '../protocol/number-runs.js';
import type { WireOption } from '../protocol/plain-messages.js';
import type { PumpJob, PumpOutput } from '../protocol/pump-messages.js';
import { systemPath } from '../platform/system-path.js';
import { parseDependencyFile } from '../toolchain/dependency-file.js';
import { DEPENDENCY_LISTS, renderPumpArguments } from '../toolchain/pump-arguments.js';
import type { TreeSnapshot } from './client-tree.js';
import type { Delivery, JobRecipe, JobTimes } from './compile-job.js';
import { encodeOutput, openContent, type Content, type EncodedOutput } from './job-output.js';
import { jobEnvironment, TEMPORARY } from './job-environment.js';
import { JobRefused } from './job-refused.js';
import { memoryKeys, type MemoryKeys } from './memory-use.js';
import type { JobDirectory } from './job-directory.js';
import type { JobRoot, JobRoots } from './job-root.js';
import type { ClosureFiles, HeldHeader, PrecompiledHeader } from './precompiled-header.js';
import type { CompileEnd, CompileSpec } from './runner.js';

export interface PumpSurroundings {
  readonly roots: JobRoots;
  /** Niceness added to every compiler. */
  readonly nice: number;
}

/** A precompiled header, and how to get it. */
export interface WantedHeader extends Pick<PrecompiledHeader, 'path' | 'arrive'> {
  readonly hold: () => Promise<HeldHeader>;
}

/** What the compiler says that it read. */
interface Read {
  readonly dependencies: Uint8Array | null;
  readonly uncovered: readonly ByteString[];
}

export class PumpRecipe implements JobRecipe {
  readonly memoryKeys: MemoryKeys;
  readonly #job: PumpJob;
  readonly #around: PumpSurroundings;
  readonly #words: readonly ByteString[];
  readonly #addedLists: readonly ByteString[];
  readonly #environment: ReadonlyMap<string, ByteString>;
  readonly #unwanted = new AbortController();
  readonly #snapshot: Promise<TreeSnapshot>;
  readonly #headers: readonly WantedHeader[];
  readonly #held: HeldHeader[] = [];
  #directory = '';
  #root: JobRoot | undefined;

  /**
   * The closure is asked for at once, since that of a later job builds upon it. Throws JobRefused.
   *
   * @param options the job's, in order
   * @param closure numbers of its tree entries
   * @param headers precompiled ones that the compile shall find
   */
  constructor(
    job: PumpJob,
    options: readonly WireOption[],
    closure: readonly number[],
    files: ClosureFiles,
    headers: readonly WantedHeader[],
    around: PumpSurroundings,
  ) {
    this.#job = job;
    this.#headers = headers;
    this.#around = around;
    const { family, language, stage, source, output, dependencyFile } = job;
    const hasDependencyFile = dependencyFile !== null;
    const suffix = language ?? job.source.slice(job.source.lastIndexOf('.'));
    this.memoryKeys = memoryKeys(`${job.program}\0${job.sourcePath}`, suffix, options);
    const rendered = renderPumpArguments(
      { family, options, language, stage, source, output, hasDependencyFile },
      job.argv0,
    );
    if (!rendered.ok) throw new JobRefused('option', rendered.error);
    this.#words = rendered.value.words;
    this.#addedLists = rendered.value.addedLists;
    this.#environment = jobEnvironment(job.environment);
    this.#snapshot = files.snapshot(closure, this.#unwanted.signal);
    // Awaited when the source is there; until then a refusal is nobody's fault.
    this.#snapshot.catch(() => undefined);
  }

  async prepare(
    directory: JobDirectory,
    receiveSource: (path: string | Buffer) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const { sourcePath, sourceMode: mode, sourceTime: mtime } = this.#job;
    signal.addEventListener('abort', () => this.#unwanted.abort(), { once: true });
    this.#directory = directory.path;
    const root = this.#around.roots.create(directory, []);
    this.#root = root;
    if (this.#addedLists.length > 0) root.putDirectory(DEPENDENCY_LISTS);
    await receiveSource(systemPath(root.placeFor(sourcePath)));
    root.setLook(sourcePath, { mode, mtime });
    await this.#snapshot;
    for (const header of this.#headers) await header.arrive(this.#unwanted.signal);
  }

  async command(): Promise<CompileSpec> {
    const { program, argv0, cwd, terminal } = this.#job;
    const snapshot = await this.#snapshot;
    for (const { hold } of this.#headers) this.#held.push(await hold());
    const headers = this.#held.map(({ layer }) => layer);
    const root = await this.#around.roots.show(this.#madeRoot(), snapshot, headers);
    return {
      program,
      words: [argv0, ...this.#words],
      environment: this.#environment,
      cwd,
      stdout: `${this.#directory}/stdout`,
      stderr: `${this.#directory}/stderr`,
      nice: this.#around.nice,
      terminal,
      root,
    };
  }

  async collect(end: CompileEnd): Promise<Delivery> {
    const { job, sourceDigest } = this.#job;
    const opened: Content[] = [];
    const take = async (opening: Promise<Content | undefined>) => {
      const content = await opening;
      if (content !== undefined) opened.push(content);
      return content;
    };
    try {
      const printed = (name: string) =>
        take(openContent(`${this.#directory}/${name}`, WIRE.diagnosticsBytes, name));
      const stdout = await printed('stdout');
      const stderr = await printed('stderr');
      if (stdout === undefined || stderr === undefined) {
        throw new JobRefused('failed', 'what the compiler printed is gone');
      }
      // What a failed compiler may have left is not a result.
      const outputs = end.status === 0 ? await this.#outputs(take) : [];
      const read = await this.#read();
      const announce = (times: JobTimes) =>
        ({
          kind: 'pump-result',
          job,
          status: end.status,
          signal: end.signal,
          sourceDigest,
          outputs: outputs.map(({ announced }) => announced),
          stdoutBytes: stdout.bytes,
          stderrBytes: stderr.bytes,
          ...read,
          cpuMicroseconds: end.cpuMicroseconds,
          wallMilliseconds: Math.round(times.wall),
          queueMilliseconds: Math.round(times.queue),
          maxRssKiB: end.maxRssKiB,
        }) as const;
      const contents = [...outputs.map(({ output }) => output.content), stdout, stderr];
      return { announce, contents };
    } catch (error) {
      await Promise.all(opened.map((content) => content.close()));
      throw error;
    }
  }

  close(): void {
    this.#unwanted.abort();
    for (const held of this.#held) held.release();
    this.#snapshot.then(
      (snapshot) => snapshot.release(),
      // It was refused, or not wanted any more: there is nothing to let go of.
      () => undefined,
    );
  }

  async #outputs(
    take: (opening: Promise<Content | undefined>) => Promise<Content | undefined>,
  ): Promise<{ readonly announced: PumpOutput; readonly output: EncodedOutput }[]> {
    const root = this.#madeRoot();
    const outputs = [];
    for (const [index, path] of this.#job.outputs.entries()) {
      const content = await take(root.openOutput(path, WIRE.outputBytes, `output ${index}`));
      if (content === undefined) continue;
      const scratch = `${this.#directory}/output-${index}.br`;
      const output = await encodeOutput(content, this.#job.answerEncoding, scratch);
      const { bytes, digest, encoding } = output;
      const encodedBytes = output.content.bytes;
      outputs.push({ announced: { index, bytes, digest, encoding, encodedBytes }, output });
    }
    return outputs;
  }

  /** By the compiler's own lists; null where it makes none, or has failed before it could. */
  async #read(): Promise<Read> {
    const { dependencyFile, outputs, cwd, sourcePath } = this.#job;
    const own = dependencyFile === null ? undefined : outputs[dependencyFile];
    const lists = own === undefined ? this.#addedLists : [own, ...this.#addedLists];
    const snapshot = await this.#snapshot;
    const numbers = new Set<number>();
    const uncovered: ByteString[] = [];
    let isKnown = false;
    for (const list of lists) {
      const limit = WIRE.diagnosticsBytes;
      const content = await this.#madeRoot().openOutput(list, limit, 'dependency list');
      if (content === undefined) continue;
      const pieces: Uint8Array[] = [];
      for await (const piece of content.pieces) pieces.push(piece);
      await content.close();
      isKnown = true;
      for (const name of parseDependencyFile(Buffer.concat(pieces).toString('latin1'))) {
        const absolute = joinPath(cwd, name);
        // The driver's own, between compiler and assembler, and the device that is in every root.
        if (absolute.startsWith(`${TEMPORARY}/`) || absolute === '/dev/null') continue;
        if (this.#headers.some(({ path }) => snapshot.leadsTo(absolute, path))) continue;
        const number = snapshot.fileAt(absolute);
        if (number !== undefined) numbers.add(number);
        // The source is no entry, by whichever of its names it is listed.
        else if (!snapshot.leadsTo(absolute, sourcePath)) uncovered.push(absolute);
      }
    }
    if (!isKnown) return { dependencies: null, uncovered: [] };
    const sorted = [...numbers].toSorted((a, b) => a - b);
    return {
      dependencies: packNumbers(sorted),
      uncovered: uncovered.slice(0, WIRE.elements),
    };
  }

  #madeRoot(): JobRoot {
    if (this.#root === undefined) throw new Error('Internal error: a job without a root');
    return this.#root;
  }
}
