/**
 * How the precompiled headers of the builds came to be. Servers make their own from the same
 * recipe, and never take one: it is code. So what stands at a path counts only while it is the
 * very file that a compile here has left, from files that are still as they were then.
 *
 *   compile of a header ──begin──▶ its closure ──local run──▶ end: same closure, new file ──▶ known
 *   compile that meets it ──recipeOf──▶ same file, same closure ──▶ recipe, else pch-present
 *
 * What a daemon before this one has learnt is read again from the state directory (kept-recipes.ts).
 */
import { isDeepStrictEqual } from 'node:util';
import { baseName, directoryName, joinPath, type ByteString } from '../core/byte-string.js';
import { digestOf, type Digest } from '../core/digest.js';
import { PUMP } from '../core/limits.js';
import type { HeaderClosure } from '../include-server/header-closure.js';
import type { IncludeServer } from '../include-server/include-server.js';
import type { Files } from '../platform/files.js';
import { packEntry } from '../protocol/pump-messages.js';
import type { TreeEntry } from '../protocol/tree-entry.js';
import type { CompileCommand } from '../toolchain/compile-command.js';
import { pumpFields, pumpObstacle } from '../toolchain/pump-command.js';
import { pumpEnvironment } from '../toolchain/pump-environment.js';
import type { Toolchain } from '../toolchain/toolchain.js';
import { readsClock } from './clock-check.js';
import type { CompilerFiles } from './compiler-files.js';
import type { CompilerIdentifier } from './decision.js';
import type { KeptRecipes } from './kept-recipes.js';
import type { HeaderRecipe } from './remote-job.js';

export interface PrecompiledHeadersContext {
  readonly files: Pick<Files, 'stat' | 'realPath'>;
  readonly includes: Pick<IncludeServer, 'closureOf'>;
  readonly compilerFiles: Pick<CompilerFiles, 'of'>;
  readonly compilers: CompilerIdentifier;
  readonly kept: Pick<KeptRecipes, 'forget' | 'get' | 'put'>;
}

/** A command that makes a precompiled header. */
export interface HeaderCommand {
  readonly command: CompileCommand;
  readonly toolchain: Toolchain;
  readonly environment: ReadonlyMap<ByteString, ByteString>;
}

interface Known {
  readonly given: HeaderCommand;
  readonly closure: HeaderClosure;
  readonly recipe: HeaderRecipe;
  /** Of the file that the compile left. */
  readonly stamp: string;
}

/** A compile of a header while it runs. */
export interface HeaderCompile {
  /** To be called when it has ended, however. */
  end(): Promise<void>;
}

export class PrecompiledHeaders {
  readonly #context: PrecompiledHeadersContext;
  /** By real path; the one used last comes last. */
  readonly #known = new Map<ByteString, Known>();
  /** Paths that are written at the moment, and how often. */
  readonly #written = new Map<ByteString, number>();
  /** Compiles that have ended and are not known yet. */
  readonly #ending = new Map<ByteString, Promise<void>>();

  constructor(context: PrecompiledHeadersContext) {
    this.#context = context;
  }

  /**
   * To be called before the compiler starts.
   *
   * @returns undefined where servers cannot make such a header
   */
  async begin(given: HeaderCommand): Promise<HeaderCompile | undefined> {
    const { command, environment } = given;
    const path = this.#pathOf(command);
    if (path === undefined) return undefined;
    this.#known.delete(path);
    this.#context.kept.forget(path);
    if (pumpObstacle(command, environment) !== undefined) return undefined;
    const before = await this.#closureOf(given, path);
    if (before === undefined) return undefined;
    const stamp = this.#stampOf(path);
    this.#written.set(path, (this.#written.get(path) ?? 0) + 1);
    let isAlone = this.#written.get(path) === 1;
    return {
      end: () => {
        const writers = this.#written.get(path) ?? 1;
        isAlone &&= writers === 1;
        if (writers === 1) this.#written.delete(path);
        else this.#written.set(path, writers - 1);
        const left = this.#stampOf(path);
        // It failed, or another one wrote the same file meanwhile.
        if (left === undefined || left === stamp || !isAlone) return Promise.resolve();
        const ending = this.#learn(given, path, before, left);
        this.#ending.set(path, ending);
        return ending.finally(() => {
          if (this.#ending.get(path) === ending) this.#ending.delete(path);
        });
      },
    };
  }

  /** The recipe of what stands at a real path; undefined where it is not known. */
  async recipeOf(path: ByteString): Promise<HeaderRecipe | undefined> {
    await this.#ending.get(path);
    const known = this.#known.get(path) ?? (await this.#recall(path));
    if (known === undefined || !this.isStill(known.recipe)) return undefined;
    const closure = await this.#closureOf(known.given, path);
    if (closure === undefined || !isSame(known.closure, closure)) return undefined;
    // The newest objects, since a connection tells them from older ones.
    const recipe = closure === known.closure ? known.recipe : recipeOf(known.given, path, closure);
    const renewed = { ...known, closure, recipe };
    // Other compiles ask at the same time; another header, or none, is not this one.
    const now = this.#known.get(path);
    if (now?.given !== known.given || now.stamp !== known.stamp) return undefined;
    this.#remember(path, renewed);
    return recipe;
  }

  /** Whether the file is still the one that the recipe is of. */
  isStill({ path }: HeaderRecipe): boolean {
    const known = this.#known.get(path);
    return known !== undefined && known.stamp === this.#stampOf(path);
  }

  async #learn(
    given: HeaderCommand,
    path: ByteString,
    before: HeaderClosure,
    stamp: string,
  ): Promise<void> {
    const closure = await this.#closureOf(given, path);
    if (closure === undefined || !isSame(before, closure)) return;
    const { clockWords } = closure;
    if (readsClock(clockWords, entriesOf(closure), given.environment) !== undefined) return;
    this.#remember(path, { given, closure, recipe: recipeOf(given, path, closure), stamp });
    const { command, toolchain, environment } = given;
    this.#context.kept.put(path, {
      stamp,
      closure: fingerprint(closure),
      compiler: toolchain.compiler,
      toolchain: toolchain.digest,
      command,
      environment: pumpEnvironment(environment),
    });
  }

  /** What an earlier daemon knew, if all is as it was then. */
  async #recall(path: ByteString): Promise<Known | undefined> {
    const { kept, compilers } = this.#context;
    const recipe = kept.get(path);
    if (recipe === undefined || recipe.stamp !== this.#stampOf(path)) return undefined;
    const { command, compiler, stamp } = recipe;
    const environment = new Map(recipe.environment.map(([name, value]) => [name, value ?? '']));
    const toolchain = await compilers.identify(compiler, environment.get('PATH') ?? '');
    if (typeof toolchain === 'string' || toolchain.digest !== recipe.toolchain) return undefined;
    const given = { command, toolchain, environment };
    const closure = await this.#closureOf(given, path);
    if (closure === undefined || fingerprint(closure) !== recipe.closure) return undefined;
    // Another compile asked at the same time, or the header has been made again.
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    this.#remember(path, { given, closure, recipe: recipeOf(given, path, closure), stamp });
    return this.#known.get(path);
  }

  #remember(path: ByteString, known: Known): void {
    this.#known.delete(path);
    this.#known.set(path, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > PUMP.precompiledKnown && oldest !== undefined) {
      this.#known.delete(oldest);
    }
  }

  /** Undefined where it cannot be told, or another precompiled header may be part of it. */
  async #closureOf(given: HeaderCommand, path: ByteString): Promise<HeaderClosure | undefined> {
    const { command, toolchain, environment } = given;
    const { includes, compilerFiles } = this.#context;
    const compiler = compilerFiles.of(toolchain, environment);
    const answer = await includes.closureOf(command, toolchain, environment, compiler);
    if (answer.kind === 'not-covered') return undefined;
    const others = answer.closure.precompiled.some((other) => other !== path);
    return others ? undefined : answer.closure;
  }

  /** Real path of what it makes; undefined where that is no regular file. */
  #pathOf({ cwd, output }: CompileCommand): ByteString | undefined {
    const { files } = this.#context;
    const named = joinPath(cwd, output);
    const directory = files.realPath(directoryName(named));
    if (directory === undefined) return undefined;
    const path = joinPath(directory, baseName(named));
    const standing = files.realPath(path);
    return standing === undefined || standing === path ? path : undefined;
  }

  #stampOf(path: ByteString): string | undefined {
    const facts = this.#context.files.stat(path);
    return facts?.kind === 'file' ? `${facts.id} ${facts.size} ${facts.modified}` : undefined;
  }
}

function recipeOf(given: HeaderCommand, path: ByteString, closure: HeaderClosure): HeaderRecipe {
  const { command, toolchain, environment } = given;
  return {
    path,
    command: pumpFields(command),
    program: toolchain.compiler,
    argv0: command.argv0,
    cwd: command.cwd,
    environment: pumpEnvironment(environment),
    closure: entriesOf(closure),
  };
}

/** With the source, which is a file like any other where a header is made. */
function entriesOf(closure: HeaderClosure): readonly TreeEntry[] {
  return [...new Set([...closure.entries(), closure.sourceEntry])];
}

/** The same for the same entries, whichever daemon has found them and in whatever order. */
function fingerprint(closure: HeaderClosure): Digest {
  const entries = entriesOf(closure).map((entry) => JSON.stringify(packEntry(entry)));
  return digestOf(entries.toSorted().join('\n'));
}

/** Whether all is there that was, as it was, and nothing else. */
function isSame(one: HeaderClosure, other: HeaderClosure): boolean {
  if (one === other) return true;
  const [before, after] = [entriesOf(one), entriesOf(other)];
  return (
    before.length === after.length &&
    before.every((entry, at) => entry === after[at] || isDeepStrictEqual(entry, after[at]))
  );
}
