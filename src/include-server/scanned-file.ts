/** What one file says about others, whatever the conditionals around it: the scanner's answer. */
import type { ByteString } from '../core/byte-string.js';

/** How a header is named: `"x"` is looked for beside the includer first, `<x>` is not. */
export type HeaderForm = 'quote' | 'angle';

/** One way in which a file names another. Names are bytes as written: nothing is unescaped. */
export type FileRequest =
  /** `#include`, `#import`, `#include_next`; C++20's `import` of a header unit. */
  | {
      readonly kind: 'include';
      readonly form: HeaderForm;
      readonly name: ByteString;
      readonly next: boolean;
    }
  /** Only whether the file is there (or how old it is) matters: `__has_include(_next)`. */
  | {
      readonly kind: 'probe';
      readonly form: HeaderForm;
      readonly name: ByteString;
      readonly next: boolean;
    }
  /** Its bytes matter, and it is not scanned: `#embed`, `__has_embed`. */
  | { readonly kind: 'embed'; readonly form: HeaderForm; readonly name: ByteString }
  /**
   * `#line 1 "x"`, and `# 1 "x"` as preprocessors write it: messages show lines of that file, and Clang's
   * coverage asks whether it is there. From where the compiler works, and nowhere else.
   */
  | { readonly kind: 'line'; readonly name: ByteString }
  /** `.incbin` and `.include` of the assembler, which has a search path of its own. */
  | { readonly kind: 'assembler'; readonly name: ByteString }
  /** Macros make the operand. `text`: comments are one space, splices joined, trimmed. */
  | {
      readonly kind: 'computed';
      readonly what: 'include' | 'probe' | 'embed';
      readonly next: boolean;
      readonly text: ByteString;
    };

export interface MacroDefinition {
  /** Undefined: object-like. Else the names, the last one that of the rest if `variadic`. */
  readonly parameters: readonly ByteString[] | undefined;
  /** The last parameter takes all further arguments: `__VA_ARGS__`, or GCC's named rest. */
  readonly variadic: boolean;
  /** Replacement list: comments are one space, splices joined, trimmed. */
  readonly body: ByteString;
}

/** Words that make the result depend on when the compiler runs, or on the file's own time. */
export type ClockWord = '__DATE__' | '__TIME__' | '__TIMESTAMP__';

export interface ScannedFile {
  /** In order of first appearance (the assembler's after the preprocessor's), none twice. */
  readonly requests: readonly FileRequest[];
  /** Every `#define` of the file, by name; made when first asked for. */
  readonly macros: ReadonlyMap<ByteString, readonly MacroDefinition[]>;
  /** Those that occur in code, not in comments or strings. */
  readonly clockWords: ReadonlySet<ClockWord>;
  /** An assembler directive whose file name cannot be read: the file cannot be covered. */
  readonly hasOpaqueAssembler: boolean;
}
