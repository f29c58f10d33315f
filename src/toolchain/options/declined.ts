/**
 * Options that are known, so that their values are not taken for sources, and never sent: they run
 * or load something, name other outputs, print beside the diagnostics, or change what -E writes.
 * The reason is always `option:NAME`, as for an option that is in no table at all.
 */
import type { DeclineReason } from '../../core/reasons.js';
import type { Arity, OptionRow } from './option-spec.js';

/** [arity, names, why] */
const GROUPS: readonly (readonly [Arity, string, string])[] = [
  ['separate', '-wrapper -specs --specs', 'run or configure programs'],
  ['joined', '-specs= --specs= -fplugin= -fplugin-arg- -iplugindir= -fpass-plugin=', 'load code'],
  ['either', '-B', 'moves the search for programs'],
  ['separate', '--prefix', 'the same'],
  ['joined', '--prefix=', 'the same'],
  ['none', '-no-integrated-cpp --no-integrated-cpp', 'runs another preprocessor'],
  ['joined', '-fmodule-mapper=', 'runs or connects to a program'],
  ['none', '-time -Q -v --verbose -H --trace-includes -ftime-report -fmem-report', 'print'],
  ['joined', '-time=', 'writes a file'],
  ['joined', '-d', 'dumps of the compiler or preprocessor: more output, other files'],
  ['separate', '-dumpdir -dumpbase -dumpbase-ext --dumpdir --dumpbase --dumpbase-ext', 'rename'],
  ['separate', '--dump', 'as -d'],
  ['joined', '--dump=', 'as -d'],
  ['none', '-P --no-line-commands -C --comments -CC --comments-in-macros', 'for -E: alter it'],
  ['none', '-remap', 'reads header.gcc files'],
  ['none', '-I- --include-barrier', 'splits the search path; gone from GCC'],
  ['none', '-traditional --traditional', 'only with -E'],
  ['none', '-fsyntax-only', 'makes no output'],
  ['none', '-fpreprocessed -fdirectives-only -fpch-preprocess -fpch-deps -fdebug-cpp', 'alter -E'],
  ['joined', '--output-pch=', 'makes a precompiled header'],
  ['joined', '-fdiagnostics-add-output= -fdiagnostics-set-output=', 'files'],
  ['none', '-fcompare-debug -fcompare-debug-second', 'compiles twice and compares'],
  ['joined', '-fcompare-debug=', 'the same'],
  ['none', '-gtoggle', 'undoes itself under -fcompare-debug'],
  ['separate', '-G -V -b -arch', 'targets and machines of long ago; arity differs by target'],
  ['none', '-foffload=disable', 'code for other devices'],
  ['joined', '-foffload= -foffload-options=', 'runs compilers for other devices'],
];

function declined(name: string): DeclineReason {
  return `option:${name}`;
}

export const DECLINED_ROWS: readonly OptionRow[] = GROUPS.flatMap(([arity, names]) =>
  names
    .split(' ')
    .map((name): OptionRow => [name, arity, 'path', 'driver', { decline: declined(name) }]),
);
