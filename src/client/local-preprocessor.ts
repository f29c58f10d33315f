/**
 * The launcher's preprocessor run as the daemon sees it: PREPROCESS out, the source in on a second
 * connection, PREPROCESSED in on the first (docs/protocol.md §1).
 */
import type { ByteString } from '../core/byte-string.js';
import { DAEMON } from '../core/limits.js';
import type { Clock } from '../platform/clock.js';
import type { LauncherConnection } from './launcher-connection.js';
import { SourceTooLarge, type SourceIntake } from './source-intake.js';

export interface PreprocessorRun {
  /** `unclean`: it failed, printed something, or left a process behind that holds its output. */
  readonly outcome:
    | { readonly kind: 'source'; readonly bytes: Buffer }
    | { readonly kind: 'unclean' }
    | { readonly kind: 'too-large' };
  /** Milliseconds. */
  readonly cpu: number;
}

/**
 * @param token 16 bytes that name the second connection
 * @param temporary the dependency file that the command makes, if any
 */
export async function preprocessHere(
  argv: readonly ByteString[],
  token: ByteString,
  temporary: ByteString | undefined,
  launcher: LauncherConnection,
  intake: SourceIntake,
  clock: Clock,
): Promise<PreprocessorRun> {
  const held = new AbortController();
  const ends = AbortSignal.any([launcher.gone, held.signal]);
  const arriving = intake.expect(token, ends).then(
    (bytes) => ({ kind: 'source', bytes }) as const,
    (error: unknown) => {
      if (error instanceof SourceTooLarge) return { kind: 'too-large' } as const;
      return { kind: 'failed', error } as const;
    },
  );
  launcher.send({
    kind: 'preprocess',
    socket: intake.socket,
    token,
    argv,
    temporaries: temporary === undefined ? [] : [temporary],
  });
  // The launcher's answer comes first, whatever becomes of the source: no verdict before it.
  const answer = await launcher.next();
  if (answer.kind !== 'preprocessed') {
    throw new Error(`Internal error: PREPROCESS was answered by ${answer.kind}`);
  }
  const { status, stderrBytes, cpuMicroseconds } = answer.preprocessed;
  const cpu = cpuMicroseconds / 1000;
  const patience = clock.after(DAEMON.sourceEnd, () => held.abort());
  const arrived = await arriving;
  patience.cancel();
  if (held.signal.aborted) return { outcome: { kind: 'unclean' }, cpu };
  if (arrived.kind === 'failed') throw arrived.error;
  const isClean = status === 0 && stderrBytes === 0;
  return { outcome: arrived.kind === 'source' && !isClean ? { kind: 'unclean' } : arrived, cpu };
}
