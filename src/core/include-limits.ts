/** As limits.ts, for the include server: milliseconds and bytes, each with the reason for its number. */
import { KiB, MiB } from './byte-units.js';

export const INCLUDES = {
  /**
   * Different macro calls looked at for one computed #include. Boost's need some dozens, or, where
   * the definitions for all compilers mix, thousands: then the coarse answer is as good. One costs
   * 20 to 100 microseconds, and the whole is asked once per set of definitions.
   */
  macroCalls: 300,
  /**
   * Different expansions of one macro call. Boost.MPL's preprocessed headers come to 800 (a dozen
   * compilers by sixty headers); more than this is arithmetic, which decides no header's name.
   */
  macroValues: 2_048,
  /** Macro calls inside one another; Boost's loops go on for 256, each of a few calls. */
  macroDepth: 120,
  /** Tokens of one expansion: a header name has some dozens, Boost's tuples up to 200. */
  macroTokens: 2_000,
  /** Search paths whose graphs are kept, the newest; a project has one per directory or target. */
  searchPaths: 500,
  /**
   * Nodes of all their graphs, of a KiB each: a dozen times the kernel's headers. If there are more,
   * the search path that was used longest ago is forgotten.
   */
  graphNodes: 50_000,
  /**
   * References (eight bytes) in the closures that are kept, three for each file: 2,500 closures of
   * the kernel's. Then the oldest go.
   */
  answerReferences: 4_000_000,
  /**
   * Nodes of one search path's graph for each file that is known: one for each place and role in
   * which the file is found, mostly one. If there are more, most are of the past.
   */
  nodesOfFile: 4,
  /** Answers kept of one computed #include: as many kinds of translation units include its file. */
  computedAnswers: 16,
  /** Answers of compilers about their search path; a build asks one to twenty questions. */
  searchAnswers: 1_000,
  /** A compiler is asked again when directories came or went while it answered. */
  searchRounds: 3,
  /**
   * The next change of a file may leave its times as they are for this long: several times what a
   * local file system's clock may stand still (10 ms at 100 Hz).
   */
  localTick: 50,
  /** The same for file systems of other kinds: FAT counts in two seconds. */
  foreignTick: 2_000,
  /** Links on the way of one path: the kernel's own bound. */
  symlinks: 40,
  /** Bytes of a path and of one name in it, as in the kernel: PATH_MAX less its NUL, NAME_MAX. */
  pathBytes: 4_095,
  nameBytes: 255,
  /**
   * A directory is asked for so many single names before all its names are read at once: most
   * ancestors are only passed through, while a directory of headers is asked for hundreds.
   */
  namesBeforeListing: 8,
  /** A larger directory is only ever asked for single names; on ext4 these are some 25,000. */
  listedDirectoryBytes: 1 * MiB,
  /**
   * Files up to this are read and hashed at once (a millisecond) and kept until they are scanned,
   * which is soon. Larger ones are hashed piece by piece between other work, and read again.
   */
  wholeBytes: 1 * MiB,
  /** A large file that changes while it is hashed is hashed so often before that is a reason. */
  hashRounds: 20,
  /**
   * Files and directories that one turn of the event loop meets for the first time: each is read,
   * hashed and scanned, in 0.1 to 0.3 milliseconds. Then other compiles have theirs.
   */
  newInTurn: 32,
  /** Turns of one closure: more files than are remembered. What is left then is read in one. */
  turns: 10_000,
  /**
   * Files and directories that are remembered; then all are forgotten. The kernel's sources have
   * some 30,000 headers, of which one configuration includes 4,000.
   */
  rememberedNodes: 200_000,
  /** Bytes of such files, likewise; what is kept of them is one to two times as much. */
  rememberedBytes: 96 * MiB,
  /** A frame to or from tscc-watch: a path (PATH_MAX) or a name with room. */
  watchFrameBytes: 8 * KiB,
  /** tscc-watch answers in microseconds; stopped or stuck for this long, it is given up. */
  cookieAnswer: 2_000,
  /** A generator writes several headers, each in several steps; then there is a moment of quiet. */
  newsPause: 20,
  /** From the loss of tscc-watch to the next start: a crash that repeats must not cost a build. */
  watchPause: 30_000,
} as const;
