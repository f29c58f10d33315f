/**
 * Files of compiles that came out otherwise on a server than here: `STATE/mismatches/NAME/` has
 * those of both sides and `mismatch.json` with the command. The newest are kept.
 */
import { baseName, fromText, toText, type ByteString } from '../core/byte-string.js';
import { describeError } from '../core/errors.js';
import { VERIFY } from '../core/limits.js';
import type { Clock } from '../platform/clock.js';
import type { Files } from '../platform/files.js';
import type { RunRequest } from '../protocol/launcher-wire.js';
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
  /** Files that the server's compiler might read, where it failed on them and the one here did not. */
  readonly inputs?: readonly { readonly path: string; readonly digest: string }[];
}

/** What there is to say of a mismatch besides the command. */
export interface Mismatch {
  readonly session: string;
  readonly host: string;
  readonly source: ByteString;
  readonly differences: readonly string[];
  readonly inputs?: MismatchRecord['inputs'];
  readonly remote: CompileProducts;
  readonly local: CompileProducts;
}

export interface KeptMismatchesContext {
  readonly files: Pick<Files, 'append' | 'newestFirst' | 'removeTree' | 'writeNew'>;
  readonly clock: Pick<Clock, 'now'>;
  /** A file name that nothing else of this state directory has. */
  readonly unique: () => string;
  readonly log: (message: string) => void;
}

export class KeptMismatches {
  readonly #stateDirectory: ByteString;
  readonly #context: KeptMismatchesContext;

  constructor(stateDirectory: ByteString, context: KeptMismatchesContext) {
    this.#stateDirectory = stateDirectory;
    this.#context = context;
  }

  /** @returns the directory in which they are; undefined, and logged, where it cannot be. */
  async keep(
    { cwd, argv }: Pick<RunRequest, 'cwd' | 'argv'>,
    mismatch: Mismatch,
  ): Promise<string | undefined> {
    const { session, host, source, differences, inputs, remote, local } = mismatch;
    const { clock, files, unique, log } = this.#context;
    const directory = `${directoryIn(this.#stateDirectory)}/${fromText(session)}-${unique()}`;
    const record: MismatchRecord = {
      schema: 1,
      time: clock.now(),
      session,
      host,
      source: toText(source),
      cwd: toText(cwd),
      argv: argv.map(toText),
      differences,
      ...(inputs === undefined ? {} : { inputs }),
    };
    try {
      await this.#write(directory, record, { remote, local });
      removeOldMismatches(this.#stateDirectory, files);
    } catch (error) {
      log(`a mismatch cannot be kept: ${describeError(error)}`);
      return undefined;
    }
    return toText(directory);
  }

  async #write(
    directory: ByteString,
    record: MismatchRecord,
    sides: Readonly<Record<'remote' | 'local', CompileProducts>>,
  ): Promise<void> {
    const { files } = this.#context;
    files.append(`${directory}/mismatch.json`, `${JSON.stringify(record, null, 2)}\n`);
    for (const [side, products] of Object.entries(sides)) {
      let n = 0;
      for (const [path, bytes] of products) {
        n++;
        // Two outputs may have one name in different directories.
        const file = `${side}-${n}-${fromText(baseName(path)).replaceAll(' ', '-')}`;
        await files.writeNew(`${directory}/${file}`, bytes, 0o600);
      }
    }
  }
}

/** All but the newest. */
export function removeOldMismatches(
  stateDirectory: ByteString,
  files: Pick<Files, 'newestFirst' | 'removeTree'>,
): void {
  const directory = directoryIn(stateDirectory);
  for (const old of files.newestFirst(directory).slice(VERIFY.kept)) {
    files.removeTree(`${directory}/${old}`);
  }
}

function directoryIn(stateDirectory: ByteString): ByteString {
  return `${stateDirectory}/mismatches`;
}
