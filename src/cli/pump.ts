/**
 * `tscc-pump CMD…`: opens a session, runs the build with the launcher first on PATH, prints a
 * short summary on standard error, and exits as the build did.
 */
import '../platform/node-version.js';
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describeError, errnoCode, EXIT, TsccError } from '../core/errors.js';
import { isInForeground } from '../platform/process-table.js';
import { VERSION } from '../platform/version.js';
import { askDaemon } from '../protocol/control.js';
import type { SessionStatus } from '../report/statistics.js';
import { compilesDone, liveSession } from '../report/live.js';
import { pumpSummary } from '../report/pump-summary.js';
import { newSessionName } from '../client/session-name.js';
import { BuildProgress, canShowProgress } from './build-progress.js';
import { BuildTotals } from './build-totals.js';
import { fail } from './fail.js';
import { writeSessionPage, type SessionPage } from './report.js';
import { findUserState, type UserState } from './user-state.js';

const USAGE = `usage: tscc-pump [--widen] COMMAND [ARGUMENT…]

Runs a build (for example  tscc-pump make -j16 CC="tscc gcc") as one session of tscc and prints
what became of its compiles. Exits with the command's own status.

  --widen   make starts more jobs while compiles are on other hosts: -j counts those here
`;

async function pump(words: readonly string[]): Promise<never> {
  const isWide = words[0] === '--widen';
  const [command, ...args] = isWide ? words.slice(1) : words;
  if (command === '--version') {
    process.stdout.write(`tscc-pump ${VERSION}\n`);
    process.exit(0);
  }
  if (command === undefined || command === '--help' || command === '-h') {
    (command === undefined ? process.stderr : process.stdout).write(USAGE);
    process.exit(command === undefined ? EXIT.badArguments : 0);
  }
  const user = findUserState();
  const session = newSessionName();
  const began = performance.now();
  const totals = new BuildTotals(user.stateDirectory, process.cwd(), words);
  const progress = canShowProgress(user)
    ? new BuildProgress(user, session, totals.last())
    : undefined;
  // One inside this one would draw on the same row.
  const own = progress === undefined ? {} : { TSCC_PROGRESS: '0' };
  const wide = isWide ? { TSCC_DONATE: '1' } : {};
  const status = await runBuild(command, args, { ...own, ...wide, TSCC_SESSION: session });
  const wall = performance.now() - began;
  const trouble = progress?.close();
  if (trouble !== undefined) process.stderr.write(`tscc-pump: no progress line: ${trouble}\n`);
  const counts = await endSession(user, session);
  if (counts !== undefined) {
    const page = process.env['TSCC_JOURNAL'] === '0' ? undefined : reportOf(user, session);
    for (const line of pumpSummary(counts, wall, page)) {
      process.stderr.write(`tscc-pump: ${line}\n`);
    }
    if (status === 0) remember(totals, compilesDone(liveSession(counts, 0)));
  }
  process.exit(status);
}

function remember(totals: BuildTotals, compiles: number): void {
  if (compiles === 0) return;
  try {
    totals.remember(compiles);
  } catch (error) {
    process.stderr.write(
      `tscc-pump: the next progress line has no total: ${describeError(error)}\n`,
    );
  }
}

/** Resolves with the exit status, 128+n for a signal. Signals sent to us are for the build. */
function runBuild(
  command: string,
  args: readonly string[],
  variables: NodeJS.ProcessEnv,
): Promise<number> {
  const bin = fileURLToPath(new URL('../../../bin', import.meta.url));
  return new Promise((resolve, reject) => {
    const build = spawn(command, args, {
      stdio: 'inherit',
      env: {
        ...process.env,
        ...variables,
        PATH: `${bin}:${process.env['PATH'] ?? ''}`,
      },
    });
    // A terminal's ^C reaches the build by itself, and make takes a second one as an order to
    // leave half-written files; we only must not die before it.
    for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
      process.on(signal, () => {
        if (!isInForeground()) build.kill(signal);
      });
    }
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => build.kill(signal));
    }
    build.on('error', (error) => {
      const isMissing = errnoCode(error) === 'ENOENT';
      reject(
        new TsccError(
          `cannot run '${command}': ${isMissing ? 'there is no such command' : error.message}`,
          isMissing ? EXIT.noSuchFile : EXIT.failure,
        ),
      );
    });
    build.on('exit', (code, signal) => {
      resolve(signal === null ? (code ?? EXIT.failure) : 128 + constants.signals[signal]);
    });
  });
}

/** Its last status; undefined, and said why, where there is none. */
async function endSession(user: UserState, session: string): Promise<SessionStatus | undefined> {
  let status: unknown;
  try {
    status = await askDaemon(user.socketPath, { ask: 'end-session', session });
  } catch (error) {
    process.stderr.write(`tscc-pump: no summary: ${describeError(error)}\n`);
    return undefined;
  }
  if (status === undefined || status === null) {
    process.stderr.write(
      'tscc-pump: no command of this build came to tscc: is CC="tscc gcc" set?\n',
    );
    return undefined;
  }
  return status as SessionStatus;
}

/** The build has ended well or ill by itself: a page that cannot be written is told, and no more. */
function reportOf(user: UserState, session: string): SessionPage | undefined {
  try {
    return writeSessionPage(user.stateDirectory, session);
  } catch (error) {
    process.stderr.write(`tscc-pump: no report: ${describeError(error)}\n`);
    return undefined;
  }
}

pump(process.argv.slice(2)).catch((error: unknown) => fail('tscc-pump', error));
