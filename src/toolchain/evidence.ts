/**
 * What the identity of a toolchain rests on: files with the stamps they had, and files that were
 * not there. Whether it still holds is asked for every compile, so an absence costs nothing while
 * the directory that lacks the file is as it was: PATH has a dozen of them, and the drivers ask
 * for programs that most machines lack. Where somebody is told of changes, nothing is looked at
 * until there has been one.
 */
import { baseName, directoryName, joinPath, type ByteString } from '../core/byte-string.js';

export interface EvidenceDeps {
  /** Changes whenever the regular file that `file` leads to does; undefined if there is none. */
  stamp(file: ByteString): string | undefined;
  /**
   * Changes whenever a name appears in or vanishes from the directory; undefined when that cannot
   * be told, because it changed so recently that its times could hide another change.
   */
  directoryStamp(directory: ByteString): string | undefined;
  readonly voucher?: Voucher;
}

/** Somebody who is told of changes in the file system. */
export interface Voucher {
  /** What a path leads to, or that it leads nowhere, counts from now on. */
  remember(path: ByteString): void;
  /** What changed before the call is known when it resolves. */
  refresh(): Promise<void>;
  /** Another number whenever something that counts has changed; undefined: that is not known. */
  epoch(): number | undefined;
}

interface Absences {
  readonly names: Set<ByteString>;
  /** Taken before the names were last seen to be absent. */
  stamp: string | undefined;
}

export class Evidence {
  readonly #deps: EvidenceDeps;
  readonly #files = new Map<ByteString, string>();
  readonly #absences = new Map<ByteString, Absences>();
  /** The voucher's, when all was looked at last. */
  #epoch: number | undefined;

  constructor(deps: EvidenceDeps) {
    this.#deps = deps;
  }

  /** Looks at a file, whose stamp, or absence, becomes part of the evidence. */
  look(file: ByteString): string | undefined {
    const stamp = this.#deps.stamp(file);
    if (stamp !== undefined) {
      this.#files.set(file, stamp);
      return stamp;
    }
    const directory = directoryName(file);
    const absences = this.#absences.get(directory) ?? { names: new Set(), stamp: undefined };
    absences.names.add(baseName(file));
    absences.stamp = undefined;
    this.#absences.set(directory, absences);
    return undefined;
  }

  /** Whether all is still as it was looked at, by what a voucher knows of since its `refresh`. */
  holds(): boolean {
    const { voucher } = this.#deps;
    const epoch = voucher?.epoch();
    if (epoch !== undefined && epoch === this.#epoch) return true;
    // Before they are looked at: what changes afterwards is told.
    if (voucher !== undefined) for (const path of this.#paths()) voucher.remember(path);
    if (!this.#isUnchanged()) return false;
    this.#epoch = epoch;
    return true;
  }

  *#paths(): Generator<ByteString> {
    yield* this.#files.keys();
    for (const [directory, { names }] of this.#absences) {
      for (const name of names) yield joinPath(directory, name);
    }
  }

  #isUnchanged(): boolean {
    for (const [file, stamp] of this.#files) {
      if (this.#deps.stamp(file) !== stamp) return false;
    }
    for (const [directory, absences] of this.#absences) {
      const stamp = this.#deps.directoryStamp(directory);
      if (stamp !== undefined && stamp === absences.stamp) continue;
      for (const name of absences.names) {
        if (this.#deps.stamp(joinPath(directory, name)) !== undefined) return false;
      }
      absences.stamp = stamp;
    }
    return true;
  }
}
