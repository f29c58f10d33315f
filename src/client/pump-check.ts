/** Whether a result of pump mode is that of the files as they are now. */
import { toText, type ByteString } from '../core/byte-string.js';
import type { HeaderClosure } from '../include-server/header-closure.js';
import type { IncludeServer } from '../include-server/include-server.js';
import type { TreeEntry } from '../protocol/tree-entry.js';
import type { CompileCommand } from '../toolchain/compile-command.js';
import { dependencyListOf } from '../toolchain/pump-command.js';
import { readsClock } from './clock-check.js';
import type { RemoteRun } from './compile-steps.js';
import { fallback } from './compile-verdict.js';
import type { PrecompiledHeaders } from './precompiled-headers.js';
import type { HeaderRecipe, SourceFile } from './remote-job.js';

/** A compile that ran to its end on a server, and what it was given. */
export interface Attempt {
  readonly closure: HeaderClosure;
  readonly precompiled: readonly HeaderRecipe[];
  readonly run: RemoteRun;
  readonly source: SourceFile;
  /** Whether its words are those for the terminal here. */
  readonly terminal: boolean;
}

export interface PumpCheckContext {
  readonly includes: Pick<IncludeServer, 'changedSince'>;
  readonly precompiled: Pick<PrecompiledHeaders, 'isStill'>;
}

export class PumpCheck {
  readonly #command: CompileCommand;
  readonly #environment: ReadonlyMap<ByteString, ByteString>;
  readonly #context: PumpCheckContext;

  constructor(
    command: CompileCommand,
    environment: ReadonlyMap<ByteString, ByteString>,
    context: PumpCheckContext,
  ) {
    this.#command = command;
    this.#environment = environment;
    this.#context = context;
  }

  /** Whether what the compiler read is what it would read now, and does not tie it to a time. Throws RunLocally. */
  async holds({ closure, precompiled, run: { result, host } }: Attempt): Promise<boolean> {
    if (!precompiled.every((recipe) => this.#context.precompiled.isStill(recipe))) return false;
    const list = dependencyListOf(this.#command);
    const { read } = result;
    if (read === undefined && list !== 'none') {
      throw fallback('closure-hole', `${host} did not tell what the compiler read`);
    }
    if (read !== undefined && read.uncovered.length > 0) {
      throw fallback('closure-hole', `it read ${toText(read.uncovered[0] ?? '')}`);
    }
    const files: TreeEntry[] = [closure.sourceEntry, ...(read?.entries ?? [])];
    // Such a list leaves out what came by way of a system directory, wherever that is.
    if (list === 'own-without-system') files.push(...closure.entries());
    const clock = readsClock(closure.clockWords, files, this.#environment);
    if (clock !== undefined) throw fallback('date-time', toText(clock));
    const changed = await this.#context.includes.changedSince(closure.version, files);
    return changed.length === 0;
  }

  /** Of a compile that failed, and may not have told all that it read. */
  async hasChanged({ closure }: Attempt): Promise<boolean> {
    const files = [closure.sourceEntry, ...closure.entries()];
    return (await this.#context.includes.changedSince(closure.version, files)).length > 0;
  }
}
