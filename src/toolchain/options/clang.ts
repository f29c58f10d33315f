/** What Clang has besides the options it shares with GCC. */
import type { DeclineReason } from '../../core/reasons.js';
import type { AliasRow, Arity, OptionRow } from './option-spec.js';

const SIDE = { plain: 'side-outputs' } as const;
const COVERAGE = { plain: 'coverage' } as const;
const PROFILE = { plain: 'profile-use' } as const;

const DEBUG =
  '-gline-tables-only -gline-directives-only -gmlt -gfull -gused -glldb -gsce -gdbx ' +
  '-gsimple-template-names -gno-simple-template-names -gno-inline-line-tables ' +
  '-ginline-line-tables -gcodeview -gno-codeview-ghash';

const ROWS: readonly OptionRow[] = [
  ...DEBUG.split(' ').map((name): OptionRow => [name, 'none', 'none', 'both']),
  ['--target=', 'joined', 'target', 'both'],
  ['-stdlib=', 'joined', 'word', 'both'],
  ['--stdlib=', 'joined', 'word', 'both'],
  ['-Qunused-arguments', 'none', 'none', 'both'],
  ['-isystem-after', 'either', 'path', 'preprocess'],
  ['-iframework', 'either', 'path', 'preprocess'],
  ['-nobuiltininc', 'none', 'none', 'preprocess'],
  ['-nostdlibinc', 'none', 'none', 'preprocess'],
  // Strings that go into debug information, never opened.
  ['-fdebug-compilation-dir=', 'joined', 'text', 'compile'],
  ['-ffile-compilation-dir=', 'joined', 'text', 'compile'],
  ['-fcoverage-prefix-map=', 'joined', 'text', 'compile'],
  ['-fcoverage-compilation-dir=', 'joined', 'text', 'compile'],
  ['-fintegrated-as', 'none', 'none', 'compile'],
  ['-integrated-as', 'none', 'none', 'compile'],
  ['-fcolor-diagnostics', 'none', 'none', 'both'],
  ['-fdiagnostics-show-category=', 'joined', 'word', 'both'],
  ['-fcaret-diagnostics', 'none', 'none', 'both'],
  ['-fansi-escape-codes', 'none', 'none', 'both'],
  ['-ferror-limit=', 'joined', 'word', 'both'],
  ['-fmacro-backtrace-limit=', 'joined', 'word', 'both'],
  ['-fconstexpr-backtrace-limit=', 'joined', 'word', 'both'],
  ['-fconstexpr-steps=', 'joined', 'word', 'both'],
  ['-fspell-checking-limit=', 'joined', 'word', 'both'],
  ['-fbracket-depth=', 'joined', 'word', 'both'],
  ['-fno-math-errno', 'none', 'none', 'both'],
  ['-rtlib=', 'joined', 'word', 'link'],
  ['--rtlib=', 'joined', 'word', 'link'],
  ['-unwindlib=', 'joined', 'word', 'link'],
  ['--unwindlib=', 'joined', 'word', 'link'],
  ['--ld-path=', 'joined', 'path', 'link'],
  ['-ftime-trace', 'none', 'none', 'compile', SIDE],
  ['-ftime-trace=', 'joined', 'path', 'compile', SIDE],
  ['-ftime-trace-granularity=', 'joined', 'word', 'compile', SIDE],
  ['-fsave-optimization-record=', 'joined', 'word', 'compile', SIDE],
  ['-foptimization-record-file=', 'joined', 'path', 'compile', SIDE],
  ['-foptimization-record-passes=', 'joined', 'text', 'compile', SIDE],
  ['-MJ', 'separate', 'path', 'compile', SIDE],
  ['--serialize-diagnostics', 'separate', 'path', 'compile', SIDE],
  ['-serialize-diagnostics', 'separate', 'path', 'compile', SIDE],
  ['-gsplit-dwarf=', 'joined', 'word', 'both', { plain: 'split-dwarf' }],
  ['-fcoverage-mapping', 'none', 'none', 'both', COVERAGE],
  ['-fprofile-instr-generate', 'none', 'none', 'both', COVERAGE],
  ['-fprofile-instr-generate=', 'joined', 'path', 'both', COVERAGE],
  ['-fcs-profile-generate', 'none', 'none', 'both', COVERAGE],
  ['-fcs-profile-generate=', 'joined', 'path', 'both', COVERAGE],
  ['-fmemory-profile', 'none', 'none', 'both', COVERAGE],
  ['-fmemory-profile=', 'joined', 'path', 'both', COVERAGE],
  ['-fprofile-instr-use', 'none', 'none', 'both', PROFILE],
  ['-fprofile-instr-use=', 'joined', 'path', 'both', PROFILE],
  ['-fprofile-sample-use', 'none', 'none', 'both', PROFILE],
  ['-fprofile-sample-use=', 'joined', 'path', 'both', PROFILE],
  ['-fprofile-list=', 'joined', 'path', 'both', PROFILE],
  ['-fprofile-remapping-file=', 'joined', 'path', 'both', PROFILE],
  ['-frecord-command-line', 'none', 'none', 'both', { plain: 'option:-frecord-command-line' }],
  // The same in its debug information; GCC records no paths there, and does so anyway.
  ['-grecord-gcc-switches', 'none', 'none', 'both', { plain: 'option:-grecord-gcc-switches' }],
  ['-dM', 'none', 'none', 'driver', { decline: 'option:-d' }],
];

/** As declined.ts: known for the sake of their arity, never sent. [arity, names, why] */
const DECLINED: readonly (readonly [Arity, string, string])[] = [
  ['separate', '-Xclang -Xanalyzer -Xopenmp-target -mllvm -Xcuda-fatbinary', 'reach inside'],
  ['joined', '-Xarch_ -Xopenmp-target= -mllvm=', 'reach inside'],
  ['none', '-cc1 -cc1as', 'another tool'],
  ['separate', '--config -gcc-toolchain', 'other settings'],
  ['joined', '--config= --gcc-toolchain= --gcc-install-dir= --cuda-path= --hip-path=', 'paths'],
  ['separate', '-resource-dir -working-directory', 'moves what is found'],
  ['joined', '-resource-dir= -working-directory= -fcrash-diagnostics-dir=', 'moves files'],
  ['separate', '-ivfsoverlay -iapinotes-modules -index-store-path', 'reads or writes more'],
  ['joined', '-ivfsoverlay= -fproc-stat-report= -fproc-stat-report -index-store-path=', 'the same'],
  ['none', '-emit-llvm -emit-ast -emit-interface-stubs --analyze --analyze-auto', 'other outputs'],
  ['none', '-gmodules -gembed-source -no-integrated-as -fno-integrated-as', 'read or run more'],
  ['none', '-gen-reproducer -fno-integrated-cc1 -fintegrated-cc1 -rewrite-objc', 'other outputs'],
  ['joined', '-fsanitize-ignorelist= -fsanitize-blacklist= -fembed-bitcode=', 'files'],
];

const DECLINED_BY_REASON: readonly OptionRow[] = [
  ['-include-pch', 'separate', 'path', 'preprocess', { decline: 'pch' }],
  ['-emit-pch', 'none', 'none', 'driver', { decline: 'pch' }],
  ['--precompile', 'none', 'none', 'driver', { decline: 'modules' }],
];

export const CLANG_ROWS: readonly OptionRow[] = [
  ...ROWS,
  ...DECLINED.flatMap(([arity, names]) =>
    names.split(' ').map((name): OptionRow => {
      const decline: DeclineReason = `option:${name}`;
      return [name, arity, 'path', 'driver', { decline }];
    }),
  ),
  ...DECLINED_BY_REASON,
];

export const CLANG_ALIASES: readonly AliasRow[] = [
  ['-target', 'separate', '--target='],
  ['-fdebug-compilation-dir', 'separate', '-fdebug-compilation-dir='],
  ['-stdlib', 'separate', '-stdlib='],
];
