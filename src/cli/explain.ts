/** `tscc explain FILE`: what became of the compiles of one file in a session, and why. */
import { EXIT, TsccError } from '../core/errors.js';
import { realFiles } from '../platform/files.js';
import { askDaemon } from '../protocol/control.js';
import { buildModel, type BuildModel } from '../report/analysis/build-model.js';
import { whyAgain, type Again } from '../report/analysis/rebuilds.js';
import { explanationLines } from '../report/explanation-text.js';
import { explainFile, fileEnding, fileNamed, type Explanation } from '../report/explanation.js';
import { listSessions, readJournal } from '../report/journal.js';
import { earlierModels } from './report.js';
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
  const all = [...lines];
  const compiles = find(all, options.file);
  if (compiles.length === 0) {
    process.stderr.write(
      `tscc: session ${session} has no compile of '${options.file}': name its source or object ` +
        'file, or another session with --session\n',
    );
    process.exitCode = 1;
    return;
  }
  const shown = options.all ? compiles : compiles.slice(0, 1);
  const again = againOf(
    buildModel(session, all),
    shown,
    earlierModels(user.stateDirectory, session),
  );
  if (options.json) {
    const explained = shown.map((compile, at) => ({ ...compile, again: again[at] ?? null }));
    const report = { schema: 1, session, compiles: explained };
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    return;
  }
  for (const [at, compile] of shown.entries()) {
    process.stdout.write(`${explanationLines(compile, again[at]).join('\n')}\n`);
  }
  const others = compiles.length - shown.length;
  if (others > 0) process.stdout.write(`  (${others} earlier in this session: --all)\n`);
}

function find(lines: Parameters<typeof explainFile>[0], file: string): Explanation[] {
  const here = explainFile(lines, fileNamed(file, process.cwd()));
  return here.length > 0 ? here : explainFile(lines, fileEnding(file));
}

/** Why each was done again; undefined where its output is not known. */
function againOf(
  model: BuildModel,
  compiles: readonly Explanation[],
  earlier: Iterable<BuildModel>,
): (Again | undefined)[] {
  const commands = compiles.map(({ id, cwd, argv }) =>
    model.commands.findLast(
      (command) => command.id === id && command.cwd === cwd && command.argv.join() === argv.join(),
    ),
  );
  const wanted = new Set(commands.filter((command) => command !== undefined));
  const outputs = new Set([...wanted].map(({ output }) => output));
  const some = { ...model, commands: model.commands.filter(({ output }) => outputs.has(output)) };
  const why = whyAgain(some, earlier);
  return commands.map((command) => command && why.get(command));
}
