/**
 * Sources that would like to see or do more than be compiled, and paths and frames that lead
 * elsewhere. `{secret}`, `{dir}` and `{out}` as in option-vectors.ts.
 */

/** What a plain job may send: preprocessed C that asks for other files all the same. */
const READING = [
  '.incbin "{secret}"',
  '.incbin "/proc/self/root{secret}"',
  '.incbin "/proc/self/cwd/../../../../../../../../../..{secret}"',
  '.incbin "../../../../../../../../../../../..{secret}"',
  '.incbin "//{secret}"',
  '.incbin "/./{secret}"',
  '.incbin "{dir}/../secret"',
  '.incbin "/dev/fd/../../..{secret}"',
  '.incbin "{secret}",1',
  '.incbin "{secret}",1,4',
  '.INCBIN "{secret}"',
  '.include "{secret}"',
  '.include "/proc/self/root{secret}"',
  '.include "../../../../../../../../../../../..{secret}"',
  '.include "/etc/passwd"',
  '.incbin "/etc/passwd"',
  '.incbin "/etc/shadow"',
  '.incbin "/etc/hostname"',
  '.incbin "/proc/self/environ"',
  '.incbin "/proc/self/maps"',
  '.incbin "/proc/1/environ"',
  '.incbin "/proc/version"',
  '.incbin "/dev/stdin"',
  '.incbin "/dev/mem"',
  '.file 1 "{secret}"\\n.loc 1 1',
  '.macro m f\\n.incbin "\\\\f"\\n.endm\\nm {secret}',
  '.irp f,{secret}\\n.incbin "\\\\f"\\n.endr',
  '.altmacro\\n.macro m f\\n.include "&f"\\n.endm\\nm {secret}',
  '.pushsection .data\\n.incbin "{secret}"\\n.popsection',
  '.ifdef x\\n.else\\n.incbin "{secret}"\\n.endif',
  '.symver x,x@@@V\\n.incbin "{secret}"',
].flatMap((text) => {
  const quoted = text.replaceAll('"', '\\"');
  return [`__asm__("${quoted}");\n`, `void f(void) { __asm__ volatile("${quoted}"); }\n`];
});

/** Errors and warnings that show a line of the file which is said to be the source. */
const CARETS = [
  '# 1 "{secret}"\nint x = y;\n',
  '# 1 "{secret}" 1\nint x = y;\n',
  '# 1 "{secret}" 1 3\nint x = y;\n',
  '# 1 "{secret}" 1 3 4\nint x = y;\n',
  '#line 1 "{secret}"\nint x = y;\n',
  '#line 0 "{secret}"\nint x = y;\n',
  '#line 1 "/proc/self/root{secret}"\nint x = y;\n',
  '#line 1 "../../../../../../../../..{secret}"\nint x = y;\n',
  '# 1 "/etc/passwd"\nint x = y;\n',
  '# 1 "/etc/shadow"\nint x = y;\n',
  '# 1 "/proc/self/environ"\nint x = y;\n',
  '# 1 "/proc/self/cmdline"\nint x = y;\n',
  '# 1 "/proc/self/mountinfo"\nint x = y;\n',
  '# 1 "/dev/stdin"\nint x = y;\n',
  '# 1 "/dev/zero"\nint x = y;\n',
  '# 1 "/dev/null"\nint x = y;\n',
  '# 1 "{dir}"\nint x = y;\n',
  '# 1 "{secret}"\nint f(void) { return 1 }\n',
  '# 1 "{secret}"\n#warning x\n',
  '# 1 "{secret}"\n#pragma GCC warning "x"\nint x = 1 / 0;\n',
  '# 1 "{secret}"\n#pragma GCC error "x"\n',
  '# 1 "{secret}"\nint a[-1];\n_Static_assert(0, "x");\n',
];

/** What -fpreprocessed takes no more, or should not. */
const DIRECTIVES = [
  '#include "{secret}"\n',
  '#include <{secret}>\n',
  '#include_next "{secret}"\n',
  '#import "{secret}"\n',
  '#embed "{secret}"\n',
  'int x =\n#if __has_include("{secret}")\n1\n#endif\n;\n',
  '#pragma GCC pch_preprocess "{secret}"\nint x;\n',
  '#pragma GCC dependency "{secret}"\nint x;\n',
  '#pragma GCC system_header\n#include "{secret}"\n',
  '_Pragma("GCC dependency \\"{secret}\\"") int x;\n',
  '#ident "{secret}"\n#sccs "x"\n',
  '%:include "{secret}"\n',
  '??=include "{secret}"\n',
  '__attribute__((section(".x,\\"aw\\"\\n.incbin \\"{secret}\\"\\n#"))) int x = 1;\n',
  'int x __asm__("y\\n.incbin \\"{secret}\\"\\n");\n',
  '__attribute__((alias("{secret}"))) int x;\n',
  '__attribute__((optimize("-fplugin={dir}/program.so"))) int f(void) { return 1; }\n',
  '__attribute__((target("arch=@{secret}"))) int f(void) { return 1; }\n',
  '#pragma GCC optimize ("-fdump-tree-all={out}")\nint f(void) { return 1; }\n',
  '#pragma GCC optimize ("-wrapper {dir}/program")\nint f(void) { return 1; }\n',
  '#pragma GCC target ("@{secret}")\nint f(void) { return 1; }\n',
];

/** Too much of something; each must end by a limit, and soon. */
const BOMBS = [
  `int x = ${'('.repeat(5_000)}1${')'.repeat(5_000)};\n`,
  `int ${'*'.repeat(5_000)}x;\n`,
];

export const SOURCES: readonly string[] = [...READING, ...CARETS, ...DIRECTIVES];
export const BOMB_SOURCES: readonly string[] = BOMBS;

/** For every field that holds a path in the client's tree. */
export const PATHS: readonly string[] = [
  '..',
  '../x',
  '/..',
  '/../x',
  '/a/../../x',
  '/a/./x',
  '/a//x',
  '//x',
  '/a/',
  'x',
  '',
  '.',
  '/a/..',
  '/.tscc-hostile/../../../../../../../../{out}',
  '/\0',
  `/${'x'.repeat(300)}`,
  `/${'y/'.repeat(2_100)}`,
];
