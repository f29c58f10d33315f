/**
 * Programs and libraries that this host may run in a client's stead: where no namespaces are to be
 * had, the kernel starts the file of that name that the host has. So it must be the client's, byte for
 * byte, at the same path; and of a compiler all must be so, or none.
 */
import type { ByteString } from '../core/byte-string.js';
import type { Digest } from '../core/digest.js';
import { realFiles } from '../platform/files.js';
import { FileHashes, fileStamp, readStart } from '../platform/file-hash.js';
import { JobRefused } from './job-refused.js';
import type { KnownCompiler } from './toolchains.js';

/** What a closure has at its paths. */
export interface ClosureDigests {
  /** Of the file at a real path; undefined when there is none. */
  digestAt(path: ByteString): Digest | undefined;
}

export interface ProgramSource {
  /**
   * Real paths of the programs and libraries of all compilers that host and client share. Rejects with
   * JobRefused when there is none.
   */
  programsOf(closure: ClosureDigests): Promise<readonly ByteString[]>;
}

const ELF = '\x7fELF';

/** Path and content of each program and library of a compiler. */
type Programs = ReadonlyMap<ByteString, Digest>;

export class HostPrograms implements ProgramSource {
  readonly #compilers: { allCurrent(): Promise<readonly KnownCompiler[]> };
  readonly #hashes = new FileHashes();
  /** A compiler that changed is another object. */
  readonly #known = new WeakMap<KnownCompiler, Promise<Programs>>();

  /** @param compilers those that clients have asked for */
  constructor(compilers: { allCurrent(): Promise<readonly KnownCompiler[]> }) {
    this.#compilers = compilers;
  }

  async programsOf(closure: ClosureDigests): Promise<readonly ByteString[]> {
    const shared = new Set<ByteString>();
    for (const compiler of await this.#compilers.allCurrent()) {
      const programs = [...(await this.#of(compiler))];
      if (programs.some(([path, digest]) => closure.digestAt(path) !== digest)) continue;
      for (const [path] of programs) shared.add(path);
    }
    if (shared.size > 0) return [...shared];
    throw new JobRefused('toolchain', 'this host does not have that compiler at the same paths');
  }

  #of(compiler: KnownCompiler): Promise<Programs> {
    let programs = this.#known.get(compiler);
    if (programs === undefined) {
      programs = this.#lookUp(compiler);
      this.#known.set(compiler, programs);
      programs.catch(() => this.#known.delete(compiler));
    }
    return programs;
  }

  async #lookUp({ files }: KnownCompiler): Promise<Programs> {
    const programs = new Map<ByteString, Digest>();
    for (const file of files) {
      // A compiler's identity has files, too, that are not there.
      const path = realFiles.realPath(file);
      const stamp = path === undefined ? undefined : fileStamp(path);
      if (path === undefined || stamp === undefined) continue;
      if ((await readStart(path, ELF.length)).toString('latin1') !== ELF) continue;
      programs.set(path, (await this.#hashes.hash(path, stamp)) as Digest);
    }
    return programs;
  }
}
