/** `tscc explain FILE`: what became of the compiles of one file in a session, and why. */
import { EXIT, TsccError } from '../core/errors.js';
import { realFiles } from '../platform/files.js';
import { askDaemon } from '../protocol/control.js';
import { explanationLines } from '../report/explanation-text.js';
import { explainFile, fileEnding, fileNamed, type Explanation } from '../report/explanation.js';
import { listSessions, readJournal } from '../report/journal.js';
import { findUserState } from './user-state.js';

export interface ExplainOptions {
  /** A source or an output, as seen from here; else the end of a path. */
  readonly file: string;
  readonly all: boolean;
  readonly json: boolean;
  readonly session: string | undefined;
}

export async function printExplanation(options: ExplainOptions): Promise<void> {
  const user = findUserState();
  // Makes a daemon write what it holds back; without one all is on disk.
  await askDaemon(user.socketPath, { ask: 'status' }).catch((error: unknown) => {
    if (!(error instanceof Error)) throw error;
  });
  const session = options.session ?? listSessions(user.stateDirectory, realFiles)[0];
  const lines =
    session === undefined ? undefined : readJournal(user.stateDirectory, session, realFiles);
  if (session === undefined || lines === undefined) {
    const which = options.session === undefined ? 'no session yet' : `no session '${session}'`;
    throw new TsccError(`there is ${which} in ${user.stateDirectory}/journal`, EXIT.noSuchFile);
  }
  const compiles = find([...lines], options.file);
  if (compiles.length === 0) {
    process.stderr.write(
      `tscc: session ${session} has no compile of '${options.file}': name its source or object ` +
        'file, or another session with --session\n',
    );
    process.exitCode = 1;
    return;
  }
  const shown = options.all ? compiles : compiles.slice(0, 1);
  if (options.json) {
    const report = { schema: 1, session, compiles: shown };
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    return;
  }
  for (const compile of shown) process.stdout.write(`${explanationLines(compile).join('\n')}\n`);
  const others = compiles.length - shown.length;
  if (others > 0) process.stdout.write(`  (${others} earlier in this session: --all)\n`);
}

function find(lines: Parameters<typeof explainFile>[0], file: string): Explanation[] {
  const here = explainFile(lines, fileNamed(file, process.cwd()));
  return here.length > 0 ? here : explainFile(lines, fileEnding(file));
}
