/**
 * The files that a compile leaves: made as temporaries beside their targets, which the launcher
 * renames into place once all are there, or removed again.
 */
import { type ByteString } from '../core/byte-string.js';
import type { Files } from '../platform/files.js';
import type { Rename } from '../protocol/launcher-wire.js';
import type { Targets } from './decision.js';
import { temporaryBeside, type OutputTarget } from './output-target.js';

export class CompileOutputs {
  /** The object or assembly file. */
  readonly output: ByteString;
  /** Written by the preprocessor, which is given this name; undefined where none is asked for. */
  readonly dependencies: ByteString | undefined;
  readonly #targets: Targets;
  readonly #newMode: number;
  readonly #files: Pick<Files, 'writeNew' | 'remove'>;

  /**
   * @param umask of the build
   * @param unique a string that no other compile uses, safe in a file name
   */
  constructor(
    targets: Targets,
    umask: number,
    unique: () => string,
    files: Pick<Files, 'writeNew' | 'remove'>,
  ) {
    const beside = ({ path }: OutputTarget) => temporaryBeside(path, unique());
    this.output = beside(targets.output);
    this.dependencies = targets.dependencies && beside(targets.dependencies);
    this.#targets = targets;
    this.#newMode = 0o666 & ~umask;
    this.#files = files;
  }

  /** All temporaries. */
  get temporaries(): readonly ByteString[] {
    return this.dependencies === undefined ? [this.output] : [this.dependencies, this.output];
  }

  /** What the launcher is to do at the end; the object comes last. */
  get renames(): readonly Rename[] {
    const { output, dependencies } = this.#targets;
    const object = { temporary: this.output, target: output.path };
    return this.dependencies === undefined || dependencies === undefined
      ? [object]
      : [{ temporary: this.dependencies, target: dependencies.path }, object];
  }

  /** Before the preprocessor runs, which leaves the mode of a file that is there as it is. */
  async keepDependencyMode(): Promise<void> {
    const keptMode = this.#targets.dependencies?.keptMode;
    if (this.dependencies === undefined || keptMode === undefined) return;
    if (keptMode !== this.#newMode) {
      await this.#files.writeNew(this.dependencies, new Uint8Array(), keptMode);
    }
  }

  /** Rejects with the system's error. */
  writeOutput(bytes: Uint8Array): Promise<void> {
    return this.#files.writeNew(this.output, bytes, this.#targets.output.keptMode ?? this.#newMode);
  }

  remove(): void {
    for (const path of this.temporaries) this.#files.remove(path);
  }
}
