/**
 * Recipes of precompiled headers that outlive the session daemon: `STATE/precompiled/NAME.jsonl`, one
 * for each header, the last line holds. What is kept is the command and two fingerprints: of the file
 * that it left, and of all that it read. Both are looked at again before anything is done with it.
 */
import type { ByteString } from '../core/byte-string.js';
import { digestOf, isDigest, type Digest } from '../core/digest.js';
import { describeError, errnoCode } from '../core/errors.js';
import { PUMP } from '../core/limits.js';
import type { Files } from '../platform/files.js';
import type { WireOption } from '../protocol/plain-messages.js';
import type { CompileCommand } from '../toolchain/compile-command.js';

export interface KeptRecipe {
  /** Of the file that the compile left. */
  readonly stamp: string;
  /** Over the tree entries of all that it could read. */
  readonly closure: Digest;
  /** Path and digest of the compiler. */
  readonly compiler: ByteString;
  readonly toolchain: Digest;
  readonly command: CompileCommand;
  readonly environment: readonly WireOption[];
}

/** What a line says; another version's may have other fields in its command. */
interface Line extends KeptRecipe {
  readonly version: string;
  readonly path: ByteString;
}

export interface KeptRecipesContext {
  readonly files: Pick<Files, 'append' | 'newestFirst' | 'read' | 'remove'>;
  /** Of tscc. */
  readonly version: string;
  readonly log: (message: string) => void;
}

export class KeptRecipes {
  readonly #directory: ByteString;
  readonly #context: KeptRecipesContext;

  constructor(stateDirectory: ByteString, context: KeptRecipesContext) {
    this.#directory = `${stateDirectory}/precompiled`;
    this.#context = context;
  }

  /** @param path real path of the header; where it cannot be kept, that is logged */
  put(path: ByteString, recipe: KeptRecipe): void {
    const { files, version, log } = this.#context;
    const line: Line = { version, path, ...recipe };
    try {
      const file = this.#fileOf(path);
      files.remove(file);
      files.append(file, `${JSON.stringify(line)}\n`);
      for (const old of files.newestFirst(this.#directory).slice(PUMP.precompiledKnown)) {
        files.remove(`${this.#directory}/${old}`);
      }
    } catch (error) {
      log(`the recipe of a precompiled header cannot be kept: ${describeError(error)}`);
    }
  }

  /** The header is about to be made again. */
  forget(path: ByteString): void {
    const { files, log } = this.#context;
    try {
      files.remove(this.#fileOf(path));
    } catch (error) {
      // What is left does not fit the file any more once that is written.
      log(`the recipe of a precompiled header cannot be removed: ${describeError(error)}`);
    }
  }

  /** Undefined where none was kept by this version of tscc. */
  get(path: ByteString): KeptRecipe | undefined {
    const { files, version, log } = this.#context;
    try {
      const text = Buffer.from(files.read(this.#fileOf(path)), 'latin1').toString();
      const line = JSON.parse(text.trimEnd().split('\n').at(-1) ?? '') as Line;
      return line.version === version && line.path === path && isDigest(line.closure)
        ? line
        : undefined;
    } catch (error) {
      // Cut short by a crash or a full disk: the header is made again, or stays a local matter.
      if (errnoCode(error) !== 'ENOENT') {
        log(`the recipe of a precompiled header cannot be read: ${describeError(error)}`);
      }
      return undefined;
    }
  }

  #fileOf(path: ByteString): ByteString {
    return `${this.#directory}/${digestOf(Buffer.from(path, 'latin1'))}.jsonl`;
  }
}
