/** What happens now, asked from the session daemon; without one what is on disk. */
import { realFiles } from '../platform/files.js';
import { askDaemon } from '../protocol/control.js';
import { listSessions, readStatus } from '../report/journal.js';
import { viewWithoutDaemon, type LiveView } from '../report/live.js';
import type { SessionStatus } from '../report/statistics.js';
import type { UserState } from './user-state.js';

export class LiveSource {
  readonly #user: Pick<UserState, 'stateDirectory' | 'socketPath'>;
  /** Read once while no daemon runs: nobody writes it then. */
  #last: { readonly status: SessionStatus | undefined } | undefined;

  constructor(user: Pick<UserState, 'stateDirectory' | 'socketPath'>) {
    this.#user = user;
  }

  /** Rejects when a daemon is there and does not answer, or is of another version. */
  async view(): Promise<LiveView> {
    const { socketPath, stateDirectory } = this.#user;
    const live = await askDaemon(socketPath, { ask: 'live' });
    if (live !== undefined) {
      this.#last = undefined;
      return live as LiveView;
    }
    if (this.#last === undefined) {
      const newest = listSessions(stateDirectory, realFiles)[0];
      const status =
        newest === undefined ? undefined : readStatus(stateDirectory, newest, realFiles);
      this.#last = { status };
    }
    return viewWithoutDaemon(Date.now(), this.#last.status);
  }
}
