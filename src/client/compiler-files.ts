/** The files of a compiler itself: those that a sealed root must have besides the headers. */
import type { ByteString } from '../core/byte-string.js';
import type { LocaleFiles } from '../toolchain/locale-files.js';
import type { Toolchain } from '../toolchain/toolchain.js';

export class CompilerFiles {
  readonly #locales: Pick<LocaleFiles, 'of'>;
  /** Two lists as one, by the first and then the second. */
  readonly #lists = new WeakMap<object, WeakMap<object, readonly ByteString[]>>();

  constructor(locales: Pick<LocaleFiles, 'of'>) {
    this.#locales = locales;
  }

  /**
   * Absolute paths; the identical list as long as nothing has changed.
   *
   * @param terminal files that it looks its terminal up in
   */
  of(
    toolchain: Toolchain,
    environment: ReadonlyMap<ByteString, ByteString>,
    terminal: readonly ByteString[] = [],
  ): readonly ByteString[] {
    const locale = this.#locales.of(toolchain, environment);
    return this.#both(this.#both(toolchain.files, locale), terminal);
  }

  #both(one: readonly ByteString[], other: readonly ByteString[]): readonly ByteString[] {
    if (other.length === 0) return one;
    const lists = this.#lists.get(one) ?? new WeakMap<object, readonly ByteString[]>();
    this.#lists.set(one, lists);
    const list = lists.get(other) ?? [...one, ...other];
    lists.set(other, list);
    return list;
  }
}
