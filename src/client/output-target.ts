/**
 * Where a compile's output will really stand, and whether tscc may put it there by a rename. What
 * the compiler would open as something else than a file (a device, a pipe) must stay with it:
 * renaming over /dev/null as root would replace the device.
 */
import { baseName, directoryName, joinPath, type ByteString } from '../core/byte-string.js';
import { failure, success, type Result } from '../core/errors.js';
import type { Files } from '../platform/files.js';

export type OutputObstacle = 'output-special' | 'output-unwritable';

/** Finds the file that `path` names for a process in `cwd`. */
export function findOutputTarget(
  path: ByteString,
  cwd: ByteString,
  files: Files,
): Result<ByteString, OutputObstacle> {
  if (path === '' || path === '-' || path.endsWith('/')) return failure('output-special');
  const named = joinPath(cwd, path);
  const kind = files.lstat(named)?.kind;
  let target = named;
  if (kind === 'symlink') {
    // A link that leads nowhere would make gcc create the file it names; leave that to gcc.
    const real = files.realPath(named);
    if (real === undefined || files.stat(real)?.kind !== 'file') return failure('output-special');
    target = real;
  } else if (kind !== undefined && kind !== 'file') {
    return failure('output-special');
  }
  const directory = files.realPath(directoryName(target));
  if (directory === undefined) return failure('output-unwritable');
  if (/^\/(dev|proc)(\/|$)/.test(directory)) return failure('output-special');
  if (!files.canWrite(directory)) return failure('output-unwritable');
  return success(target);
}

/** A name for a temporary in the target's directory that no other compile uses. */
export function temporaryBeside(target: ByteString, unique: string): ByteString {
  const name = `.tscc-${unique}${extensionOf(target)}`;
  const directory = target.slice(0, target.length - baseName(target).length);
  return directory + name;
}

/** Kept for people who meet a temporary; bounded because names have at most 255 bytes. */
function extensionOf(path: ByteString): ByteString {
  return /\.[A-Za-z0-9]{1,8}$/.exec(path)?.[0] ?? '';
}
