/** `tscc stop`. */
import { askDaemon } from '../protocol/control.js';
import { findUserState } from './user-state.js';

export async function stopDaemon(): Promise<void> {
  const answer = await askDaemon(findUserState().socketPath, { ask: 'stop' });
  if (answer === undefined) {
    process.stdout.write('no session daemon runs\n');
    return;
  }
  const { commands } = answer as { readonly commands: number };
  process.stdout.write(
    commands === 0
      ? 'the session daemon ends\n'
      : `the session daemon ends after ${commands} running command${commands === 1 ? '' : 's'}\n`,
  );
}
