/** Which language a source is in: by -x, else by its suffix, as the drivers of GCC and Clang do. */
import type { ByteString } from '../core/byte-string.js';
import type { DeclineReason } from '../core/reasons.js';
import { baseName } from '../core/byte-string.js';
import type { Language } from './compile-command.js';

/** A language that goes out, or why this one does not; `linker-input` is no source at all. */
export type SourceKind =
  | { readonly kind: 'language'; readonly language: Language }
  /** A header: a precompiled one is made of it. */
  | { readonly kind: 'header'; readonly language: Language }
  | { readonly kind: 'decline'; readonly reason: DeclineReason }
  | { readonly kind: 'linker-input' };

const language = (of: Language): SourceKind => ({ kind: 'language', language: of });
const header = (of: Language): SourceKind => ({ kind: 'header', language: of });
const MODULES: SourceKind = { kind: 'decline', reason: 'modules' };
const FOREIGN: SourceKind = { kind: 'decline', reason: 'language' };
const LINKER_INPUT: SourceKind = { kind: 'linker-input' };

const each = (words: string, kind: SourceKind): [string, SourceKind][] =>
  words.split(' ').map((word) => [word, kind]);

const BY_SUFFIX: ReadonlyMap<string, SourceKind> = new Map([
  ...each('c', language('c')),
  ...each('i', language('cpp-output')),
  ...each('cc cp cxx cpp CPP c++ C CC', language('c++')),
  ...each('ii', language('c++-cpp-output')),
  ...each('m', language('objective-c')),
  ...each('mi', language('objective-c-cpp-output')),
  ...each('mm M', language('objective-c++')),
  ...each('mii', language('objective-c++-cpp-output')),
  ...each('s', language('assembler')),
  ...each('S sx', language('assembler-with-cpp')),
  ...each('h', header('c')),
  ...each('hh H hp hxx hpp HPP h++ tcc', header('c++')),
  ...each('cppm ccm cxxm c++m ixx iim pcm', MODULES),
  ...each('f for ftn F FOR fpp FPP FTN f90 f95 f03 f08 F90 F95 F03 F08 fi fii', FOREIGN),
  ...each('go d di dd adb ads brig rs mod def cl clcpp cu cui hip ll bc ast swift', FOREIGN),
]);

const BY_NAME: ReadonlyMap<string, SourceKind> = new Map([
  ...each('c', language('c')),
  ...each('c++', language('c++')),
  ...each('objective-c', language('objective-c')),
  ...each('objective-c++', language('objective-c++')),
  ...each('cpp-output', language('cpp-output')),
  ...each('c++-cpp-output', language('c++-cpp-output')),
  ...each('objective-c-cpp-output objc-cpp-output', language('objective-c-cpp-output')),
  ...each('objective-c++-cpp-output objc++-cpp-output', language('objective-c++-cpp-output')),
  ...each('assembler', language('assembler')),
  ...each('assembler-with-cpp', language('assembler-with-cpp')),
  ...each('c-header cpp-header', header('c')),
  ...each('c++-header', header('c++')),
  ...each('objective-c-header', header('objective-c')),
  ...each('objective-c++-header', header('objective-c++')),
  ...each('c++-module c++-module-cpp-output c++-system-header c++-user-header', MODULES),
]);

/** The C++ driver takes C sources for C++. */
const IN_CXX_DRIVER: ReadonlyMap<Language, Language> = new Map([
  ['c', 'c++'],
  ['cpp-output', 'c++-cpp-output'],
]);

/** Whether argv[0] names the C++ driver: `g++`, `c++`, `clang++-14`, `aarch64-linux-gnu-g++`. */
export function isCxxDriver(argv0: ByteString): boolean {
  return /(?:^|[-.])(?:g\+\+|c\+\+|clang\+\+)(?:-[0-9.]+)?$/.test(baseName(argv0));
}

/**
 * @param explicit the value of the -x in force before this source; undefined or `none` for the
 *   suffix to decide.
 */
export function sourceKind(
  source: ByteString,
  explicit: string | undefined,
  cxxDriver: boolean,
): SourceKind {
  if (explicit !== undefined && explicit !== 'none') return BY_NAME.get(explicit) ?? FOREIGN;
  const base = baseName(source);
  const dot = base.lastIndexOf('.');
  if (dot < 0) return LINKER_INPUT;
  const found = BY_SUFFIX.get(base.slice(dot + 1)) ?? LINKER_INPUT;
  if (!cxxDriver || (found.kind !== 'language' && found.kind !== 'header')) return found;
  return { ...found, language: IN_CXX_DRIVER.get(found.language) ?? found.language };
}

const PREPROCESSED: Readonly<Record<Language, Language>> = {
  c: 'cpp-output',
  'c++': 'c++-cpp-output',
  'objective-c': 'objective-c-cpp-output',
  'objective-c++': 'objective-c++-cpp-output',
  'cpp-output': 'cpp-output',
  'c++-cpp-output': 'c++-cpp-output',
  'objective-c-cpp-output': 'objective-c-cpp-output',
  'objective-c++-cpp-output': 'objective-c++-cpp-output',
  assembler: 'assembler',
  'assembler-with-cpp': 'assembler',
};

/** What a source of this language is once the preprocessor has been over it, in words of -x. */
export function preprocessedLanguage(of: Language): Language {
  return PREPROCESSED[of];
}

/** Whether the compiler takes a source of this language without preprocessing it. */
export function isPreprocessed(of: Language): boolean {
  return PREPROCESSED[of] === of;
}
