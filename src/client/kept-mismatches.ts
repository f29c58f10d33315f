/**
 * Files of compiles that came out otherwise on a server than here: `STATE/mismatches/NAME/` has
 * those of both sides and `mismatch.json` with the command. The newest are kept.
 */
import { baseName, fromText, type ByteString } from '../core/byte-string.js';
import { VERIFY } from '../core/limits.js';
import type { Files } from '../platform/files.js';
import type { CompileProducts } from '../toolchain/output-difference.js';

/** What `mismatch.json` says; fields may be added. */
export interface MismatchRecord {
  readonly schema: 1;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly session: string;
  readonly host: string;
  readonly source: string;
  readonly cwd: string;
  readonly argv: readonly string[];
  readonly differences: readonly string[];
}

export class KeptMismatches {
  readonly #directory: ByteString;
  readonly #files: Pick<Files, 'append' | 'newestFirst' | 'removeTree' | 'writeNew'>;

  /** @param files the system's */
  constructor(
    stateDirectory: ByteString,
    files: Pick<Files, 'append' | 'newestFirst' | 'removeTree' | 'writeNew'>,
  ) {
    this.#directory = `${stateDirectory}/mismatches`;
    this.#files = files;
  }

  /**
   * @param name a file name that no other mismatch has
   * @returns the directory in which they are. Rejects with the system's error.
   */
  async keep(
    name: ByteString,
    record: MismatchRecord,
    remote: CompileProducts,
    local: CompileProducts,
  ): Promise<ByteString> {
    const directory = `${this.#directory}/${name}`;
    this.#files.append(`${directory}/mismatch.json`, `${JSON.stringify(record, null, 2)}\n`);
    for (const [side, products] of [['remote', remote] as const, ['local', local] as const]) {
      let n = 0;
      for (const [path, bytes] of products) {
        n++;
        // Two outputs may have one name in different directories.
        const file = `${side}-${n}-${fromText(baseName(path)).replaceAll(' ', '-')}`;
        await this.#files.writeNew(`${directory}/${file}`, bytes, 0o600);
      }
    }
    this.removeOld();
    return directory;
  }

  /** All but the newest. */
  removeOld(): void {
    for (const old of this.#files.newestFirst(this.#directory).slice(VERIFY.kept)) {
      this.#files.removeTree(`${this.#directory}/${old}`);
    }
  }
}
