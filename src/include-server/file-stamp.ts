/**
 * What a file or directory looks like from outside, to tell later that it has not changed. The
 * change time is among it, which no program can set, so a stamp tells of every write, but for one:
 * when the clock of the file system has not moved on since, a second change leaves no trace.
 */
import { INCLUDES } from '../core/include-limits.js';

export interface Inode {
  readonly dev: number;
  readonly ino: number;
}

/** The part of node:fs's Stats that counts. Times are in milliseconds, to 0.25 µs. */
export interface StampStats extends Inode {
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
}

export interface FileStamp extends StampStats {
  /** Says nothing: the next change might leave it as it is, or something has changed already. */
  isDoubtful: boolean;
}

/**
 * @param now taken before `stats` were, in milliseconds since the epoch
 * @param isLocal whether the file system's clock is this machine's
 */
export function stampOf(stats: StampStats, now: number, isLocal: boolean): FileStamp {
  const { dev, ino, size, mtimeMs, ctimeMs } = stats;
  const tick = isLocal ? INCLUDES.localTick : INCLUDES.foreignTick;
  // A time in the future is as doubtful: somebody has set the clock.
  const isDoubtful = Math.max(mtimeMs, ctimeMs) > now - tick;
  return { dev, ino, size, mtimeMs, ctimeMs, isDoubtful };
}

export function isSameInode(a: Inode, b: Inode): boolean {
  return a.ino === b.ino && a.dev === b.dev;
}

/** Whether what has this stamp is surely what it was. */
export function isUnchanged(stamp: FileStamp, stats: StampStats): boolean {
  return (
    !stamp.isDoubtful &&
    stamp.mtimeMs === stats.mtimeMs &&
    stamp.ctimeMs === stats.ctimeMs &&
    stamp.size === stats.size &&
    isSameInode(stamp, stats)
  );
}
