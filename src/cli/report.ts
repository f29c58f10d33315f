/** `tscc report`: a session's journal as a page, text, JSON or a trace. */
import { describeError, errnoCode, EXIT, TsccError } from '../core/errors.js';
import { realFiles } from '../platform/files.js';
import { readReportAssets } from '../platform/page-assets.js';
import { askDaemon } from '../protocol/control.js';
import { buildModel, type BuildModel } from '../report/analysis/build-model.js';
import { buildReport, type BuildReport } from '../report/analysis/build-report.js';
import { listSessions, readJournal } from '../report/journal.js';
import { reportPage } from '../report/page/report-page.js';
import { reportLines } from '../report/report-text.js';
import { traceOf } from '../report/trace.js';
import { removeOldReports, reportPath, writeFile } from './report-files.js';
import { findUserState } from './user-state.js';

export interface ReportOptions {
  readonly session: string | undefined;
  /** `-`: standard output. Default: a page goes into the state directory, all else to standard output. */
  readonly output: string | undefined;
  readonly text: boolean;
  readonly json: boolean;
  readonly trace: boolean;
}

export async function writeReport(options: ReportOptions): Promise<void> {
  if ([options.text, options.json, options.trace].filter(Boolean).length > 1) {
    throw new TsccError('--text, --json and --trace: only one of them', EXIT.badArguments);
  }
  const user = findUserState();
  // Makes a daemon write what it holds back; without one all is on disk.
  await askDaemon(user.socketPath, { ask: 'status' }).catch((error: unknown) => {
    if (!(error instanceof Error)) throw error;
  });
  const { stateDirectory } = user;
  const session = options.session ?? listSessions(stateDirectory, realFiles)[0];
  const model = session === undefined ? undefined : readModel(stateDirectory, session);
  if (session === undefined || model === undefined) {
    const which = options.session === undefined ? 'no session yet' : `no session '${session}'`;
    throw new TsccError(`there is ${which} in ${stateDirectory}/journal`, EXIT.noSuchFile);
  }
  if (options.trace) return print(options.output, JSON.stringify(traceOf(model)));
  const report = buildReport(model, earlierModels(stateDirectory, session));
  if (options.json) return print(options.output, `${JSON.stringify(report, null, 2)}\n`);
  if (options.text) return print(options.output, `${reportLines(report).join('\n')}\n`);
  const page = reportPage(report, readReportAssets());
  if (options.output === undefined) {
    process.stdout.write(`${keepReport(stateDirectory, session, page)}\n`);
  } else print(options.output, page);
}

export interface SessionPage {
  readonly path: string;
  readonly report: BuildReport;
}

/** Writes the page of a session that has just ended. Throws TsccError. */
export function writeSessionPage(stateDirectory: string, session: string): SessionPage {
  const model = readModel(stateDirectory, session);
  if (model === undefined) {
    throw new TsccError(
      `there is no session '${session}' in ${stateDirectory}/journal`,
      EXIT.noSuchFile,
    );
  }
  const report = buildReport(model, earlierModels(stateDirectory, session));
  const path = keepReport(stateDirectory, session, reportPage(report, readReportAssets()));
  return { path, report };
}

/** Reports are kept as long as their journals. */
function keepReport(stateDirectory: string, session: string, page: string): string {
  const path = reportPath(stateDirectory, session);
  writeChecked(path, page);
  removeOldReports(stateDirectory, new Set(listSessions(stateDirectory, realFiles)));
  return path;
}

function readModel(stateDirectory: string, session: string): BuildModel | undefined {
  const lines = readJournal(stateDirectory, session, realFiles);
  return lines === undefined ? undefined : buildModel(session, lines);
}

/** Sessions looked at for one of the same build: reading a large one takes a second. */
const EARLIER = 5;

/** Those before a session, the newest first, each read when it is asked for. */
export function* earlierModels(stateDirectory: string, session: string): Generator<BuildModel> {
  const sessions = listSessions(stateDirectory, realFiles);
  const own = sessions.indexOf(session);
  for (const earlier of sessions.slice(own + 1, own + 1 + EARLIER)) {
    const model = readModel(stateDirectory, earlier);
    if (model !== undefined) yield model;
  }
}

function print(output: string | undefined, text: string): void {
  if (output === undefined || output === '-') {
    // `tscc report --text | head` has seen enough.
    process.stdout.on('error', (error) => {
      if (errnoCode(error) !== 'EPIPE') throw error;
    });
    process.stdout.write(text);
  } else writeChecked(output, text);
}

function writeChecked(path: string, text: string): void {
  try {
    writeFile(path, text);
  } catch (error) {
    throw new TsccError(`cannot write ${path}: ${describeError(error)}`, EXIT.ioError);
  }
}
