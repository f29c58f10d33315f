/**
 * Every time-out, size and retry bound of tscc, each with the reason for its number; those of the
 * include server are in include-limits.ts, what servers are chosen by in scheduling-limits.ts, what is
 * shown while a build runs in live-limits.ts. Times are in milliseconds, sizes in bytes. The
 * launcher's own (native/launcher.h) are listed in LAUNCHER and a test compares the two.
 */
import { GiB, KiB, MiB } from './byte-units.js';

/** Between launcher and session daemon. */
export const LAUNCHER = {
  /** The daemon's sign of life to a waiting launcher: three fit into the launcher's patience. */
  beatInterval: 5_000,
  /** After this silence the launcher runs the compiler itself; make must never hang on tscc. */
  silence: 15_000,
  /** A request: Linux's ARG_MAX (2 MiB for arguments and environment together) with room. */
  requestBytes: 4 * MiB,
  /** A frame to the launcher; output is cut into frames of at most this size. */
  frameBytes: 256 * KiB,
  /** Another launcher starts the daemon meanwhile; make must never hang on tscc. */
  startWait: 15_000,
  /** After a failed start each compile would pay for the next; a repaired node is soon seen. */
  startPause: 10_000,
  /** Launchers that wait in the socket's backlog while the daemon starts: more than any make -j. */
  backlog: 1024,
  /** Without a daemon, for a free core; then the compiler runs all the same. */
  slotWait: 10 * 60_000,
  /** From SIGTERM to SIGKILL for a preprocessor: time to remove its own temporary files. */
  termination: 1_000,
  /** Compilers started by tscc around one another: more is a loop through some wrapper. */
  nesting: 8,
} as const;

/** The session daemon. */
export const DAEMON = {
  /** Without a launcher or control connection for this long the daemon exits. */
  idleExit: 10 * 60_000,
  /** An implicit session (no tscc-pump) ends after this long without a compile. */
  sessionIdle: 30_000,
  /** How often the holder of a local slot is looked at, in case a child keeps its socket open. */
  slotHolderCheck: 1_000,
  /** Memory kept for the next preprocessed sources: a few dozen of a megabyte each. */
  freeSourceBytes: 32 * MiB,
  /** A preprocessed source this old was left by a daemon and a launcher killed at once. */
  staleSource: 60 * 60_000,
  /** Journals kept per state directory; the oldest go first. */
  keptSessions: 50,
  /**
   * Words of a preprocessor's command: what a frame leaves for them beside the temporaries. GCC's
   * own bound is half of it (it puts its words into one variable); Clang with an @file has none.
   */
  commandBytes: 240 * KiB,
  /** Preprocessed source held in memory for one compile; larger ones compile locally. */
  sourceBytes: 256 * MiB,
} as const;

/** Between client and compile server. */
export const WIRE = {
  /** A host that does not answer in this time is down; the build must not wait for it. */
  connect: 2_000,
  /** TCP connected but no hello: not a tsccd, or one that is stuck. */
  handshake: 5_000,
  /** Either side sends a ping after this much silence of its own … */
  pingInterval: 2_000,
  /** … or after this much where nothing is awaited: thousands of idle clients cost next to nothing. */
  idlePingInterval: 10_000,
  /**
   * A peer silent for this long is gone: three pings missed, so it shows up to one interval later. A
   * compile may meet two such servers, one after the other, and be done here within some 15 s.
   */
  silence: 6_000,
  /**
   * A connection that is lost after so long without a word, or just after this process or its host
   * stood still for so long, was lost before anybody knew. The other host may well be there, and is
   * connected to anew at once.
   */
  outdated: 4_000,
  /** A control frame (anything but a chunk): options and names, never contents. */
  controlBytes: 1 * MiB,
  /** Tree entries in fewer bytes go out as they are. */
  compressedBytes: 512,
  /** A chunk of content. Larger ones delay pings and cancellations behind them. */
  chunkBytes: 256 * KiB,
  /** Compressed or not, one job's source must fit the server's memory. */
  sourceBytes: 256 * MiB,
  /** One output file of a job. */
  outputBytes: 1 * GiB,
  /** What a compiler may print; beyond it the compile is done again locally. */
  diagnosticsBytes: 16 * MiB,
  /** Elements of one array or map in a control frame: more options than fit into ARG_MAX. */
  elements: 20_000,
  /** Nesting of a control frame: a message, its options, one option. */
  depth: 4,
  /** Names in a control frame: versions, hosts, features, options (NAME_MAX of a file system). */
  nameBytes: 255,
  /** Text for people in a control frame, in characters: a line, not a log. */
  textLength: 4096,
  /** Counts of slots and jobs: beyond it a peer talks nonsense. */
  counter: 1_000_000,
  /** Compressed content may grow by this factor (a bomb grows 600,000-fold, C++ 6-fold) … */
  expansion: 200,
  /** … or up to this size, since tiny sources of one repeated line do. */
  expansionFree: 1 * MiB,
  /** Content that arrived and is not on disk yet; beyond it nothing more is read from the peer. */
  unprocessedBytes: 4 * MiB,
  /** A side that closes gives its last words this long to arrive. */
  linger: 1_000,
  /** Bytes to one server that the system has not taken: its wire is slower than we are. */
  backlog: 1 * MiB,
  /** Connections a server accepts that have not said hello yet … */
  pendingHandshakes: 256,
  /** … and of these from one origin: a build host has a connection for each of its users. */
  pendingOfOrigin: 64,
  /** All from one origin, of which each takes some 50 KiB and a descriptor. */
  connectionsOfOrigin: 512,
} as const;

/** Pump mode's client side. */
export const PUMP = {
  /** How well a server must seal off compilers that are not its own. */
  tier: 3,
  /** Compressed headers kept for the servers that will ask for them too: a kernel's are 4 MiB. */
  keptBlobBytes: 32 * MiB,
  /** Bytes of contents, encoded, in one upload; others and jobs find their way between two. */
  uploadBytes: 4 * MiB,
  /** Contents in one upload, whose names must fit into a control frame. */
  uploadBlobs: 4_000,
  /** Bytes of paths and targets in one ENTRIES message, which leaves room for the rest of it. */
  entriesBytes: 256 * KiB,
  /** Tree entries in one ENTRIES message: 100 bytes each besides the path. */
  entries: 4_000,
  /** Options that one connection numbers before both ends forget them and count from 0 again. */
  options: 200_000,
  /** Precompiled headers that one connection numbers: one per target, and again when it changes. */
  precompiled: 4_000,
  /** Precompiled headers whose recipe a client remembers: more than any build has targets at once. */
  precompiledKnown: 256,
  /** Precompiled headers of one connection that are kept made: each has 20 to 200 MiB on disk. */
  precompiledMade: 8,
  /** Compiles of one source whose headers change meanwhile, before it is done here. */
  staleTries: 3,
  /** Times that files which a server missed are added to a closure. */
  healings: 4,
} as const;

/** Compiles that are done here too, to be compared (TSCC_VERIFY, tscc verify). */
export const VERIFY = {
  /** TSCC_VERIFY=N: N of so many. */
  scale: 1_000,
  /** Mismatches whose files are kept in the state directory; the oldest go first. */
  kept: 20,
  /** Differences of one compile that the journal has: the first says it, the others help. */
  differences: 8,
  /** `tscc verify` without --sample or --all: some seconds of one core's time. */
  sample: 50,
  /** A daemon of `tscc verify` or `doctor` ends this soon once its last command has. */
  daemonEnd: 10_000,
} as const;

/** Client side of scheduling. */
export const SCHEDULING = {
  /**
   * Servers on which one compile may die, or never end, before it is done locally: then it is the
   * compile. Servers that fail it otherwise are tried until none is left.
   */
  deadlyTries: 2,
  /**
   * No answer to a job for this long. A dead server is noticed by WIRE.silence; this is for a
   * compiler that never ends, and longer than the server's own bound, which gives a better reason.
   */
  jobTimeout: 31 * 60_000,
  /**
   * A server that does not answer for a toolchain in this time counts as one without it. The first
   * question makes it read that compiler: a second on an idle machine, many where eight servers
   * start at once on two busy cores. Pings tell a dead server much earlier.
   */
  toolchainAnswer: 60_000,
  /** A server that lacked a toolchain is asked again after this: somebody may have installed it. */
  askAgain: 30_000,
  /** Jobs in flight to one server beyond its slots, so that a free slot never waits for us. */
  preload: 1,
} as const;

/** Tokens of make's jobserver that are lent while launchers wait (docs/widen.md). */
export const DONATION = {
  /** Lent at once to all jobservers: a launcher each, more than the slots of the largest farm. */
  tokens: 1_024,
  /** The last launcher that lends waits so long for its token; then it is owed. */
  patience: 300,
  /** Between two looks for a token that is owed while nobody lends: make may end when one is there … */
  look: 2,
  /** … and while somebody does, who will look at the end. */
  lookWhileLent: 50,
  /** Shells between make and a launcher: a recipe has one or two. */
  shells: 8,
  /**
   * Nothing is lent above this load, per core: launchers that start and daemon have one or two, links
   * that make starts with the tokens come on top of that. TSCC_DONATE_LOAD overrides it.
   */
  loadPerCore: 4,
  /** Nothing is lent below this much free memory: one link of large C++ takes as much. */
  memory: 512 * MiB,
} as const;

/** Reading a command line, and the options of a typed job made from it. */
export const ARGUMENTS = {
  /** Response files in one command: libiberty's own bound against files that name themselves. */
  responseFiles: 2_000,
  /** Words after expansion: far beyond any build, small enough to hold twice. */
  words: 100_000,
  /** Options of one typed job; the kernel's longest command has about 120. */
  remoteOptions: 4_096,
  /** A compiler that takes longer to say its version than this is no compiler. */
  compilerAnswer: 20_000,
  /** Bytes of one option's value: two paths in a prefix map (PATH_MAX each). */
  remoteValue: 8_192,
} as const;

/** The compile server. */
export const SERVER = {
  /** Default TCP port; distcc has 3632. */
  port: 3634,
  /** From JOB to the last byte of its source, which holds a place in the queue meanwhile. */
  jobUpload: 5 * 60_000,
  /**
   * Until all that one job lacks has arrived: at worst the largest compiler, over a slow line. It has
   * no slot meanwhile.
   */
  contentsUpload: 15 * 60_000,
  /** Wall time of one compile. */
  jobWall: 30 * 60_000,
  /** CPU time of one compile, in seconds (RLIMIT_CPU's unit). */
  jobCpuSeconds: 20 * 60,
  /** Address space of one compile process: LTO and template-heavy C++ need several GiB. */
  jobMemory: 8 * GiB,
  /** Files that a compiler writes. */
  jobFile: 1 * GiB,
  jobOpenFiles: 256,
  /** Processes of one compile: a driver, LTO's make and its compilers have some dozens. */
  jobProcesses: 256,
  /**
   * Users for compiles where there is nothing better: the upper part of the numbers that a system
   * gives to nobody (systemd's UIDS-GIDS has a list), 0x70000000 to 0x7fffffff. Each server has as
   * many as the most compiles that `--jobs` allows.
   */
  firstUser: 0x7000_0000,
  users: 4_096,
  serversWithUsers: 65_536,
  /** How often the sandbox is tried anew: an update may have switched off what was there. */
  canary: 60 * 60_000,
  /** And as long as it does not hold, since no job is taken: the disk may have been full. */
  canaryAgain: 60_000,
  /** Output up to this size is compressed in memory, larger output by way of a file. */
  outputInMemory: 8 * MiB,
  /** Toolchain questions of one connection that wait for an answer. */
  openQueries: 64,
  /** Pause between two STATE messages to one client: a change is told soon, a storm is not. */
  statePause: 20,
  /** More by so much for each connection: all together get 250 in a second at most. */
  statePauseOfClient: 4,
  /**
   * Answers, and a piece of content, that a client has not read when it asks for more: whoever only
   * asks would have this server hold all answers.
   */
  unreadBytes: 4 * MiB,
  /** A frame to the runner: Linux's ARG_MAX (2 MiB) with room. */
  runnerFrameBytes: 4 * MiB,
  /** Jobs waiting for a slot, per slot; beyond it the server says busy and the client looks on. */
  queuePerSlot: 4,
  /** SIGTERM waits this long for running jobs. */
  drain: 60_000,
  /** Refusals of one kind are counted for this long, then told in one line. */
  refusalPause: 60_000,
  /** Kinds of refusals (an origin and a reason) that are counted apart. */
  refusalKinds: 1_000,
  /** From a client's disappearance to the death of its compilers. */
  cancel: 1_000,
  /**
   * Temporary files of one compile in a sealed root, which are in memory: the assembler text of
   * the largest generated sources has some 300 MB.
   */
  jobScratch: 512 * MiB,
  /**
   * Free space in memory per slot, at a server's start, for sources and outputs to be there: most come
   * to less than 10 MiB, those of large C++ with all of DWARF to some hundred.
   */
  scratchPerSlot: 256 * MiB,
} as const;

/** What a server's administrator and monitoring ask of it. */
export const OPERATIONS = {
  /** A configuration file has a dozen lines; a wrong file is not read to its end. */
  configBytes: 64 * KiB,
  /** From a connection to the end of its request: a scrape is one small packet. */
  requestTime: 5_000,
  /** Connections at once: a scraper and a few people. */
  connections: 16,
} as const;

/** The server's blob store, and the trees of its clients. */
export const STORE = {
  /** Default size: headers of a hundred projects and a few dozen compilers. */
  bytes: 4 * GiB,
  /** One blob: the largest compilers and their libraries (LLVM's has 130 MiB) with room. */
  blobBytes: 1 * GiB,
  /** A disk gives space by such blocks; a store of small headers would be larger than its limit. */
  blockBytes: 4 * KiB,
  /** Once over its limit it is emptied to this part of it, so that it is not at it all the time. */
  evictTo: 0.9,
  /** Order of use survives a restart to this precision: a note on disk per use would cost more. */
  useResolution: 60 * 60_000,
  /** Contents, sources and outputs up to this size are read, hashed and written at once: a millisecond. */
  atOnceBytes: 256 * KiB,
  /** So many small files or links, then other events have their turn: some 5 milliseconds. */
  filesPerSlice: 64,
  /** Times and modes remembered of files that a client was asked for; without, one copy more. */
  expectedBlobs: 20_000,
  /** Rounds of asking for what vanished from the store while a layer was made. */
  missingRounds: 5,
  /** Overlayfs looks through all layers for each name that is absent: merged beyond so many … */
  layers: 6,
  /** … in the background; beyond so many jobs wait for it. */
  layersAtMost: 12,
  /**
   * Entries of one connection, and different paths in them with all directories: the kernel's
   * sources have 80,000 files. Each takes some 300 bytes of the server's memory.
   */
  treeEntries: 500_000,
  treePaths: 500_000,
  entryBytes: 300,
  /**
   * What all connections have told together: entries, paths, options, recipes. Twenty kernels' worth,
   * and a third of the heap that node has on a small machine.
   */
  toldBytes: 512 * MiB,
} as const;

/** What `tscc doctor` takes for enough. */
export const DOCTOR = {
  /** A server that is up answers what it is asked in milliseconds; busy, in seconds. */
  answer: 10_000,
  /** One trial compile: with a compiler's first way to a server, some 100 MB, over a slow wire. */
  trial: 120_000,
  /** Programs that are started to see whether they can be. */
  program: 10_000,
  /** Free space of the state directory: journals of a large build have some tens of MiB. */
  stateFree: 256 * MiB,
  /** Free space of a server's store that takes one more compiler with a project's headers. */
  storeFree: 512 * MiB,
  /** Watches: files and directories of the kernel's build are 10,000, other programs have theirs. */
  inotifyWatches: 65_536,
  /** Instances of one user: editors and desktops take dozens. */
  inotifyInstances: 32,
  /** Open files: a launcher that waits is one, and make may be given some hundred jobs. */
  openFiles: 1_024,
  /** Between two hosts' clocks: what is less nobody sees in logs. */
  clockSkew: 2_000,
} as const;

/** Journals and what is made from them. */
export const REPORT = {
  /** Generated headers that a status lists by path; all are counted. */
  headers: 100,
  /** Of these, those that a summary for people has lines for. */
  headerLines: 8,
  /** Of a content's digest in a journal: told apart, not attested. */
  digestLength: 16,
} as const;
