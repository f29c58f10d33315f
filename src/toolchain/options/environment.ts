/**
 * Variables that change what a compiler runs, reads or writes in ways that neither the local -E
 * nor a typed job can follow. One of them set, even to nothing, declines the compile.
 */
export const DECLINED_VARIABLES: readonly string[] = [
  // More outputs.
  'DEPENDENCIES_OUTPUT',
  'SUNPRO_DEPENDENCIES',
  'CC_PRINT_OPTIONS',
  'CC_PRINT_HEADERS',
  'CC_PRINT_PROC_STAT',
  'CC_LOG_DIAGNOSTICS',
  // Other programs, other settings.
  'GCC_EXEC_PREFIX',
  'COMPILER_PATH',
  'CCC_OVERRIDE_OPTIONS',
  'CXX_MODULE_MAPPER',
  // Says another compiler's name in what Clang makes.
  'LLVM_OVERRIDE_PRODUCER',
  // Compiles everything twice.
  'GCC_COMPARE_DEBUG',
];
