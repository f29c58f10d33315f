/**
 * The launcher's preprocessor run as the daemon sees it: PREPROCESS out, PREPROCESSED in, and then
 * the source in a file of the daemon's (docs/protocol.md §1). A file because one read of it costs
 * less than the hundreds in which a pipe hands over what a compiler writes page by page.
 */
import type { ByteString } from '../core/byte-string.js';
import { DAEMON } from '../core/limits.js';
import type { Files } from '../platform/files.js';
import type { Preprocessed } from '../protocol/launcher-wire.js';
import type { LauncherConnection } from './launcher-connection.js';
import type { SourceBuffers } from './source-buffers.js';

export interface PreprocessorRun {
  /** `unclean`: it failed or printed something. */
  readonly outcome:
    | { readonly kind: 'source'; readonly bytes: Buffer }
    | { readonly kind: 'unclean' }
    | { readonly kind: 'too-large' };
  /** Milliseconds. */
  readonly cpu: number;
}

/**
 * @param into file that the launcher makes for the preprocessor's output, and that is gone at the end
 * @param temporaries files that this compile will make: the launcher removes what it leaves
 */
export async function preprocessHere(
  argv: readonly ByteString[],
  into: ByteString,
  temporaries: readonly ByteString[],
  launcher: LauncherConnection,
  files: Pick<Files, 'stat' | 'readAtOnce' | 'remove'>,
  buffers: SourceBuffers,
): Promise<PreprocessorRun> {
  try {
    const ran = await runHere(argv, into, temporaries, launcher);
    const { status, stderrBytes, cpuMicroseconds } = ran;
    const cpu = cpuMicroseconds / 1000;
    if (status !== 0 || stderrBytes !== 0) return { outcome: { kind: 'unclean' }, cpu };
    const size = files.stat(into)?.size ?? 0;
    if (size > DAEMON.sourceBytes) return { outcome: { kind: 'too-large' }, cpu };
    const bytes = buffers.take(size);
    files.readAtOnce(into, bytes);
    return { outcome: { kind: 'source', bytes }, cpu };
  } finally {
    files.remove(into);
  }
}

/** Has the launcher run its compiler with these words, and waits for the end of that. */
export async function runHere(
  argv: readonly ByteString[],
  into: ByteString,
  temporaries: readonly ByteString[],
  launcher: LauncherConnection,
): Promise<Preprocessed> {
  launcher.send({ kind: 'preprocess', into, argv, temporaries });
  const answer = await launcher.next();
  if (answer.kind !== 'preprocessed') {
    throw new Error(`Internal error: PREPROCESS was answered by ${answer.kind}`);
  }
  return answer.preprocessed;
}
