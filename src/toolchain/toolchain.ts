/**
 * Which compiler this is: a digest over the contents of everything that takes part in a compile,
 * so that two hosts agree exactly when they would make the same object. Paths are not part of it:
 * the same files under another prefix are the same toolchain.
 */
import type { ByteString } from '../core/byte-string.js';
import { baseName, joinPath, toText } from '../core/byte-string.js';
import { describeError, isShortage } from '../core/errors.js';
import { digestOf, type Digest } from '../core/digest.js';
import type { DeclineReason } from '../core/reasons.js';
import { ELF_START_BYTES, elfInterpreter } from './elf-interpreter.js';
import { Evidence, type EvidenceDeps } from './evidence.js';
import type { CompilerFamily } from './options/option-table.js';

export interface Toolchain {
  readonly digest: Digest;
  readonly family: CompilerFamily;
  /** As the compiler says it, for example `12.2.0`. */
  readonly version: string;
  /** Target triple. */
  readonly target: string;
  /** Absolute path that it was found under. */
  readonly compiler: ByteString;
  /** Last component of that path: it decides the driver's language and prefix. */
  readonly name: ByteString;
  /** Size of the driver, that is of the file behind that path: others of another size differ. */
  readonly driverBytes: number;
  /**
   * Every file of it that a compile opens or starts, by the paths that the driver and the loader
   * use; symbolic links on the way are not resolved. Besides locales, see locale-files.ts.
   */
  readonly files: readonly ByteString[];
}

export interface ProbeOutput {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The outside world of a ToolchainProbe; `toolchain-host.ts` has the real one. */
export interface ToolchainDeps extends EvidenceDeps {
  /** Runs a program with nothing but PATH and LC_ALL=C in its environment. */
  runCompiler(
    program: ByteString,
    args: readonly ByteString[],
    path: ByteString,
  ): Promise<ProbeOutput>;
  /** Of the file that `file` leads to, in bytes. */
  size(file: ByteString): number;
  /** First bytes of a file. */
  readStart(file: ByteString, length: number): Promise<Buffer>;
  /** Content digest of a file that has this stamp. */
  hash(file: ByteString, stamp: string): Promise<string>;
  /** Why a compiler could not be identified, for a log. */
  note(message: string): void;
}

/** GCC's programs. One that is not installed is part of the identity as absent. */
const GCC_PROGRAMS = [
  'cc1',
  'cc1plus',
  'cc1obj',
  'cc1objplus',
  'as',
  'objcopy',
  'collect2',
  'lto-wrapper',
];

/** Lists in Clang's resource directory that -fsanitize= reads without being asked to. */
const CLANG_LISTS = ['asan', 'hwasan', 'msan', 'tsan', 'memtag', 'cfi', 'ubsan']
  .map((name) => `${name}_ignorelist.txt`)
  .concat('dfsan_abilist.txt');

/** Opened by the C library's loader for every program; what is not there is not. */
const LOADER_FILES = ['/etc/ld.so.cache', '/etc/ld-musl-x86_64.path', '/etc/ld-musl-aarch64.path'];

/** Where Clang looks which distribution this is. */
const CLANG_SYSTEM_FILES = [
  ...['/etc/lsb-release', '/etc/os-release', '/usr/lib/os-release', '/etc/debian_version'],
  ...['/etc/redhat-release', '/etc/SuSE-release', '/etc/gentoo-release', '/etc/alpine-release'],
];

interface Identified {
  /** `host-shortage` says nothing about the compiler, and is not remembered. */
  readonly result: Toolchain | DeclineReason;
  readonly evidence: Evidence;
}

export class ToolchainProbe {
  readonly #deps: ToolchainDeps;
  readonly #answers = new Map<string, Promise<Identified>>();
  readonly #evidence = new WeakMap<Toolchain, Evidence>();

  constructor(deps: ToolchainDeps) {
    this.#deps = deps;
  }

  /**
   * The toolchain of the compiler at `compilerPath` when run with this PATH, or why it has none.
   * Calls for one compiler share one probe; an answer is given again until a file of it changes.
   */
  async identify(compilerPath: ByteString, path: ByteString): Promise<Toolchain | DeclineReason> {
    const key = `${compilerPath}\0${path}`;
    const known = this.#answers.get(key);
    if (known !== undefined) {
      const [answer] = await Promise.all([known, this.#deps.voucher?.refresh()]);
      if (answer.evidence.holds()) return answer.result;
      // Someone else may have begun anew while this call waited.
      const newer = this.#answers.get(key);
      if (newer !== undefined && newer !== known) return (await newer).result;
    }
    const probing = this.#probe(compilerPath, path);
    this.#answers.set(key, probing);
    const { result, evidence } = await probing;
    if (result === 'host-shortage' && this.#answers.get(key) === probing) this.#answers.delete(key);
    if (typeof result !== 'string') this.#evidence.set(result, evidence);
    return result;
  }

  /** Whether no file of the toolchain has changed since it was identified. Only looks at stats. */
  isCurrent(toolchain: Toolchain): boolean {
    return this.#evidence.get(toolchain)?.holds() === true;
  }

  async #probe(compiler: ByteString, path: ByteString): Promise<Identified> {
    const inspection = new Inspection(this.#deps, compiler, path);
    let result: Toolchain | DeclineReason;
    try {
      result = await inspection.identify();
    } catch (error) {
      // A file that vanished or cannot be read, a program that cannot be started: whatever it
      // was, this compiler has no identity to compare. The evidence lets a repaired one be seen.
      this.#deps.note(`cannot identify ${toText(compiler)}: ${describeError(error)}`);
      result = isShortage(error) ? 'host-shortage' : 'compiler-unknown';
    }
    return { result, evidence: inspection.evidence };
  }
}

/** One look at one compiler. */
class Inspection {
  readonly evidence: Evidence;
  readonly #deps: ToolchainDeps;
  readonly #compiler: ByteString;
  readonly #path: ByteString;
  readonly #files = new Set<ByteString>();

  constructor(deps: ToolchainDeps, compiler: ByteString, path: ByteString) {
    this.evidence = new Evidence(deps);
    this.#deps = deps;
    this.#compiler = compiler;
    this.#path = path;
  }

  async identify(): Promise<Toolchain | DeclineReason> {
    if (!this.#exists(this.#compiler)) return 'compiler-unknown';
    const start = await this.#deps.readStart(this.#compiler, 2);
    if (start.toString('latin1') === '#!') return 'compiler-is-script';

    const { stderr: self } = await this.#ask('-v');
    const gcc = /^gcc version (\S+)/m.exec(self)?.[1];
    const clang = /\bclang version (\S+)/.exec(self)?.[1];
    const version = gcc ?? clang;
    const target = /^Target: (\S+)/m.exec(self)?.[1];
    if (version === undefined || target === undefined) return 'compiler-unknown';
    const family = gcc === undefined ? 'clang' : 'gcc';

    const settings = [...self.matchAll(/^(?:Reading specs from|Configuration file:) (.+)$/gm)];
    const parts = await Promise.all([
      this.#program('driver', this.#compiler),
      ...settings.map((match, i) => this.#file(`settings ${i}`, match[1] ?? '')),
      ...(family === 'gcc' ? this.#gccParts() : this.#clangParts()),
    ]);
    const lines = parts.flat();
    if (family === 'gcc' && lines.includes('cc1 absent') && lines.includes('cc1plus absent')) {
      return 'compiler-unknown';
    }
    const besides = family === 'gcc' ? [] : clangFiles(self);
    for (const file of [...LOADER_FILES, ...besides]) if (this.#exists(file)) this.#files.add(file);
    const identity = ['tscc toolchain 1', family, version, target, ...lines].join('\n');
    return {
      digest: digestOf(identity),
      family,
      version,
      target,
      compiler: this.#compiler,
      name: baseName(this.#compiler),
      driverBytes: this.#deps.size(this.#compiler),
      files: [...this.#files].toSorted(),
    };
  }

  #gccParts(): Promise<string[]>[] {
    return [
      ...GCC_PROGRAMS.map(async (name) => {
        const { stdout } = await this.#ask(`-print-prog-name=${name}`);
        return this.#program(name, this.#alongPath(stdout.trim()));
      }),
      // Read when it is there, without a word, by any driver.
      (async () => {
        const { stdout } = await this.#ask('-print-search-dirs');
        const install = /^install: (.+)$/m.exec(stdout)?.[1];
        return install === undefined ? [] : this.#file('specs', joinPath(install, 'specs'));
      })(),
    ];
  }

  #clangParts(): Promise<string[]>[] {
    return [
      (async () => {
        const { stdout } = await this.#ask('-print-resource-dir');
        const share = joinPath(stdout.trim(), 'share');
        const lists = CLANG_LISTS.map((name) => this.#file(name, joinPath(share, name)));
        return (await Promise.all(lists)).flat();
      })(),
    ];
  }

  async #ask(argument: string): Promise<ProbeOutput> {
    const output = await this.#deps.runCompiler(this.#compiler, [argument], this.#path);
    if (output.status !== 0) throw new Error(`${this.#compiler} ${argument}: ${output.status}`);
    return output;
  }

  /** A program's name as the driver starts it: as it is with a slash, else along PATH. */
  #alongPath(name: ByteString): ByteString | undefined {
    if (name === '') return undefined;
    if (name.includes('/')) return name;
    for (const directory of this.#path.split(':')) {
      // An entry that is not absolute means another directory for each compile.
      if (!directory.startsWith('/')) continue;
      const candidate = joinPath(directory, name);
      if (this.#exists(candidate)) return candidate;
    }
    return undefined;
  }

  /** Lines for a program and each library that its loader finds for it. */
  async #program(label: string, file: ByteString | undefined): Promise<string[]> {
    if (file === undefined) return [`${label} absent`];
    const [own, loader] = await Promise.all([
      this.#file(label, file),
      this.#deps.readStart(file, ELF_START_BYTES).then(elfInterpreter),
    ]);
    if (loader === undefined) return own;
    if (this.#exists(loader)) this.#files.add(loader);
    // Whatever its status, as long as it came to its end: a library that is not there is not listed.
    const { status, stdout } = await this.#deps.runCompiler(loader, ['--list', file], this.#path);
    if (status === null) throw new Error(`${loader} --list ${file} was killed`);
    const libraries = [...stdout.matchAll(/^\s*(?:\S+ => )?(\/.+) \(0x[0-9a-f]+\)$/gm)];
    const lines = await Promise.all(
      libraries.map((match) => {
        const library = match[1] ?? '';
        return this.#file(`${label} ${baseName(library)}`, library);
      }),
    );
    return [...own, ...lines.flat().toSorted()];
  }

  async #file(label: string, file: ByteString): Promise<string[]> {
    const stamp = this.evidence.look(file);
    if (stamp !== undefined) this.#files.add(file);
    return [
      stamp === undefined ? `${label} absent` : `${label} ${await this.#deps.hash(file, stamp)}`,
    ];
  }

  #exists(file: ByteString): boolean {
    return this.evidence.look(file) !== undefined;
  }
}

/** What Clang looks for to find the GCC whose headers and libraries it uses. */
function clangFiles(self: string): ByteString[] {
  const installations = self.matchAll(/^Found candidate GCC installation: (.+)$/gm);
  return [
    ...CLANG_SYSTEM_FILES,
    ...[...installations].map((match) => joinPath(match[1] ?? '', 'crtbegin.o')),
  ];
}
