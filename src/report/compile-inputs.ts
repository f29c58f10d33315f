/** What compiles read and were run with, from the lines of a journal that are shared by many. Pure. */
import type { JournalLine, ReadFile } from './events.js';
import { splitRuns } from './file-runs.js';

type Line<E extends JournalLine['event']> = Extract<JournalLine, { readonly event: E }>;

/** What a compile rests on, as far as the journal tells; null or empty where it does not. */
export interface CompileInputs {
  /** One word for all of it. */
  readonly key: string | null;
  /** Digests; of the source in plain mode after preprocessing. */
  readonly toolchain: string | null;
  readonly source: string | null;
  readonly variables: Readonly<Record<string, string>> | null;
  /** Places in the fold's `files`. */
  readonly reads: readonly number[];
}

export const NO_INPUTS: CompileInputs = {
  key: null,
  toolchain: null,
  source: null,
  variables: null,
  reads: [],
};

/** Takes the lines of one session, in their order. */
export class InputFold {
  /** Every file with every content that was read. */
  readonly files: ReadFile[] = [];
  /** Number of a file since the session was joined → place in `files`. */
  #numbers: number[] = [];
  readonly #environments = new Map<number, Readonly<Record<string, string>>>();

  add(line: Line<'session-start' | 'files' | 'environment'>): void {
    switch (line.event) {
      case 'session-start':
        this.#numbers = [];
        this.#environments.clear();
        return;
      case 'environment':
        this.#environments.set(line.environment, line.variables);
        return;
      case 'files':
        for (const [at, file] of line.files.entries()) {
          this.#numbers[line.first + at] = this.files.length;
          this.files.push(file);
        }
    }
  }

  inputsOf(line: Line<'compile'>): CompileInputs {
    return {
      key: line.key ?? null,
      toolchain: line.toolchain ?? null,
      source: line.sourceDigest ?? null,
      variables: this.#environments.get(line.environment ?? -1) ?? null,
      reads: this.#readsOf(line),
    };
  }

  #readsOf({ reads }: Line<'compile'>): number[] {
    if (reads === undefined) return [];
    return splitRuns(reads, this.#numbers.length).flatMap((number) => {
      const at = this.#numbers[number];
      return at === undefined ? [] : [at];
    });
  }
}
