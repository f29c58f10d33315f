/**
 * Precompiled headers of one client. What a client's own file holds is code, and is never taken:
 * only the recipe travels, and the header is made here, by the client's compiler from the client's
 * files in a sealed root, when the first compile wants it. A recipe names entries of one client's
 * tree by number, so that it always makes the same header, and no other client has a part in it.
 *
 *   told ──first compile──▶ being made ──▶ made ──others of its path, or too many──▶ removed
 */
import { fromText, toText, type ByteString } from '../core/byte-string.js';
import { describeError } from '../core/errors.js';
import { PUMP, SERVER } from '../core/limits.js';
import type { Clock } from '../platform/clock.js';
import type { WireOption } from '../protocol/plain-messages.js';
import type { PrecompiledRecipe } from '../protocol/pump-messages.js';
import { renderPumpArguments } from '../toolchain/pump-arguments.js';
import type { TreeSnapshot } from './client-tree.js';
import type { JobDirectory } from './job-directory.js';
import { jobEnvironment } from './job-environment.js';
import { JobRefused } from './job-refused.js';
import type { JobRoots } from './job-root.js';
import type { CompileEnd, CompileSpec, RootSpec, RunningCompile } from './runner.js';

export interface HeaderSurroundings {
  readonly roots: JobRoots;
  /** Niceness added to every compiler. */
  readonly nice: number;
  readonly runner: { start(spec: CompileSpec): RunningCompile };
  readonly directories: { create(): Promise<JobDirectory> };
  readonly clock: Clock;
  /** Takes a line about trouble on this host. */
  readonly log: (what: string) => void;
}

/** The files of a closure, in the order in which jobs ask for them. */
export interface ClosureFiles {
  /** Rejects with JobRefused. */
  snapshot(closure: readonly number[], signal: AbortSignal): Promise<TreeSnapshot>;
}

interface Made {
  readonly directory: JobDirectory;
  /** Shows the header at its path, and nothing else. */
  readonly layer: ByteString;
}

/** A header for as long as a compile runs. */
export interface HeldHeader {
  readonly layer: ByteString;
  release(): void;
}

export class PrecompiledHeader {
  /** Real path in the client's tree. */
  readonly path: ByteString;
  readonly #recipe: PrecompiledRecipe;
  readonly #words: readonly ByteString[];
  readonly #environment: ReadonlyMap<string, ByteString>;
  readonly #closure: readonly number[];
  readonly #files: ClosureFiles;
  readonly #around: HeaderSurroundings;
  readonly #signal: AbortSignal;
  #made: Promise<Made> | undefined;
  /** Its compiler would fail again. */
  #failure: JobRefused | undefined;
  #users = 0;
  #isWanted = true;
  #removal: Promise<void> = Promise.resolve();

  /**
   * Throws JobRefused.
   *
   * @param options the recipe's, in order
   * @param signal ends what is being made
   */
  constructor(
    recipe: PrecompiledRecipe,
    options: readonly WireOption[],
    closure: readonly number[],
    files: ClosureFiles,
    around: HeaderSurroundings,
    signal: AbortSignal,
  ) {
    const { family, language, source, output, argv0 } = recipe;
    const fields = { family, options, language, source, output } as const;
    const rendered = renderPumpArguments(
      { ...fields, stage: 'object', hasDependencyFile: false },
      argv0,
      'header',
    );
    if (!rendered.ok) throw new JobRefused('option', rendered.error);
    this.path = recipe.path;
    this.#recipe = recipe;
    this.#words = rendered.value.words;
    this.#environment = jobEnvironment(recipe.environment);
    this.#closure = closure;
    this.#files = files;
    this.#around = around;
    this.#signal = signal;
  }

  get isMade(): boolean {
    return this.#made !== undefined;
  }

  get isIdle(): boolean {
    return this.#users === 0;
  }

  /**
   * Resolves when all that it is made from is here, so that nobody who makes it waits for that with
   * a slot in hand. Rejects with JobRefused.
   */
  async arrive(signal: AbortSignal): Promise<void> {
    if (this.isMade) return;
    const snapshot = await this.#files.snapshot(this.#closure, signal);
    snapshot.release();
  }

  /** Makes it unless that is done. Rejects with JobRefused. */
  async hold(): Promise<HeldHeader> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#users++;
    this.#isWanted = true;
    const made = (this.#made ??= this.#make());
    try {
      const { layer } = await made;
      return { layer, release: () => this.#release() };
    } catch (error) {
      if (this.#made === made) this.#made = undefined;
      this.#release();
      throw error;
    }
  }

  /** Removes what was made as soon as no compile uses it; resolves when that which was is gone. */
  retire(): Promise<void> {
    this.#isWanted = false;
    if (this.#users === 0 && this.#made !== undefined) {
      const made = this.#made;
      this.#made = undefined;
      this.#removal = this.#remove(made);
    }
    return this.#removal;
  }

  async #remove(made: Promise<Made>): Promise<void> {
    try {
      const { directory } = await made;
      await directory.remove();
    } catch (error) {
      this.#around.log(`cannot remove ${toText(this.path)}: ${describeError(error)}`);
    }
  }

  #release(): void {
    this.#users--;
    if (!this.#isWanted) void this.retire();
  }

  async #make(): Promise<Made> {
    const { roots, directories } = this.#around;
    const directory = await directories.create();
    try {
      const root = roots.create(directory, []);
      const snapshot = await this.#files.snapshot(this.#closure, this.#signal);
      try {
        await this.#compile(directory, await roots.show(root, snapshot));
      } finally {
        snapshot.release();
      }
      const layer = roots.createLayer(fromText(directory.path));
      if (!root.moveTo(this.path, layer)) throw this.#refused('its compiler has made none');
      return { directory, layer: layer.spec.upper };
    } catch (error) {
      await directory.remove();
      throw error;
    }
  }

  async #compile({ path }: JobDirectory, root: RootSpec): Promise<void> {
    const { runner, nice } = this.#around;
    const { program, argv0, cwd } = this.#recipe;
    const compile = runner.start({
      program,
      words: [argv0, ...this.#words],
      environment: this.#environment,
      cwd,
      stdout: `${fromText(path)}/stdout`,
      stderr: `${fromText(path)}/stderr`,
      nice,
      root,
    });
    const { status } = await this.#endOf(compile);
    if (status === 0) return;
    this.#failure = this.#refused(`exit status ${status}`);
    throw this.#failure;
  }

  async #endOf(compile: RunningCompile): Promise<CompileEnd> {
    const stop = () => compile.kill();
    const timer = this.#around.clock.after(SERVER.jobWall, stop);
    this.#signal.addEventListener('abort', stop, { once: true });
    if (this.#signal.aborted) stop();
    try {
      return await compile.ended;
    } finally {
      timer.cancel();
      this.#signal.removeEventListener('abort', stop);
    }
  }

  #refused(why: string): JobRefused {
    return new JobRefused('failed', `cannot make ${toText(this.path)}: ${why}`);
  }
}

/** All that one client has told of. */
export class PrecompiledHeaders {
  /** By number. */
  readonly #all: PrecompiledHeader[] = [];
  /** Those that are made or being made, the one used last comes last. */
  #made: PrecompiledHeader[] = [];
  readonly #over = new AbortController();

  /** Ends when the client does. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  get count(): number {
    return this.#all.length;
  }

  add(header: PrecompiledHeader): void {
    this.#all.push(header);
  }

  at(number: number): PrecompiledHeader | undefined {
    return this.#all[number];
  }

  /** As PrecompiledHeader has it; makes room for it. */
  hold(header: PrecompiledHeader): Promise<HeldHeader> {
    const others = this.#made.filter((other) => other !== header);
    const { length } = others;
    const kept = others.filter((other, at) => {
      const isOld = other.path === header.path || length - at >= PUMP.precompiledMade;
      if (isOld) void other.retire();
      return !isOld || !other.isIdle;
    });
    this.#made = [...kept, header];
    return header.hold();
  }

  /** Resolves when nothing of them is left on disk, once no compile uses them. */
  async close(): Promise<void> {
    this.#over.abort();
    await Promise.all(this.#all.map((header) => header.retire()));
  }
}
