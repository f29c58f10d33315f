/**
 * Options and variables with which a client could make a compiler run, load, write or read
 * something that is not the job's: every spelling that GCC and Clang are known to take. Each line
 * is a command's words; in them
 *
 *   {prog}    a program that leaves a trace when it runs
 *   {dir}/    a directory with an `as`, a `cc1` and a `specs` that do
 *   {out}     a file that must not come to be
 *   {secret}  a file that the server can read and no client may
 */

/** What a client makes of it. */
export type Verdict =
  /** It goes nowhere, and no server takes it in any mode. */
  | 'declined'
  /** It names files, and goes out only to a sealed root, where these are the client's own. A plain
      job never carries it: its preprocessing is done before. */
  | 'sealed';

export interface OptionVector {
  readonly words: readonly string[];
  readonly family: 'gcc' | 'clang';
  readonly verdict: Verdict;
}

const GCC_DECLINED = `
-wrapper {prog}
-wrapper {prog},--args
-B {dir}
-B{dir}
-B{dir}/
--prefix {dir}
--prefix={dir}
-specs {dir}/specs
-specs={dir}/specs
--specs {dir}/specs
--specs={dir}/specs
-fplugin={prog}
-fplugin={prog}.so
-fplugin-arg-x-y={out}
-iplugindir={dir}
-fmodule-mapper=|{prog}
-fmodule-mapper={out}
-fmodule-mapper==12
-fmodule-mapper=[::1]:3634
-fmodules-ts
-fmodule-header
-fmodule-only
-no-integrated-cpp
--no-integrated-cpp
-foffload=nvptx-none
-foffload-options=-B{dir}
-fuse-linker-plugin -fplugin={prog}
-fcompare-debug
-fcompare-debug=-fplugin={prog}
-fcompare-debug-second
-Xlinker -plugin -wrapper {prog}
-time={out}
-time
-dumpdir {out}
--dumpdir {out}
-dumpbase {out}
--dumpbase {out}
-dumpbase-ext {out}
-auxbase {out}
-auxbase-strip {out}
-fdump-final-insns
-fdump-ada-spec
-fdump-passes
-da
-dD
-dA
-dp
--dump=A
--dump A
-fdiagnostics-format=sarif-file
-fdiagnostics-format=json-file
-fdiagnostics-add-output=sarif:file={out}
-fdiagnostics-set-output=sarif:file={out}
-Wp,-MD,{out},-fplugin={prog}
-Wp,-o,{out}
-Wp,@{secret}
-Wp,-fplugin={prog}
-Wp,-dD
-Xpreprocessor -o -Xpreprocessor {out}
-Xpreprocessor -fplugin={prog}
-Xpreprocessor @{secret}
-Xpreprocessor -iplugindir={dir}
-Wa,-aln={out}
-Wa,-a={out}
-Wa,-adhln={out}
-Wa,-alcdn
-Wa,--MD={out}
-Wa,--MD,{out}
-Wa,-o,{out}
-Wa,@{secret}
-Wa,-I{dir}
-Wa,-I,{dir}
-Wa,{secret}
-Wa,--,{secret}
-Wa,--listing-lhs-width=4
-Wa,--statistics
-Wa,-v
-Wa,--defsym,{secret}=1
-Wa,--noexecstack,@{secret}
-Xassembler -aln={out}
-Xassembler --MD={out}
-Xassembler @{secret}
-Xassembler {secret}
-Xassembler -I{dir}
-remap
-fpch-preprocess
-fpch-deps
-fpreprocessed
-fdirectives-only
-fdebug-cpp
--output-pch={out}
-fprofile-use={secret}
-fauto-profile={secret}
-fauto-profile
-fbranch-probabilities
-fprofile-use
-fexec-charset=/{dir}/x
-fwide-exec-charset=../../{dir}
-finput-charset=../../{dir}
-I-
--include-barrier
-traditional
-fsyntax-only
-P
-C
-CC
-H
--trace-includes
-ftime-report
-fmem-report
-Q
-v
-G 4
-V 4
-b arm-linux
-fstack-limit-symbol=/{secret}
-fnot-an-option={out}
-fsave-everything={out}
-mno-such-switch={dir}
-Zno-such
--no-such-long={out}
--help=/{out}
-fself-test={dir}
-fstats
-fuse-ld={prog} -fplugin={prog}
-include @{secret}
-imacros @{secret}
-isystem @{secret}
-I @{secret}
-D @{secret}
-U @{secret}
-MF @{secret} -MD
-MT @{secret} -MD
-MQ @{secret} -MD
--param @{secret}
-x @{secret}
@{secret}
@/proc/self/environ
`;

const CLANG_DECLINED = `
-cc1
-cc1as
-Xclang -load -Xclang {prog}
-Xclang -add-plugin -Xclang x
-Xclang -plugin -Xclang x
-Xclang -fmodule-file={secret}
-Xclang -o -Xclang {out}
-Xclang -include-pch -Xclang {secret}
-Xclang -serialize-diagnostic-file -Xclang {out}
-Xclang=-load
-mllvm -load={prog}
-mllvm -time-passes
-mllvm -info-output-file={out}
-mllvm -pass-remarks-output={out}
-fplugin={prog}
-fplugin-arg-x-y
-fpass-plugin={prog}
--config {secret}
--config={secret}
--config-system-dir={dir}
--config-user-dir={dir}
--no-default-config
-B {dir}
-B{dir}
--prefix={dir}
--gcc-toolchain={dir}
--gcc-toolchain {dir}
-gcc-toolchain {dir}
--gcc-install-dir={dir}
-resource-dir {dir}
-resource-dir={dir}
-no-integrated-as
-fno-integrated-as
-fno-integrated-cc1
-fintegrated-cc1 -Xclang -load
--ld-path={prog} -fplugin={prog}
-ccc-gcc-name {prog}
-ccc-install-dir {dir}
-ccc-print-phases
-ccc-arcmt-migrate {out}
-index-header-map
-index-store-path {out}
-fcrash-diagnostics-dir={out}
-gen-reproducer
-gen-reproducer=always
-fproc-stat-report={out}
-fproc-stat-report
-ftime-trace={out}
-fmodules
-fmodules-cache-path={out}
-fmodule-file={secret}
-fmodule-output={out}
-fmodule-map-file={secret}
-fprebuilt-module-path={dir}
-fbuild-session-file={secret}
-ivfsoverlay {secret}
-ivfsoverlay={secret}
-include-pch {secret}
-fprofile-instr-use={secret}
-fprofile-use={secret}
-fprofile-sample-use={secret}
-fprofile-list={secret}
-fprofile-remapping-file={secret}
-fsanitize-ignorelist={secret}
-fsanitize-blacklist={secret}
-fsanitize-coverage-allowlist={secret}
-fsanitize-coverage-ignorelist={secret}
-fxray-always-instrument={secret}
-fxray-attr-list={secret}
-fthinlto-index={secret}
-fembed-bitcode
-fembed-offload-object={secret}
--cuda-path={dir}
--ptxas-path={prog}
--hip-path={dir}
--rocm-path={dir}
-fopenmp-targets=nvptx64
--offload-arch=sm_70
-Xopenmp-target -B{dir}
-Xcuda-ptxas -o{out}
-target ../../{dir}
--target=../../{dir}
-Wp,-load,{prog}
-Xpreprocessor -load
-Wa,-o,{out}
-Xassembler @{secret}
-Xarch_host -B{dir}
--analyze
--migrate
--driver-mode=cl
-emit-llvm
-emit-ast
-MJ {out}
-save-stats={out}
-save-stats
-dependency-file {out}
-dependency-dot {out}
-header-include-file {out}
-fno-such-thing={out}
@{secret}
`;

/** Files of the client, at the client's paths, among nothing but the client's files. */
const GCC_SEALED = `
-fdump-tree-all={out}
-fdump-tree-original={out}
-fdump-rtl-all={out}
-fdump-ipa-all={out}
-fdump-final-insns={out}
-fdump-go-spec={out}
-fdump-statistics={out}
-fdump-lang-all={out}
-fopt-info-vec={out}
-fopt-info-all={out}
-fopt-info={out}
-o {out}
-o{out}
-MD -MF {out}
-MMD -MF{out}
-Wp,-MD,{out}
-Wp,-MMD,{out}
-Xpreprocessor -MD -Xpreprocessor {out}
-I {secret}
-I{dir}
-iquote {dir}
-isystem {dir}
-idirafter {dir}
-isysroot {dir}
--sysroot={dir}
--sysroot {dir}
-imultilib {dir}
-iprefix {dir} -iwithprefix x
-iwithprefixbefore x
-include {secret}
--include={secret}
-imacros {secret}
--imacros={secret}
-aux-info {out}
-save-temps
-save-temps=obj
-save-temps=cwd
-fstack-usage
-fcallgraph-info
-fsave-optimization-record
-fprofile-note={out}
-gsplit-dwarf
--coverage
-ftest-coverage
`;

const CLANG_SEALED = `
-foptimization-record-file={out}
--serialize-diagnostics {out}
-serialize-diagnostics {out}
-o {out}
-isysroot {dir}
-include {secret}
-imacros {secret}
-I{dir}
`;

/** Names in the table with values that are none of theirs, and names that are more than one. */
export const SMUGGLED: readonly (readonly [name: string, value: string | null])[] = [
  ['', '-wrapper'],
  ['', null],
  ['-O', '2 -fplugin={prog}'],
  ['-O', '2\n-fplugin={prog}'],
  ['-O2 -wrapper', '{prog}'],
  ['-O2\n-fplugin={prog}', null],
  ['-std=', 'c11 -B{dir}'],
  ['-std=', '/{secret}'],
  ['-std=', '@{secret}'],
  ['-march=', 'native -B{dir}'],
  ['-march=', '/{dir}'],
  ['-W', 'a,-aln={out}'],
  ['-W', 'p,-MD,{out}'],
  ['-W', 'l,-plugin,{prog}'],
  ['-f', 'plugin={prog}'],
  ['-f', 'dump-tree-all={out}'],
  ['-m', 'llvm'],
  ['-Wa,', '-aln={out}'],
  ['-Wa,', '--noexecstack,@{secret}'],
  ['-Wa,', '--noexecstack,{secret}'],
  ['-Wa,', '--defsym,{secret}=1'],
  ['-Wa,', '-mno-such=/{out}'],
  ['--param=', 'max-inline-insns-single=@{secret}'],
  ['--param=', 'no-such-parameter=1'],
  ['-fplugin', '={prog}'],
  ['-wrapp', 'er'],
  ['-g', ' -B{dir}'],
  ['__proto__', null],
  ['constructor', 'x'],
  ['toString', null],
];

function vectors(
  text: string,
  family: OptionVector['family'],
  verdict: Verdict,
): readonly OptionVector[] {
  const lines = text.trim().split('\n');
  return lines.map((line) => ({ words: line.split(' '), family, verdict }));
}

export const OPTION_VECTORS: readonly OptionVector[] = [
  ...vectors(GCC_DECLINED, 'gcc', 'declined'),
  ...vectors(CLANG_DECLINED, 'clang', 'declined'),
  ...vectors(GCC_SEALED, 'gcc', 'sealed'),
  ...vectors(CLANG_SEALED, 'clang', 'sealed'),
];

/** Variables, with a value that would do harm; no server takes any. */
export const VARIABLE_VECTORS: readonly (readonly [name: string, value: string])[] = `
LD_PRELOAD={prog}
LD_LIBRARY_PATH={dir}
LD_AUDIT={prog}
LD_DEBUG_OUTPUT={out}
LD_PROFILE_OUTPUT={out}
GCONV_PATH={dir}
LOCPATH={dir}
NLSPATH={secret}
GETCONF_DIR={dir}
HOSTALIASES={secret}
RES_OPTIONS=x
TMPDIR={out}
TMP={out}
TEMP={out}
HOME={dir}
COMPILER_PATH={dir}
GCC_EXEC_PREFIX={dir}/
LIBRARY_PATH={dir}
LPATH={dir}
CXX_MODULE_MAPPER=|{prog}
COLLECT_GCC={prog}
COLLECT_LTO_WRAPPER={prog}
COLLECT_GCC_OPTIONS=-wrapper
GCC_COMPARE_DEBUG=-fplugin={prog}
DEPENDENCIES_OUTPUT={out}
SUNPRO_DEPENDENCIES={out}
CC_PRINT_OPTIONS=1
CC_PRINT_OPTIONS_FILE={out}
CC_PRINT_HEADERS=1
CC_PRINT_HEADERS_FILE={out}
CC_LOG_DIAGNOSTICS=1
CC_LOG_DIAGNOSTICS_FILE={out}
CC_PRINT_PROC_STAT_FILE={out}
CCC_OVERRIDE_OPTIONS=+-fplugin={prog}
CCC_ADD_ARGS=-B{dir}
CLANG_CONFIG_FILE_SYSTEM_DIR={dir}
CLANG_CRASH_DIAGNOSTICS_DIR={out}
CLANG_MODULE_CACHE_PATH={out}
LLVM_PROFILE_FILE={out}
LLVM_OVERRIDE_PRODUCER=x
MALLOC_TRACE={out}
MALLOC_PERTURB_=1
GLIBC_TUNABLES=glibc.malloc.check=3
ASAN_OPTIONS=log_path={out}
BASH_ENV={prog}
ENV={prog}
SHELLOPTS=xtrace
PS4=$({prog})
PYTHONPATH={dir}
MAKEFLAGS=--jobserver-auth=3,4
TZ={secret}
LANG={secret}
LANGUAGE={secret}
LC_ALL={secret}
LC_MESSAGES=../../{dir}
`
  .trim()
  .split('\n')
  .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]);
