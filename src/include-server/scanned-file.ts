import type { ByteString } from '../core/byte-string.js';

/** One way in which a file names another. Names are bytes as written (no escapes are processed in header names, as in GCC). */
export type FileRequest =
  | {
      readonly kind: 'include';
      readonly form: 'quote' | 'angle';
      readonly name: ByteString;
      readonly next: boolean;
    } // #include, #import, #include_next; C++20 import of a header unit "x"/<x>
  | {
      readonly kind: 'probe';
      readonly form: 'quote' | 'angle';
      readonly name: ByteString;
      readonly next: boolean;
    } // __has_include, __has_include_next
  | { readonly kind: 'embed'; readonly form: 'quote' | 'angle'; readonly name: ByteString } // #embed, __has_embed
  | { readonly kind: 'assembler'; readonly name: ByteString } // .incbin/.include in inline asm or an assembler source: name as the assembler sees it
  | {
      readonly kind: 'computed';
      readonly what: 'include' | 'probe' | 'embed';
      readonly next: boolean;
      readonly text: ByteString;
    }; // the operand is made by macros: its text, comments replaced by one space, splices joined, trimmed

export interface MacroDefinition {
  /** Undefined: object-like. Else the parameter names; `variadic` names __VA_ARGS__ or GCC's named rest (the last parameter). */
  readonly parameters: readonly ByteString[] | undefined;
  readonly variadic: boolean;
  /** Replacement list: comments replaced by one space, splices joined, trimmed. */
  readonly body: ByteString;
}

export interface ScannedFile {
  readonly requests: readonly FileRequest[]; // in order of first appearance, no duplicates
  readonly macros: ReadonlyMap<ByteString, readonly MacroDefinition[]>; // every #define in the file, whatever #if is around it; duplicates dropped
  /** Which of these words occur in code (not in comments or strings): */
  readonly clockWords: ReadonlySet<'__DATE__' | '__TIME__' | '__TIMESTAMP__'>;
  /** An assembler directive whose file name cannot be read (pieced together by macros or escapes): the file cannot be covered. */
  readonly hasOpaqueAssembler: boolean;
}
