/**
 * The files that a compile leaves: made as temporaries beside their targets, which the launcher
 * renames into place once all are there, or removed again.
 */
import type { ByteString } from '../core/byte-string.js';
import type { Files } from '../platform/files.js';
import type { Rename } from '../protocol/launcher-wire.js';
import { temporaryBeside, type OutputTarget } from './output-target.js';

/** A target and the temporary for it. */
export interface PendingOutput {
  readonly target: OutputTarget;
  readonly temporary: ByteString;
}

export class CompileOutputs {
  readonly all: readonly PendingOutput[];
  readonly #newMode: number;
  readonly #files: Pick<Files, 'writeNew' | 'remove'>;

  /**
   * @param targets in the order in which they are put in place: the object last
   * @param umask of the build
   * @param unique a string that no other compile uses, safe in a file name
   */
  constructor(
    targets: readonly OutputTarget[],
    umask: number,
    unique: () => string,
    files: Pick<Files, 'writeNew' | 'remove'>,
  ) {
    this.all = targets.map((target) => ({
      target,
      temporary: temporaryBeside(target.path, unique()),
    }));
    this.#newMode = 0o666 & ~umask;
    this.#files = files;
  }

  get temporaries(): readonly ByteString[] {
    return this.all.map(({ temporary }) => temporary);
  }

  /** What the launcher is to do at the end with those that were made. */
  renames(made: readonly PendingOutput[]): readonly Rename[] {
    return this.all
      .filter((output) => made.includes(output))
      .map(({ target, temporary }) => ({ temporary, target: target.path }));
  }

  /**
   * For a file that another program writes and whose mode it leaves as it is. Rejects with the
   * system's error.
   */
  async keepMode({ target, temporary }: PendingOutput): Promise<void> {
    const { keptMode } = target;
    if (keptMode === undefined || keptMode === this.#newMode) return;
    await this.#files.writeNew(temporary, new Uint8Array(), keptMode);
  }

  /** Rejects with the system's error. */
  write({ target, temporary }: PendingOutput, bytes: Uint8Array): Promise<void> {
    return this.#files.writeNew(temporary, bytes, target.keptMode ?? this.#newMode);
  }

  remove(): void {
    for (const path of this.temporaries) this.#files.remove(path);
  }
}
