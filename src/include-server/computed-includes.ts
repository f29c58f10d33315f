/**
 * Header names that macros decide, for one translation unit: evaluated over every definition in
 * the files reached so far, so that a round that reaches more files may give more names.
 */
import type { ByteString } from '../core/byte-string.js';
import { INCLUDES } from '../core/include-limits.js';
import { headerNames, type HeaderName } from './macro-values.js';
import type { MacroDefinition, ScannedFile } from './scanned-file.js';

type Names = ReadonlySet<HeaderName> | 'unknown';

/** One answer, good for any table that says the same about the macros that it asked for. */
interface Remembered {
  readonly asked: ReadonlyMap<ByteString, readonly MacroDefinition[]>;
  readonly names: Names;
}

/** Answers for all translation units of a search path, by the operand's text. */
export class ComputedIncludes {
  readonly #answers = new Map<ByteString, Remembered[]>();
  #index = new MacroIndex();

  /**
   * The table of one translation unit.
   *
   * @param command -D definitions
   * @param filesAtMost that can be of any use: the rest of the index is of the past
   */
  definitions(command: Definitions, filesAtMost: number): MacroDefinitions {
    if (this.#index.size > filesAtMost) this.#index = new MacroIndex();
    return new MacroDefinitions(command, this.#index);
  }

  /** @param file as `__FILE__` names the file that the operand stands in */
  namesOf(text: ByteString, file: ByteString, macros: MacroDefinitions): Names {
    const key = text.includes('__FILE__') ? `${text}\0${file}` : text;
    const answers = this.#answers.get(key) ?? [];
    const known = answers.find(({ asked }) => macros.agree(asked));
    if (known !== undefined) return known.names;
    const asked = new Map<ByteString, readonly MacroDefinition[]>();
    const names = headerNames(text, {
      definitionsOf(name) {
        if (name === '__FILE__')
          return [{ parameters: undefined, variadic: false, body: `"${file}"` }];
        let definitions = asked.get(name);
        if (definitions === undefined) {
          definitions = macros.definitionsOf(name);
          asked.set(name, definitions);
        }
        return definitions;
      },
    });
    answers.unshift({ asked, names });
    answers.length = Math.min(answers.length, INCLUDES.computedAnswers);
    this.#answers.set(key, answers);
    return names;
  }
}

type Definitions = ReadonlyMap<ByteString, readonly MacroDefinition[]>;

/**
 * Who defines a macro, among all files that any translation unit has reached: most units share most
 * of their files, and ask for a few names of the tens of thousands that these define.
 */
export class MacroIndex {
  readonly #byName = new Map<ByteString, ScannedFile[]>();
  readonly #files = new Set<ScannedFile>();

  /** Files that are in it, some of which may have been others for long. */
  get size(): number {
    return this.#files.size;
  }

  add(file: ScannedFile): void {
    if (this.#files.has(file)) return;
    this.#files.add(file);
    for (const name of file.macros.keys()) {
      const known = this.#byName.get(name);
      if (known === undefined) this.#byName.set(name, [file]);
      else known.push(file);
    }
  }

  definersOf(name: ByteString): readonly ScannedFile[] {
    return this.#byName.get(name) ?? [];
  }
}

/** All definitions in some files and on the command line. */
export class MacroDefinitions {
  readonly #index: MacroIndex;
  readonly #command: Definitions;
  readonly #files = new Set<ScannedFile>();
  /** What was asked for since the last file was added. */
  readonly #known = new Map<ByteString, readonly MacroDefinition[]>();

  constructor(command: Definitions, index: MacroIndex) {
    this.#command = command;
    this.#index = index;
  }

  add(file: ScannedFile): void {
    if (this.#files.has(file)) return;
    this.#files.add(file);
    this.#index.add(file);
    this.#known.clear();
  }

  definitionsOf(name: ByteString): readonly MacroDefinition[] {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const found = [...(this.#command.get(name) ?? [])];
    for (const file of this.#index.definersOf(name)) {
      if (this.#files.has(file)) found.push(...(file.macros.get(name) ?? []));
    }
    this.#known.set(name, found);
    return found;
  }

  /** Whether it says this of each of these macros, in whatever order. */
  agree(asked: Definitions): boolean {
    for (const [name, definitions] of asked) {
      const here = this.definitionsOf(name);
      if (here.length !== definitions.length) return false;
      if (!definitions.every((definition) => here.includes(definition))) return false;
    }
    return true;
  }
}
