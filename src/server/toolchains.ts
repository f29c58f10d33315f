/**
 * Which compilers this server has, by the digest of their identity. Clients never name paths:
 * compilers are looked up along the server's own PATH, by well-known names only.
 */
import { readdir, realpath, stat } from 'node:fs/promises';
import { baseName, fromText, toText, type ByteString } from '../core/byte-string.js';
import type { Digest } from '../core/digest.js';
import { describeError, errnoCode, isShortage } from '../core/errors.js';
import { DECLINE_REASONS } from '../core/reasons.js';
import { WRAPPERS } from '../toolchain/wrappers.js';

/** A compiler as a client asks for it. */
export interface WantedCompiler {
  readonly digest: Digest;
  /** What the client calls it: where the search begins. */
  readonly name: ByteString;
  /** Size of its driver, which its identity covers: no compiler of another size is looked into. */
  readonly driverBytes: number;
}

/** What jobs and connections ask. */
export interface CompilerCatalogue {
  /**
   * Path of such a compiler, searched for. Undefined when this server lacks it. Rejects when it has no
   * process, open file or memory left to look.
   */
  find(wanted: WantedCompiler): Promise<ByteString | undefined>;
  /** The compiler that `find` found before, if it is still the same. */
  current(digest: Digest): Promise<KnownCompiler | undefined>;
}

/** A compiler's identity, as far as this file needs it. */
export interface KnownCompiler {
  readonly digest: Digest;
  /** Absolute path. */
  readonly compiler: ByteString;
  /** All that a compile opens or starts besides its source. */
  readonly files: readonly ByteString[];
}

/** How identities are found out; a string is a reason why there is none (`DeclineReason`). */
export interface CompilerProbe<T extends KnownCompiler> {
  identify(compiler: ByteString, path: ByteString): Promise<T | string>;
  /** Whether the files that make up the identity are unchanged. */
  isCurrent(toolchain: T): boolean;
}

const COMPILER_NAME =
  /^([A-Za-z0-9_.+-]+-)?(?<kind>gcc|g\+\+|cc|c\+\+|clang|clang\+\+)(-[0-9.]+)?$/;

export class Toolchains<T extends KnownCompiler> implements CompilerCatalogue {
  readonly #probe: CompilerProbe<T>;
  readonly #path: ByteString;
  readonly #log: (line: string) => void;
  /** Identities by real path and kind: clang is also clang++, and behaves by its name. */
  readonly #known = new Map<string, T>();
  /** One search at a time: each reads large files, and the next profits from it. */
  #search: Promise<unknown> = Promise.resolve();

  /** @param path directories that are searched, as PATH has them */
  constructor(probe: CompilerProbe<T>, path: string, log: (line: string) => void) {
    this.#probe = probe;
    this.#path = path;
    this.#log = log;
  }

  async current(digest: Digest): Promise<T | undefined> {
    for (const known of [...this.#known.values()]) {
      if (known.digest !== digest) continue;
      if (this.#probe.isCurrent(known)) return known;
      // A client was told that it is here. Files that were only touched, or put there anew with the
      // same contents, make the same compiler still.
      const now = await this.#identify(toText(known.compiler));
      if (now?.digest === digest) return now;
    }
    return undefined;
  }

  /** All that were found so far, as they are now. */
  async allCurrent(): Promise<readonly T[]> {
    const digests = new Set(Array.from(this.#known.values(), ({ digest }) => digest));
    const current = await Promise.all(Array.from(digests, (digest) => this.current(digest)));
    return current.filter((known) => known !== undefined);
  }

  async find(wanted: WantedCompiler): Promise<ByteString | undefined> {
    const found = this.#search.then(async () => {
      const known = await this.current(wanted.digest);
      return known?.compiler ?? (await this.#searchFor(wanted));
    });
    this.#search = found.catch(() => undefined);
    return found;
  }

  async #searchFor(wanted: WantedCompiler): Promise<ByteString | undefined> {
    const { digest, name, driverBytes } = wanted;
    const candidates = await this.#candidates(driverBytes);
    candidates.sort((a, b) => Number(baseName(b) === name) - Number(baseName(a) === name));
    for (const candidate of candidates) {
      const toolchain = await this.#identify(candidate);
      if (toolchain?.digest === digest) return toolchain.compiler;
    }
    return undefined;
  }

  /** Paths of everything on PATH of this size that is called like a compiler, in PATH's order. */
  async #candidates(driverBytes: number): Promise<string[]> {
    const candidates: string[] = [];
    for (const directory of this.#path.split(':')) {
      if (!directory.startsWith('/')) continue;
      for (const name of await this.#list(directory)) {
        const path = `${directory}/${name}`;
        if (COMPILER_NAME.test(name) && (await sizeOf(path)) === driverBytes) candidates.push(path);
      }
    }
    return candidates;
  }

  async #list(directory: string): Promise<string[]> {
    try {
      return (await readdir(directory)).toSorted();
    } catch (error) {
      if (isShortage(error)) throw error;
      if (errnoCode(error) !== 'ENOENT') {
        this.#log(`cannot look for compilers in ${directory}: ${describeError(error)}`);
      }
      return [];
    }
  }

  async #identify(candidate: string): Promise<T | undefined> {
    const file = await realpath(candidate).catch(unlessShort);
    if (file === undefined || WRAPPERS.has(baseName(file))) return undefined;
    const key = `${file} ${COMPILER_NAME.exec(baseName(candidate))?.groups?.['kind']}`;
    const known = this.#known.get(key);
    if (known !== undefined && this.#probe.isCurrent(known)) return known;
    // Until it is told anew the old one stays, for others who ask meanwhile.
    const toolchain = await this.#probe.identify(fromText(candidate), fromText(this.#path));
    if (toolchain === 'host-shortage') throw new Error(DECLINE_REASONS[toolchain]);
    if (typeof toolchain === 'string') {
      this.#known.delete(key);
      return undefined;
    }
    this.#known.set(key, toolchain);
    this.#log(`found compiler ${candidate}, identity ${toolchain.digest.slice(0, 16)}`);
    return toolchain;
  }
}

/** Undefined for what is not to be had: a link that leads nowhere, or where nobody may go. */
async function sizeOf(path: string): Promise<number | undefined> {
  const facts = await stat(path).catch(unlessShort);
  return facts?.size;
}

function unlessShort(error: unknown): undefined {
  if (isShortage(error)) throw error;
}
