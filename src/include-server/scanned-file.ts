/** What the scanner finds in a file: the names of others, and the macros that names are made of. */
import type { ByteString } from '../core/byte-string.js';

export interface MacroDefinition {
  /** Undefined: object-like. Else the parameter names; `variadic` names __VA_ARGS__ or GCC's named rest (the last parameter). */
  readonly parameters: readonly ByteString[] | undefined;
  readonly variadic: boolean;
  /** Replacement list: comments replaced by one space, splices joined, trimmed. */
  readonly body: ByteString;
}
