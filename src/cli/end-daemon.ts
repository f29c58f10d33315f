/** Ends a session daemon that a tool has started for itself, before its files are removed. */
import { errnoCode } from '../core/errors.js';
import { VERIFY } from '../core/limits.js';
import { realClock } from '../platform/clock.js';
import { askDaemon } from '../protocol/control.js';

/** Resolves once the process is gone, or after a while. */
export async function endDaemon(socketPath: string): Promise<void> {
  const answer = await askDaemon(socketPath, { ask: 'stop' });
  if (answer === undefined) return;
  const { pid } = answer as { readonly pid: number };
  const end = realClock.monotonic() + VERIFY.daemonEnd;
  while (isThere(pid) && realClock.monotonic() < end) {
    await new Promise<void>((resolve) => realClock.after(10, resolve));
  }
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    if (errnoCode(error) === 'ESRCH') return false;
    throw error;
  }
}
