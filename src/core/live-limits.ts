/** Bounds of what is shown while a build runs, with reasons. Times are in milliseconds, sizes in bytes. */
import { KiB, MiB } from './byte-units.js';

/** Looking at a build while it runs: `tscc top`, the live page, the progress line of tscc-pump. */
export const LIVE = {
  /** Commands in one view, the oldest: more than fit on any screen, and some 40 KiB. */
  commands: 200,
  /** Characters of a command's name in a view: a long path, not a linker's thousand objects. */
  nameLength: 200,
  /** Between two views that a terminal shows: a second is soon enough to the eye. */
  interval: 1_000,
  /** Between two messages to a page: each costs the daemon a millisecond or two. */
  pageTick: 1_000,
  /** Without a reader for this long the page's server ends; asked again, another one starts. */
  pageIdle: 5 * 60_000,
  /** Bars of a timeline that are kept for pages: 600 KB, and more than a screen has dots. */
  spans: 4_000,
  /**
   * A larger journal is not read for what was before a page was opened: this one has some 10,000
   * compiles, and holds the daemon up for a sixth of a second.
   */
  pastBytes: 16 * MiB,
  /** Pages at once: somebody's tabs. */
  readers: 8,
  /** A page that takes nothing for this long is asleep, and comes again by itself. */
  readerPatience: 30_000,
  /** Connections of browsers, which open some in advance. */
  connections: 32,
  /** A request has a token and a few headers. */
  headerBytes: 16 * KiB,
  /** From a connection to its whole request: it comes from this host. */
  request: 5_000,
  /** The rate of a progress line is of this much of the build's past. */
  rateWindow: 10_000,
  /**
   * A page's report is made anew when it is older: it takes a process a second, and more where a build
   * has ten thousand compiles, …
   */
  reportAge: 10_000,
  /** … which is given up after so long, … */
  reportTime: 60_000,
  /** … or with so many bytes of a page. */
  reportBytes: 64 * MiB,
  /** Builds whose number of compiles is remembered for the next progress line. */
  builds: 200,
} as const;
