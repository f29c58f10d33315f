/**
 * Why a compile did not go out. The names are the counters of `tscc status`, so they are stable;
 * the texts tell people what it means and what they can do.
 *
 * decline  = never tried remotely; fallback = tried, and then compiled locally after all;
 * `other`  = not a compile of a source file in the first place.
 */

/** Decline reasons without a parameter. */
export const DECLINE_REASONS = {
  'mode-local': 'TSCC_MODE=local is set',
  'no-hosts': 'no compile servers are configured: set TSCC_HOSTS or write a hosts file',
  'bad-hosts': 'the host list has an error (told on stderr): correct it',
  'scheduled-local': 'the host list has localhost, and it was its turn',
  'foreign-namespace': 'the compile runs in another mount namespace or root than the daemon',
  'version-mismatch': 'the running daemon is of another tscc version; it ends when idle',
  'compiler-is-script': 'the compiler is a script; name the real compiler',
  'compiler-unknown': 'the compiler could not be identified as GCC or Clang',
  'host-shortage':
    'no process, open file or memory was left to look at the compiler; the next compile tries again',
  'several-sources': 'one command compiles several sources; one command each goes out',
  'output-special': 'the output is a device, a pipe, a directory, standard output or the source',
  'output-unwritable': 'the output directory does not exist or cannot be written',
  'unreadable-input': 'the source cannot be read',
  'unreadable-response-file': 'an @file argument cannot be read',
  'native-cpu': '-march=native and its kin ask for the CPU of the machine that compiles',
  'save-temps': '-save-temps leaves intermediate files here',
  'split-dwarf': '-gsplit-dwarf embeds the output path; plain mode cannot keep it',
  'side-outputs': 'an option writes more files than the object; plain mode carries only that',
  coverage: 'coverage and profiling instrumentation embed paths; plain mode cannot keep them',
  'profile-use': 'the compile reads a profile that exists here only',
  lto: 'link-time optimisation records the command; plain mode cannot keep it',
  pch: 'a precompiled header is made here, as builds want the file (servers make their own), or used',
  modules: 'C++ modules tie compiles together; they stay local',
  'assembler-source': 'assembler sources may read files; plain mode does not follow them',
  'search-path-unknown': 'the compiler did not say where it looks for headers',
  'include-directory': 'a directory of the include path is a file or cannot be looked at',
  'computed-include': 'macros decide a header name in a way that cannot be followed',
  'pch-present':
    'tscc has not seen how a precompiled header (.gch) was made: make it again by tscc',
  'hard-links': 'headers are one file under several names, by which Clang tells files apart',
  'assembler-reads-file': 'inline assembly reads a file (.incbin or .include)',
  'preprocessed-debug': '-g on a preprocessed source names the directory it is compiled in',
  'source-columns': 'the source asks for column numbers (std::source_location)',
  'command-too-long': 'the command, or a word of it, is longer than tscc passes on',
  'source-too-large': 'the preprocessed source is larger than the limit',
  'preprocess-diagnostics': 'the preprocessor printed something or failed',
  language: 'the language of the source is not one of the C family',
} as const;

/** With a parameter: the option or variable that stands in the way. */
export type DeclineReason =
  keyof typeof DECLINE_REASONS | `option:${string}` | `environment:${string}`;

export const FALLBACK_REASONS = {
  'no-server': 'no compile server could be reached',
  'tier-too-low': 'no reachable server seals jobs off as well as TSCC_MIN_TIER or min-tier= asks',
  'no-toolchain': 'no reachable server has this very compiler',
  'server-lost': 'the connection to the server broke, and so did the next try',
  'server-refused': 'the server refused the job',
  'server-failed': 'the server could not run the job',
  'result-invalid': 'what the server sent back was not what it announced',
  'remote-killed': 'the remote compiler was killed by a signal or a limit',
  'plain-diagnostics': 'the remote compile failed or printed something; only local text is exact',
  'compile-error': 'the compile failed there; only the words of the local compiler are exact',
  'remote-disagreed':
    'it failed there and succeeded here: a fault of tscc; report it with what is kept in mismatches/',
  'verify-mismatch': 'it was done here too (TSCC_VERIFY), and the results differ: please report',
  'terminal-diagnostics':
    'it prints what a terminal would see otherwise: it is verified, or Clang with its own terminfo',
  'closure-stale': 'files that the compile reads changed again and again while it ran',
  'closure-hole': 'the compiler read a file that it had not been sent: a fault, please report',
  'date-time': 'a file asks for the time of the compile (__DATE__, __TIME__, __TIMESTAMP__)',
  'output-failed': 'the result could not be written beside its target',
  'commit-failed': 'the finished output could not be moved to its place',
  'daemon-silent': 'the session daemon did not answer in time',
  'internal-error': 'an error inside tscc; daemon.log has it',
} as const;

export type FallbackReason = keyof typeof FALLBACK_REASONS;

/** Why a compile that pump mode could carry went out in plain mode: its servers. */
export const HOST_DEMOTIONS = {
  'no-sandbox': 'no server can seal a job off; its log says why',
  'other-paths': 'servers that cannot seal a job off wholly have this compiler, but at other paths',
  'host-plain': 'the host list says plain for every host',
} as const;

export type HostDemotion = keyof typeof HOST_DEMOTIONS;

export function isHostDemotion(reason: string): reason is HostDemotion {
  return Object.hasOwn(HOST_DEMOTIONS, reason);
}

/** Why a compile went out in plain instead of pump mode. */
export type DemotionReason = HostDemotion | DeclineReason;

/** Text for people: a reason of the servers, or what pump mode cannot carry. */
export function explainDemotion(reason: DemotionReason): string {
  return isHostDemotion(reason) ? HOST_DEMOTIONS[reason] : explainDecline(reason);
}

/** What a command that compiles no source file does. */
export const OTHER_KINDS = {
  link: 'links',
  'compile-and-link': 'compiles and links in one command',
  preprocess: 'preprocesses only (-E)',
  dependencies: 'lists dependencies only (-M, -MM)',
  query: 'asks the compiler something (--version, -print-…, -dump…, -###)',
  probe: 'a configure, CMake or Meson probe',
  stdin: 'reads its source from standard input or /dev/null',
  'no-input': 'has no input file',
} as const;

export type OtherKind = keyof typeof OTHER_KINDS;

/** Text for people of any reason, without its parameter's meaning being lost. */
export function explainDecline(reason: DeclineReason): string {
  if (reason.startsWith('option:')) return `tscc does not send out ${reason.slice(7)}`;
  if (reason.startsWith('environment:')) return `${reason.slice(12)} is set in the environment`;
  return DECLINE_REASONS[reason as keyof typeof DECLINE_REASONS];
}
