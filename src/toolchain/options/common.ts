/**
 * Options of the drivers and compilers that GCC and Clang share, besides the -W, -f and -m
 * families. What is missing here on purpose is in declined.ts, with its reason.
 */
import type { AliasRow, OptionRow } from './option-spec.js';

const SIDE = { plain: 'side-outputs' } as const;
const COVERAGE = { plain: 'coverage' } as const;
const PROFILE = { plain: 'profile-use' } as const;
const LTO = { plain: 'lto' } as const;

const STAGES: readonly OptionRow[] = [
  ['-c', 'none', 'none', 'stage'],
  ['-S', 'none', 'none', 'stage'],
  ['-E', 'none', 'none', 'stage'],
  ['-M', 'none', 'none', 'stage'],
  ['-MM', 'none', 'none', 'stage'],
  ['-o', 'either', 'path', 'output'],
  ['-x', 'either', 'language', 'language'],
];

/** Any of these makes the command a question; a source beside it is not compiled, or not only. */
const QUERIES: readonly OptionRow[] = [
  ['--version', 'none', 'none', 'query'],
  ['--help', 'none', 'none', 'query'],
  ['--help=', 'joined', 'text', 'query'],
  ['--target-help', 'none', 'none', 'query'],
  ['--completion=', 'joined', 'text', 'query'],
  ['-###', 'none', 'none', 'query'],
  ['-dumpmachine', 'none', 'none', 'query'],
  ['-dumpversion', 'none', 'none', 'query'],
  ['-dumpfullversion', 'none', 'none', 'query'],
  ['-dumpspecs', 'none', 'none', 'query'],
  ['-print-', 'joined', 'text', 'query'],
  ['--print-', 'joined', 'text', 'query'],
];

const BOTH: readonly OptionRow[] = [
  ['-std=', 'joined', 'word', 'both'],
  ['-ansi', 'none', 'none', 'both'],
  ['-O', 'joined', 'level', 'both'],
  // Any -W name without a comma is a diagnostics switch in both compilers, never more: neither has
  // one that names a file, and -Wa, -Wp, -Wl, all carry the comma right after the letter.
  ['-W', 'joined', 'warning', 'both'],
  ['-w', 'none', 'none', 'both'],
  ['-pedantic', 'none', 'none', 'both'],
  ['-pedantic-errors', 'none', 'none', 'both'],
  ['-fdiagnostics-parseable-fixits', 'none', 'none', 'both'],
  ['-fdiagnostics-generate-patch', 'none', 'none', 'both'],
  // Written at the end of every compile, and -E is one more.
  ['-fdiagnostics-format=', 'joined', 'word', 'both', { plain: 'option:-fdiagnostics-format=' }],
  ['-pthread', 'none', 'none', 'both'],
  ['-pthreads', 'none', 'none', 'both'],
  // Strings that are rewritten in what is made; neither side is opened.
  ['-ffile-prefix-map=', 'joined', 'text', 'both'],
  ['-fdebug-prefix-map=', 'joined', 'text', 'both'],
  ['-fmacro-prefix-map=', 'joined', 'text', 'both'],
  ['-march=', 'joined', 'word', 'both'],
  ['-mcpu=', 'joined', 'word', 'both'],
  ['-mtune=', 'joined', 'word', 'both'],
];

/** Debug information by level, format and detail. */
const DEBUG: readonly OptionRow[] = [
  '-g -g0 -g1 -g2 -g3 -ggdb -ggdb0 -ggdb1 -ggdb2 -ggdb3 -gdwarf -gdwarf-2 -gdwarf-3 -gdwarf-4',
  '-gdwarf-5 -gdwarf32 -gdwarf64 -gstabs -gstabs+ -gxcoff -gxcoff+ -gvms -gz',
  '-gas-loc-support -gno-as-loc-support -gas-locview-support -gno-as-locview-support',
  '-gcolumn-info -gno-column-info -gdescribe-dies -gno-describe-dies',
  '-ginline-points -gno-inline-points -ginternal-reset-location-views',
  '-gno-internal-reset-location-views -gpubnames -gno-pubnames -ggnu-pubnames',
  '-gno-gnu-pubnames -grecord-gcc-switches -gno-record-gcc-switches',
  '-gstatement-frontiers -gno-statement-frontiers -gstrict-dwarf -gno-strict-dwarf',
  '-gvariable-location-views -gno-variable-location-views -gctf -gctf0 -gctf1 -gctf2 -gbtf',
]
  .flatMap((line) => line.split(' '))
  .map((name): OptionRow => [name, 'none', 'none', 'both']);

const COMPILE: readonly OptionRow[] = [
  ['-gz=', 'joined', 'word', 'compile'],
  ['-gvariable-location-views=', 'joined', 'word', 'compile'],
  ['-p', 'none', 'none', 'both'],
  ['-pg', 'none', 'none', 'both'],
  ['-fprofile', 'none', 'none', 'both'],
  ['-frandom-seed=', 'joined', 'text', 'compile'],
  ['-finstrument-functions-exclude-file-list=', 'joined', 'text', 'compile'],
  ['-Wa,', 'joined', 'assembler', 'compile'],
  ['--param=', 'joined', 'parameter', 'compile'],
  // Without -flto these change nothing; with it the compile does not go out in plain mode.
  ['-ffat-lto-objects', 'none', 'none', 'compile'],
  ['-flto-compression-level=', 'joined', 'word', 'compile'],
  ['-flto-partition=', 'joined', 'word', 'compile'],
  ['-fprofile-prefix-map=', 'joined', 'text', 'compile'],
];

/** More files, or contents that depend on how and where the compiler was called. */
const PLAIN_OBSTACLES: readonly OptionRow[] = [
  ['-save-temps', 'none', 'none', 'compile', { plain: 'save-temps' }],
  ['-save-temps=', 'joined', 'word', 'compile', { plain: 'save-temps' }],
  ['-gsplit-dwarf', 'none', 'none', 'both', { plain: 'split-dwarf' }],
  ['-gno-split-dwarf', 'none', 'none', 'both', { clears: '-gsplit-dwarf' }],
  ['-fstack-usage', 'none', 'none', 'compile', SIDE],
  ['-fcallgraph-info', 'none', 'none', 'compile', SIDE],
  ['-fcallgraph-info=', 'joined', 'word', 'compile', SIDE],
  ['-fsave-optimization-record', 'none', 'none', 'compile', SIDE],
  ['-fopt-info', 'joined', 'path', 'compile', SIDE],
  ['-fdump-', 'joined', 'path', 'compile', SIDE],
  ['-aux-info', 'separate', 'path', 'compile', SIDE],
  ['-aux-info=', 'joined', 'path', 'compile', SIDE],
  ['-fverbose-asm', 'none', 'none', 'compile', { plain: 'option:-fverbose-asm' }],
  ['-frecord-gcc-switches', 'none', 'none', 'both', { plain: 'option:-frecord-gcc-switches' }],
  ['--coverage', 'none', 'none', 'both', COVERAGE],
  ['-coverage', 'none', 'none', 'both', COVERAGE],
  ['-fprofile-arcs', 'none', 'none', 'both', COVERAGE],
  ['-ftest-coverage', 'none', 'none', 'both', COVERAGE],
  ['-fprofile-generate', 'none', 'none', 'both', COVERAGE],
  ['-fprofile-generate=', 'joined', 'path', 'both', COVERAGE],
  ['-fprofile-dir=', 'joined', 'path', 'both', COVERAGE],
  ['-fprofile-note=', 'joined', 'path', 'both', COVERAGE],
  ['-fprofile-abs-path', 'none', 'none', 'both', COVERAGE],
  ['-fprofile-update=', 'joined', 'word', 'both', COVERAGE],
  ['-fprofile-filter-files=', 'joined', 'text', 'both', COVERAGE],
  ['-fprofile-exclude-files=', 'joined', 'text', 'both', COVERAGE],
  ['-fprofile-info-section', 'none', 'none', 'both', COVERAGE],
  ['-fprofile-info-section=', 'joined', 'word', 'both', COVERAGE],
  ['-fprofile-reproducible=', 'joined', 'word', 'both', COVERAGE],
  ['-fprofile-use', 'none', 'none', 'both', PROFILE],
  ['-fprofile-use=', 'joined', 'path', 'both', PROFILE],
  ['-fprofile-correction', 'none', 'none', 'both', PROFILE],
  ['-fprofile-partial-training', 'none', 'none', 'both', PROFILE],
  ['-fprofile-values', 'none', 'none', 'both', PROFILE],
  ['-fprofile-reorder-functions', 'none', 'none', 'both', PROFILE],
  ['-fbranch-probabilities', 'none', 'none', 'both', PROFILE],
  ['-fauto-profile', 'none', 'none', 'both', PROFILE],
  ['-fauto-profile=', 'joined', 'path', 'both', PROFILE],
  ['-flto', 'none', 'none', 'both', LTO],
  ['-flto=', 'joined', 'word', 'both', LTO],
];

const DRIVER: readonly OptionRow[] = [
  ['-pipe', 'none', 'none', 'driver'],
  ['-pass-exit-codes', 'none', 'none', 'driver'],
  ['-no-canonical-prefixes', 'none', 'none', 'driver'],
];

/**
 * The linker's. The valueless ones are `both`, because a target's specs may look at them when they
 * compile; the others are ignored with -c.
 */
const LINK: readonly OptionRow[] = [
  ...'-static -shared -static-pie -pie -no-pie -static-libgcc -shared-libgcc -static-libstdc++'
    .split(' ')
    .map((name): OptionRow => [name, 'none', 'none', 'both']),
  ...(
    '-rdynamic -symbolic -r -s -t -n -N -nostdlib -nodefaultlibs -nostartfiles -nolibc ' +
    '-nostdlib++ -static-libasan -static-libtsan -static-liblsan -static-libubsan -static-libgfortran'
  )
    .split(' ')
    .map((name): OptionRow => [name, 'none', 'none', 'link']),
  ['-l', 'either', 'path', 'link'],
  ['-L', 'either', 'path', 'link'],
  ['-T', 'either', 'path', 'link'],
  ['-u', 'either', 'text', 'link'],
  ['-e', 'either', 'text', 'link'],
  ['-z', 'either', 'text', 'link'],
  ['-Xlinker', 'separate', 'path', 'link'],
  ['-Wl,', 'joined', 'path', 'link'],
  ['-fuse-ld=', 'joined', 'path', 'link'],
  ['-fuse-linker-plugin', 'none', 'none', 'link'],
];

export const COMMON_ROWS: readonly OptionRow[] = [
  ...STAGES,
  ...QUERIES,
  ...BOTH,
  ...DEBUG,
  ...COMPILE,
  ...PLAIN_OBSTACLES,
  ...DRIVER,
  ...LINK,
];

export const COMMON_ALIASES: readonly AliasRow[] = [
  ['--compile', 'none', '-c'],
  ['--assemble', 'none', '-S'],
  ['--preprocess', 'none', '-E'],
  ['--dependencies', 'none', '-M'],
  ['--user-dependencies', 'none', '-MM'],
  ['--output', 'separate', '-o'],
  ['--output=', 'joined', '-o'],
  ['--language', 'separate', '-x'],
  ['--language=', 'joined', '-x'],
  ['--std', 'separate', '-std='],
  ['--std=', 'joined', '-std='],
  ['-std', 'separate', '-std='],
  ['--ansi', 'none', '-ansi'],
  ['--optimize', 'none', '-O', ''],
  ['--optimize=', 'joined', '-O'],
  ['--debug', 'none', '-g'],
  ['--all-warnings', 'none', '-W', 'all'],
  ['--extra-warnings', 'none', '-W', 'extra'],
  ['--warn-', 'joined', '-W'],
  ['--no-warnings', 'none', '-w'],
  ['--pedantic', 'none', '-pedantic'],
  ['--pedantic-errors', 'none', '-pedantic-errors'],
  ['--param', 'separate', '--param='],
  ['--profile', 'none', '-p'],
  ['--pipe', 'none', '-pipe'],
  ['--save-temps', 'none', '-save-temps'],
  ['--save-temps=', 'joined', '-save-temps='],
  ['--pass-exit-codes', 'none', '-pass-exit-codes'],
  ['--no-canonical-prefixes', 'none', '-no-canonical-prefixes'],
  ['-Xassembler', 'separate', '-Wa,'],
  ['--for-assembler', 'separate', '-Wa,'],
  ['--for-assembler=', 'joined', '-Wa,'],
  ['--for-linker', 'separate', '-Xlinker'],
  ['--for-linker=', 'joined', '-Xlinker'],
  ['--library-directory', 'separate', '-L'],
  ['--library-directory=', 'joined', '-L'],
  ['--entry', 'separate', '-e'],
  ['--entry=', 'joined', '-e'],
  ['--force-link', 'separate', '-u'],
  ['--force-link=', 'joined', '-u'],
  ['--no-standard-libraries', 'none', '-nostdlib'],
  ['--shared', 'none', '-shared'],
  ['--static', 'none', '-static'],
  ['--static-pie', 'none', '-static-pie'],
  ['--pie', 'none', '-pie'],
  ['--no-pie', 'none', '-no-pie'],
  ['-nopie', 'none', '-no-pie'],
  ['--symbolic', 'none', '-symbolic'],
];
