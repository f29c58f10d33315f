/** The files of a compiler itself: those that a sealed root must have besides the headers. */
import type { ByteString } from '../core/byte-string.js';
import type { LocaleFiles } from '../toolchain/locale-files.js';
import type { Toolchain } from '../toolchain/toolchain.js';

export class CompilerFiles {
  readonly #locales: Pick<LocaleFiles, 'of'>;
  /** By the toolchain's own list, then by that of its locale. */
  readonly #lists = new WeakMap<object, WeakMap<object, readonly ByteString[]>>();

  constructor(locales: Pick<LocaleFiles, 'of'>) {
    this.#locales = locales;
  }

  /** Absolute paths; the identical list as long as nothing has changed. */
  of(
    toolchain: Toolchain,
    environment: ReadonlyMap<ByteString, ByteString>,
  ): readonly ByteString[] {
    const locale = this.#locales.of(toolchain, environment);
    if (locale.length === 0) return toolchain.files;
    const lists = this.#lists.get(toolchain.files) ?? new WeakMap<object, readonly ByteString[]>();
    this.#lists.set(toolchain.files, lists);
    const list = lists.get(locale) ?? [...toolchain.files, ...locale];
    lists.set(locale, list);
    return list;
  }
}
