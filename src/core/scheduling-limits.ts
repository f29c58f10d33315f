/**
 * By what a daemon chooses servers and a server admits jobs, and the bounds of what they learn, with
 * reasons. Times are in milliseconds, sizes in bytes.
 */
import { MiB } from './byte-units.js';

/** When a host is given no compiles for a while (client/breaker.ts). */
export const BREAKER = {
  /** Jobs in a row that a host that is there fails: one may be the job's fault, three are its own. */
  faults: 3,
  /** The first pause before a host is tried again; doubles up to the last. */
  pauseFirst: 500,
  pauseLast: 30_000,
  /** Pauses are longer or shorter by up to this part, so that not all clients come at once. */
  jitter: 0.25,
} as const;

/** Compiles that wait for a place on a server. */
export const QUEUE = {
  /** Longer than this nobody is overtaken by longer compiles of the same build. */
  patience: 5_000,
  /** A compile that nobody knows counts as so long: usual for C, so that long ones are before it. */
  unknown: 1_000,
} as const;

/** How long compiles took, kept in the state directory (client/compile-times.ts). */
export const TIMES = {
  /** Units remembered, in some 2 MB: a kernel's and some projects' besides. */
  units: 30_000,
  /** Lines of the file that are written anew when it is read: each unit thrice. */
  lines: 90_000,
  /** A time that is another by less than this part is not written. */
  change: 0.2,
  /** Times written together; so many are lost when the daemon is killed. */
  together: 200,
} as const;

/** What is learned of a host's speed (client/host-speed.ts); logarithms to base 2. */
export const SPEED = {
  /** Of a unit whose time is known: its weight against all before, and how much it can say. */
  known: { weight: 0.1, most: 2 },
  /** Of any other, which may be long or short by itself: a hundred of them say something. */
  average: { weight: 0.02, most: 1 },
  /** No host counts as more than four times faster or slower: the weight in the list can. */
  most: 2,
  /** Steps per doubling: smaller differences are chance, and would undo what equals share. */
  steps: 2,
  /** Milliseconds; a shorter time tells of the clock's grain and the moment. */
  least: 20,
} as const;

/** Compiles that are run a second time, elsewhere (client/stragglers.ts). */
export const STRAGGLER = {
  /** Between two looks; what is saved is seconds. */
  interval: 250,
  /** What takes less is not worth a second server's time. */
  least: 2_000,
  /** So many times what it took last time, over what the wire and a busy server add … */
  ofExpected: 3,
  /** … or where it is not known so many times the median: sources differ, few by so much. */
  ofMedian: 10,
  /** Times that the median is of, and from how many on it is one. */
  samples: 64,
  leastSamples: 8,
} as const;

/** Which jobs a server's memory has room for (server/memory-use.ts, memory-room.ts). */
export const ADMISSION = {
  /** A compile of which nothing is known: most of C take less, most of C++ somewhat more. */
  unknown: 192 * MiB,
  /** So much of what a source took last time: it grows. */
  room: 1.1,
  /** How fast the largest compile of a kind is forgotten. */
  fading: 0.02,
  /** Sources, and kinds, that are remembered: some 3 MB. */
  units: 20_000,
  /** Left to everybody else on the host. */
  kept: 128 * MiB,
  /** A compile takes what it will in this time; later the system's figures have it. */
  growth: 5_000,
  /** Between two looks while one waits: others may have ended, or somebody else's program. */
  look: 250,
  /** Then it is let in all the same: a guess must not stop a server. */
  patience: 30_000,
} as const;
