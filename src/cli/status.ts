/** `tscc status`: the counters of a session, from the daemon or else from the journal on disk. */
import { EXIT, TsccError } from '../core/errors.js';
import { realFiles } from '../platform/files.js';
import { askDaemon } from '../protocol/control.js';
import { listSessions, readStatus } from '../report/journal.js';
import { emptyStatus, type SessionStatus } from '../report/statistics.js';
import { summarize } from '../report/summary.js';
import { findUserState, type UserState } from './user-state.js';

export async function printStatus(options: {
  readonly json: boolean;
  readonly session: string | undefined;
}): Promise<void> {
  const status = await findStatus(findUserState(), options.session);
  if (options.json) {
    process.stdout.write(`${JSON.stringify(status, null, 2)}\n`);
    return;
  }
  const wall =
    status.started === null || status.lastEvent === null
      ? undefined
      : (status.ended ?? status.lastEvent) - status.started;
  const state = status.started === null ? 'none yet' : status.ended === null ? 'open' : 'ended';
  const name = status.session === '' ? '' : `${status.session} `;
  process.stdout.write(`session ${name}(${state})\n`);
  for (const line of summarize(status, wall)) process.stdout.write(`  ${line}\n`);
}

/** Without any session an empty status: a script that counts gets zeros, not an error. */
async function findStatus(user: UserState, session: string | undefined): Promise<SessionStatus> {
  const request = session === undefined ? {} : { session };
  const live = await askDaemon(user.socketPath, { ask: 'status', ...request }).catch(
    (error: unknown) => {
      // The daemon knows of no such session, or none at all; the disk is asked below.
      if (error instanceof Error) return undefined;
      throw error;
    },
  );
  if (live !== undefined) return live as SessionStatus;
  const name = session ?? listSessions(user.stateDirectory, realFiles)[0];
  if (name === undefined) return emptyStatus('');
  const status = readStatus(user.stateDirectory, name, realFiles);
  if (status === undefined) {
    throw new TsccError(
      `there is no session '${name}' in ${user.stateDirectory}/journal`,
      EXIT.noSuchFile,
    );
  }
  return status;
}
