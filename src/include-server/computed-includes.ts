/**
 * Header names that macros decide, for one translation unit: evaluated over every definition in
 * the files reached so far, so that a round that reaches more files may give more names.
 */
import type { ByteString } from '../core/byte-string.js';
import { INCLUDES } from '../core/limits.js';
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

/** All definitions in some files and on the command line. */
export class MacroDefinitions {
  readonly #byName = new Map<ByteString, MacroDefinition[]>();
  readonly #files = new Set<ScannedFile>();

  constructor(command: ReadonlyMap<ByteString, readonly MacroDefinition[]>) {
    this.#addAll(command);
  }

  add(file: ScannedFile): void {
    if (this.#files.has(file)) return;
    this.#files.add(file);
    this.#addAll(file.macros);
  }

  definitionsOf(name: ByteString): readonly MacroDefinition[] {
    return [...(this.#byName.get(name) ?? [])];
  }

  /** Whether it says this of each of these macros, in whatever order. */
  agree(asked: ReadonlyMap<ByteString, readonly MacroDefinition[]>): boolean {
    for (const [name, definitions] of asked) {
      const here = this.#byName.get(name) ?? [];
      if (here.length !== definitions.length) return false;
      if (!definitions.every((definition) => here.includes(definition))) return false;
    }
    return true;
  }

  #addAll(macros: ReadonlyMap<ByteString, readonly MacroDefinition[]>): void {
    for (const [name, definitions] of macros) {
      const known = this.#byName.get(name);
      if (known === undefined) this.#byName.set(name, [...definitions]);
      else known.push(...definitions);
    }
  }
}
