/**
 * Options of the preprocessor, as GCC and Clang share them. Their effect is in the preprocessed
 * source, so none of them is sent in plain mode; those that change code as well are `both`.
 */
import type { AliasRow, OptionRow } from './option-spec.js';

export const PREPROCESSOR_ROWS: readonly OptionRow[] = [
  ['-D', 'either', 'text', 'preprocess'],
  ['-U', 'either', 'text', 'preprocess'],
  ['-A', 'either', 'text', 'preprocess'],
  ['-I', 'either', 'path', 'preprocess'],
  ['-iquote', 'either', 'path', 'preprocess'],
  ['-isystem', 'either', 'path', 'preprocess'],
  ['-idirafter', 'either', 'path', 'preprocess'],
  ['-include', 'either', 'path', 'preprocess'],
  ['-imacros', 'either', 'path', 'preprocess'],
  ['-iprefix', 'either', 'path', 'preprocess'],
  ['-iwithprefix', 'either', 'path', 'preprocess'],
  ['-iwithprefixbefore', 'either', 'path', 'preprocess'],
  ['-isysroot', 'either', 'path', 'preprocess'],
  ['--sysroot', 'separate', 'path', 'preprocess'],
  ['--sysroot=', 'joined', 'path', 'preprocess'],
  ['-imultilib', 'either', 'path', 'preprocess'],
  ['-nostdinc', 'none', 'none', 'preprocess'],
  ['-nostdinc++', 'none', 'none', 'preprocess'],
  ['-undef', 'none', 'none', 'preprocess'],
  ['-traditional-cpp', 'none', 'none', 'preprocess'],
  ['-trigraphs', 'none', 'none', 'both'],
  // The source is read in this character set; -E writes UTF-8, so it must not be applied twice.
  ['-finput-charset=', 'joined', 'word', 'preprocess'],
  ['-fexec-charset=', 'joined', 'word', 'both'],
  ['-fwide-exec-charset=', 'joined', 'word', 'both'],
  ['-fmax-include-depth=', 'joined', 'word', 'preprocess'],
  ['-fcanonical-system-headers', 'none', 'none', 'preprocess'],
  ['-ftrack-macro-expansion', 'none', 'none', 'both'],
  ['-ftrack-macro-expansion=', 'joined', 'word', 'both'],
  // A -g compile notes the directory in its -E output unless told not to; see plain-mode.ts.
  ['-fworking-directory', 'none', 'none', 'preprocess'],

  ['-MD', 'none', 'none', 'dependencies'],
  ['-MMD', 'none', 'none', 'dependencies'],
  ['-MF', 'either', 'path', 'dependencies'],
  ['-MT', 'either', 'text', 'dependencies'],
  ['-MQ', 'either', 'text', 'dependencies'],
  ['-MP', 'none', 'none', 'dependencies'],
  ['-MG', 'none', 'none', 'dependencies'],

  // Words for the preprocessor itself; dependency-request.ts reads them, all else is declined.
  ['-Wp,', 'joined', 'text', 'preprocess'],
];

export const PREPROCESSOR_ALIASES: readonly AliasRow[] = [
  ['-Xpreprocessor', 'separate', '-Wp,'],
  ['--define-macro', 'separate', '-D'],
  ['--define-macro=', 'joined', '-D'],
  ['--undefine-macro', 'separate', '-U'],
  ['--undefine-macro=', 'joined', '-U'],
  ['--assert', 'separate', '-A'],
  ['--assert=', 'joined', '-A'],
  ['--include-directory', 'separate', '-I'],
  ['--include-directory=', 'joined', '-I'],
  ['--include-directory-after', 'separate', '-idirafter'],
  ['--include-directory-after=', 'joined', '-idirafter'],
  ['--include', 'separate', '-include'],
  ['--include=', 'joined', '-include'],
  ['--imacros', 'separate', '-imacros'],
  ['--imacros=', 'joined', '-imacros'],
  ['--include-prefix', 'separate', '-iprefix'],
  ['--include-prefix=', 'joined', '-iprefix'],
  ['--include-with-prefix', 'separate', '-iwithprefix'],
  ['--include-with-prefix=', 'joined', '-iwithprefix'],
  ['--include-with-prefix-after', 'separate', '-iwithprefix'],
  ['--include-with-prefix-after=', 'joined', '-iwithprefix'],
  ['--include-with-prefix-before', 'separate', '-iwithprefixbefore'],
  ['--include-with-prefix-before=', 'joined', '-iwithprefixbefore'],
  ['--no-standard-includes', 'none', '-nostdinc'],
  ['--traditional-cpp', 'none', '-traditional-cpp'],
  ['--trigraphs', 'none', '-trigraphs'],
  ['--write-dependencies', 'none', '-MD'],
  ['--write-user-dependencies', 'none', '-MMD'],
  ['--print-missing-file-dependencies', 'none', '-MG'],
];
