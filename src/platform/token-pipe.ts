/**
 * The pipe or named pipe in which GNU make's jobserver keeps its tokens, opened anew: with a file
 * description of our own, whose O_NONBLOCK is not make's.
 *
 * Only the reading end stays open. At its end make closes its own writing end and reads until
 * nobody has one: it would wait for us for ever.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
  writeSync,
} from 'node:fs';
import { errnoCode } from './errno.js';
import { systemPath, type PathBytes } from './system-path.js';

const TOKEN = Buffer.from('+');

export interface TokenPipe {
  /** Adds a token. False: that cannot be done. */
  put(): boolean;
  /** Takes one out. `gone`: nobody is left who could add one, make has ended. Never waits. */
  take(): 'taken' | 'none' | 'gone';
  close(): void;
}

/** Where a jobserver is: descriptors of that make, or the path of a named pipe. */
export type JobserverAddress =
  | { readonly kind: 'pipe'; readonly read: number; readonly write: number }
  | { readonly kind: 'fifo'; readonly path: PathBytes };

export interface FoundTokens {
  /** Equal for two makes of one jobserver. */
  readonly id: string;
  readonly path: PathBytes;
}

/** Undefined: that make has no such pipe, or we must not open it. */
export function findTokens(address: JobserverAddress, make: number): FoundTokens | undefined {
  try {
    if (address.kind === 'fifo') {
      const { path } = address;
      return lstatSync(systemPath(path)).isFIFO() ? { id: path, path } : undefined;
    }
    // Both ends of one pipe: no number that happens to be open for something else.
    const [path, other] = [`/proc/${make}/fd/${address.read}`, `/proc/${make}/fd/${address.write}`];
    const id = readlinkSync(path);
    return id.startsWith('pipe:') && readlinkSync(other) === id ? { id, path } : undefined;
  } catch (error) {
    return isDenied(error);
  }
}

/** Undefined: it is gone, or we must not open it. */
export function openTokens(path: PathBytes): TokenPipe | undefined {
  let file: number;
  try {
    file = openSync(systemPath(path), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    return isDenied(error);
  }
  if (!fstatSync(file).isFIFO()) {
    closeSync(file);
    return undefined;
  }
  const byte = Buffer.alloc(1);
  return {
    put: () => putToken(file),
    take() {
      try {
        return readSync(file, byte, 0, 1, null) === 1 ? 'taken' : 'gone';
      } catch (error) {
        if (errnoCode(error) === 'EAGAIN') return 'none';
        throw error;
      }
    },
    close: () => closeSync(file),
  };
}

/** By a writing end that is open for this moment only. */
function putToken(file: number): boolean {
  const own = `/proc/self/fd/${file}`;
  try {
    const end = openSync(own, constants.O_WRONLY | constants.O_NONBLOCK);
    try {
      return writeSync(end, TOKEN) === 1;
    } finally {
      closeSync(end);
    }
  } catch (error) {
    return isDenied(error) ?? false;
  }
}

/**
 * Another user's make, one that has ended, a full pipe, no descriptor left: whatever the system says,
 * nothing is lent then, and the compile goes on.
 */
function isDenied(error: unknown): undefined {
  if (errnoCode(error) === undefined) throw error;
  return undefined;
}
