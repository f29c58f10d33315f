/**
 * Compilers that can be told elsewhere of a terminal here, so that they print as they do on it, and the
 * files that they look it up in. GCC goes by its environment. Clang asks ncurses whether the terminal
 * has colours.
 */
import { baseName, directoryName, type ByteString } from '../core/byte-string.js';
import { Evidence, type EvidenceDeps } from './evidence.js';
import type { Toolchain } from './toolchain.js';

/** Clang no longer asks the terminal for its width in this version, but only for COLUMNS. */
const OLDEST_CLANG = 14;

/** Where distributions build ncurses to look for terminals; one of another place looks elsewhere. */
const DATA_BASES = [
  '/etc/terminfo',
  '/lib/terminfo',
  '/usr/lib/terminfo',
  '/usr/share/lib/terminfo',
  '/usr/share/terminfo',
];
const LIBRARIES = /^(\/usr)?\/lib(32|64)?(\/[a-z0-9_]+-linux-gnu\w*)?$/;

const NONE: readonly ByteString[] = [];

export class TerminalFiles {
  readonly #deps: EvidenceDeps;
  readonly #found = new Map<
    ByteString,
    { readonly files: readonly ByteString[] | undefined; readonly evidence: Evidence }
  >();

  constructor(deps: EvidenceDeps) {
    this.#deps = deps;
  }

  /** Undefined where only the compiler here knows what it would print on the terminal here. */
  of(
    toolchain: Toolchain,
    environment: ReadonlyMap<ByteString, ByteString>,
  ): readonly ByteString[] | undefined {
    if (toolchain.family === 'gcc') return NONE;
    if (!asksSystemLibrary(toolchain)) return undefined;
    if (environment.has('TERMINFO') || environment.has('TERMINFO_DIRS')) return undefined;
    const terminal = environment.get('TERM') ?? '';
    if (terminal === '') return NONE;
    if (!/^[A-Za-z0-9][\w.+-]*$/.test(terminal)) return undefined;
    return this.#lookFor(terminal, environment.get('HOME') ?? '');
  }

  #lookFor(terminal: ByteString, home: ByteString): readonly ByteString[] | undefined {
    const key = `${terminal}\0${home}`;
    const known = this.#found.get(key);
    if (known?.evidence.holds() === true) return known.files;
    const evidence = new Evidence(this.#deps);
    const name = `${terminal.slice(0, 1)}/${terminal}`;
    const files = DATA_BASES.map((directory) => `${directory}/${name}`).filter(
      (file) => evidence.look(file) !== undefined,
    );
    const isOwn = home !== '' && evidence.look(`${home}/.terminfo/${name}`) !== undefined;
    const answer = { files: isOwn ? undefined : files, evidence };
    this.#found.set(key, answer);
    return answer.files;
  }
}

/** One that is linked into the compiler looks at places that only it knows. */
function asksSystemLibrary({ version, files }: Toolchain): boolean {
  const library = files.find((file) => /^libtinfow?\.so/.test(baseName(file)));
  return (
    Number.parseInt(version, 10) >= OLDEST_CLANG &&
    library !== undefined &&
    LIBRARIES.test(directoryName(library))
  );
}
