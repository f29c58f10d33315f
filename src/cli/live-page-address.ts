/** `tscc status --web`: where the session daemon shows what happens. */
import { EXIT, TsccError } from '../core/errors.js';
import { askDaemon } from '../protocol/control.js';
import { findUserState } from './user-state.js';

export async function printLivePage({ json }: { readonly json: boolean }): Promise<void> {
  const answer = await askDaemon(findUserState().socketPath, { ask: 'web' });
  if (answer === undefined) {
    throw new TsccError(
      'no session daemon runs, so there is nothing to show: ask again once a build has begun',
      EXIT.gone,
    );
  }
  const { url } = answer as { readonly url: string };
  process.stdout.write(`${json ? JSON.stringify({ url }) : url}\n`);
}
