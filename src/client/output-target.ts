/**
 * Where a compile's output will really stand, and whether tscc may put it there by a rename. What
 * the compiler would open as something else than a file (a device, a pipe) must stay with it:
 * renaming over /dev/null as root would replace the device.
 */
import { baseName, directoryName, joinPath, type ByteString } from '../core/byte-string.js';
import { failure, success, type Result } from '../core/errors.js';
import type { Files } from '../platform/files.js';
import type { CompileCommand } from '../toolchain/compile-command.js';

export type OutputObstacle = 'output-special' | 'output-unwritable';

/** `side`: what compilers write besides: coverage notes, stack usage and the like. */
export type OutputKind = CompileCommand['stage'] | 'dependencies' | 'side';

export interface OutputTarget {
  /** The file itself, where a symbolic link leads to it. */
  readonly path: ByteString;
  /** Real path of the name that the compiler opens: another one where that is a link. */
  readonly opened: ByteString;
  /** Permissions that the compiler would leave as they are, or undefined: those of a new file. */
  readonly keptMode: number | undefined;
}

/** Finds the file that `path` names for a process in `cwd`. */
export function findOutputTarget(
  path: ByteString,
  cwd: ByteString,
  kind: OutputKind,
  family: CompileCommand['family'],
  files: Files,
): Result<OutputTarget, OutputObstacle> {
  if (path === '' || path === '-' || path.endsWith('/')) return failure('output-special');
  const named = joinPath(cwd, path);
  const standing = files.lstat(named);
  const isLink = standing?.kind === 'symlink';
  const target = isLink ? files.realPath(named) : named;
  // A link that leads nowhere would make gcc create the file it names; leave that to gcc.
  if (target === undefined) return failure('output-special');
  const existing = isLink ? files.stat(target) : standing;
  if (existing !== undefined && existing.kind !== 'file') return failure('output-special');
  const directory = files.realPath(directoryName(target));
  if (directory === undefined) return failure('output-unwritable');
  if (/^\/(dev|proc)(\/|$)/.test(directory)) return failure('output-special');
  if (!files.canWrite(directory)) return failure('output-unwritable');
  const parent = isLink ? files.realPath(directoryName(named)) : directory;
  if (parent === undefined) return failure('output-unwritable');
  const opened = joinPath(parent, baseName(named));
  if (existing === undefined) return success({ path: target, opened, keptMode: undefined });
  // What becomes of a file that may not be written differs by compiler and file.
  if (!files.canWrite(target)) return failure('output-unwritable');
  if (isWrittenInPlace(kind, family, existing.size)) {
    return success({ path: target, opened, keptMode: existing.mode });
  }
  // The compiler replaces the link, and the next compile finds a file.
  if (isLink) return failure('output-special');
  return success({ path: target, opened, keptMode: undefined });
}

/**
 * Whether the compiler writes into a file that is there, through a link as well, so that its mode
 * stays. Else it makes a new one in its place: Clang always but for dependencies, GNU as unless
 * the object is empty.
 */
function isWrittenInPlace(
  kind: OutputKind,
  family: CompileCommand['family'],
  size: number,
): boolean {
  if (kind === 'dependencies' || kind === 'side') return true;
  return family === 'gcc' && (kind === 'assembly' || size === 0);
}

/** Tells whether a file has been written: another text then. */
export function writingOf(path: ByteString, files: Pick<Files, 'stat'>): string {
  const { id, size, modified } = files.stat(path) ?? {};
  return `${id} ${size} ${modified}`;
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
