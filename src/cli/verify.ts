/**
 * `tscc verify`: does compiles of a session again, on servers and here, and compares. Both happen
 * in a view in which nothing that they write reaches the build (verify-view.ts), with a session
 * daemon of its own under TSCC_VERIFY=1000; docs/decisions/0011 says why so.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { familyByName } from '../client/decision.js';
import { removeOldMismatches } from '../client/kept-mismatches.js';
import { sampleOrder } from '../client/verify-sample.js';
import { directoryName, fromText, joinPath, toText } from '../core/byte-string.js';
import { EXIT, TsccError } from '../core/errors.js';
import { VERIFY } from '../core/limits.js';
import { realFiles } from '../platform/files.js';
import { askDaemon } from '../protocol/control.js';
import { listSessions, readJournal } from '../report/journal.js';
import { isExact, remoteCompiles, type RemoteCompile } from '../report/remote-compiles.js';
import { verifyLines, verifyReport, type OwnReason } from '../report/verify-report.js';
import { parseCommand } from '../toolchain/parse-command.js';
import { pumpOutputs } from '../toolchain/pump-command.js';
import { findUserState, type UserState } from './user-state.js';
import type { Replay, ReplayedCommand } from './verify-replay.js';
import {
  currentMountPoints,
  INSTEAD,
  isIn,
  VerifyView,
  writtenDirectories,
} from './verify-view.js';

export interface VerifyOptions {
  readonly session: string | undefined;
  readonly sample: number | undefined;
  readonly all: boolean;
  readonly jobs: number | undefined;
  /** Directory for files that differ; undefined: the state directory's own. */
  readonly keep: string | undefined;
  readonly json: boolean;
}

export async function verifySession(options: VerifyOptions): Promise<void> {
  if (options.all && options.sample !== undefined) {
    throw new TsccError('--sample and --all exclude each other', EXIT.badArguments);
  }
  const sample = options.all ? Infinity : natural('--sample', options.sample ?? VERIFY.sample);
  const jobs = natural('--jobs', options.jobs ?? 2 * availableParallelism());
  const user = findUserState();
  // Makes a daemon write what it holds back; without one all is on disk.
  await askDaemon(user.socketPath, { ask: 'status' }).catch((error: unknown) => {
    if (!(error instanceof Error)) throw error;
  });
  const { session, compiles } = findSession(user, options.session);
  const picked = pick(compiles, session, sample);
  const left: Partial<Record<OwnReason, number>> = {};
  const placed = place(picked, left);
  const view = new VerifyView(placed.covered);
  try {
    const lines = await replay(view, user, session, jobs, placed.compiles);
    const found = verifyReport(session, compiles.length, picked.length, lines, left);
    const kept = keep(view, user, options.keep);
    const mismatches = found.mismatches.map((one) => ({ ...one, kept: kept(one.kept) }));
    const report = { ...found, mismatches };
    const text = options.json ? JSON.stringify(report, null, 2) : verifyLines(report).join('\n');
    process.stdout.write(`${text}\n`);
    if (mismatches.length > 0) process.exitCode = 1;
    else if (report.verified === 0) {
      throw new TsccError('no compile could be compared', EXIT.failure);
    }
  } finally {
    view.remove();
  }
}

function natural(option: string, n: number): number {
  if (Number.isInteger(n) && n > 0) return n;
  throw new TsccError(`${option} takes a number from 1`, EXIT.badArguments);
}

function findSession(user: UserState, wanted: string | undefined) {
  const names = wanted === undefined ? listSessions(user.stateDirectory, realFiles) : [wanted];
  for (const session of names) {
    const compiles = remoteCompiles(readJournal(user.stateDirectory, session, realFiles) ?? []);
    if (compiles.length > 0) return { session, compiles };
  }
  const which = wanted === undefined ? 'no session' : `no session '${wanted}'`;
  throw new TsccError(
    `there is ${which} with remote compiles in ${user.stateDirectory}/journal`,
    EXIT.noSuchFile,
  );
}

/** Those that TSCC_VERIFY would take first, in the build's order. */
function pick(compiles: readonly RemoteCompile[], session: string, n: number): RemoteCompile[] {
  const order = new Map(
    compiles.map((one) => [one, sampleOrder(session, joinPath(one.cwd, one.output))]),
  );
  const first = compiles.toSorted((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
  const picked = new Set(first.slice(0, n));
  return compiles.filter((one) => picked.has(one));
}

/** Finds the directories that they write to; counts in `left` those that cannot be done. */
function place(picked: readonly RemoteCompile[], left: Partial<Record<OwnReason, number>>) {
  const leave = (reason: OwnReason) => void (left[reason] = (left[reason] ?? 0) + 1);
  const written = new Map<RemoteCompile, readonly string[]>();
  for (const one of picked) {
    const directories = isExact(one) ? directoriesOf(one) : undefined;
    if (!isExact(one)) leave('not-text');
    else if (directories === undefined) leave('gone');
    else written.set(one, directories);
  }
  const points = currentMountPoints();
  const { covered, refused } = writtenDirectories([...written.values()].flat(), points);
  const compiles = [...written].flatMap(([one, directories]) => {
    if (!directories.some((path) => refused.has(path))) return [one];
    leave('mounted-below');
    return [];
  });
  return { covered, compiles };
}

/** Real paths of its working directory and all that it writes to; undefined: one is not there. */
function directoriesOf({ cwd, argv, variables }: RemoteCompile): readonly string[] | undefined {
  const at = fromText(cwd);
  const words = argv.map(fromText);
  const parsed = parseCommand({
    argv: words,
    cwd: at,
    environment: new Map(
      Object.entries(variables ?? {}).map(([name, value]) => [fromText(name), fromText(value)]),
    ),
    family: familyByName(words[0] ?? ''),
    readResponseFile: (path) =>
      realFiles.canRead(joinPath(at, path)) ? realFiles.read(joinPath(at, path)) : undefined,
  });
  if (parsed.kind !== 'compile') return undefined;
  const outputs = pumpOutputs(parsed.command).map(({ absolute }) => absolute);
  // A file that is a link is written where that leads to.
  const real = [at, ...outputs.map((path) => directoryName(realFiles.realPath(path) ?? path))].map(
    (path) => realFiles.realPath(path),
  );
  return real.every((path) => path !== undefined) ? real.map(toText) : undefined;
}

/** Runs them in the view; the journal of its daemon. */
async function replay(
  view: VerifyView,
  user: UserState,
  session: string,
  jobs: number,
  compiles: readonly RemoteCompile[],
) {
  const { scratch } = view;
  const state = `${scratch}/state`;
  for (const name of ['hosts', 'key']) {
    const path = `${user.stateDirectory}/${name}`;
    if (existsSync(path)) symlinkSync(path, `${state}/${name}`);
  }
  const own = {
    TSCC_DIR: state,
    XDG_RUNTIME_DIR: `${scratch}/run`,
    TSCC_SESSION: session,
    TSCC_VERIFY: String(VERIFY.scale),
    TSCC_VERIFY_FAIL: '0',
    TSCC_FALLBACK: '1',
    TSCC_VERBOSE: '0',
    TSCC_LOG: '',
    DISTCC_LOG: '',
  };
  const plan: Replay = {
    launcher: fileURLToPath(new URL('../../../bin/tscc', import.meta.url)),
    jobs,
    session,
    commands: compiles.map((one) => commandOf(one, own)),
  };
  writeFileSync(`${scratch}/plan.json`, JSON.stringify(plan));
  const script = fileURLToPath(new URL('./verify-replay.js', import.meta.url));
  // A terminal's ^C is for those inside; here is what cleans up after them.
  const ignore = () => {};
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, ignore);
  const status = await view.run([process.execPath, script, `${scratch}/plan.json`], {
    ...process.env,
    ...own,
  });
  if (status !== 0 && status !== 130) {
    throw new TsccError(
      `no view of the build's directories can be made (status ${status}); ${INSTEAD}`,
      EXIT.failure,
    );
  }
  return readJournal(state, session, realFiles) ?? [];
}

/** The build's environment for compilers, this one for tscc. */
function commandOf(
  { cwd, argv, mode, variables }: RemoteCompile,
  own: Readonly<Record<string, string>>,
): ReplayedCommand {
  const here: Record<string, string> = {};
  for (const [name, value = ''] of Object.entries(process.env)) {
    if (variables === undefined || /^(?:TSCC_|DISTCC_|XDG_|HOME$)/.test(name)) here[name] = value;
  }
  return { cwd, argv, env: { ...here, PWD: cwd, ...variables, ...own, TSCC_MODE: mode } };
}

/** Takes what the view's daemon kept out of the view; gives each directory's new place. */
function keep(view: VerifyView, user: UserState, directory: string | undefined) {
  const from = `${view.scratch}/state/mismatches`;
  const to = directory === undefined ? `${user.stateDirectory}/mismatches` : resolve(directory);
  if (existsSync(from)) {
    mkdirSync(to, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(from)) {
      cpSync(`${from}/${name}`, `${to}/${name}`, { recursive: true });
    }
    if (directory === undefined) removeOldMismatches(fromText(user.stateDirectory), realFiles);
  }
  return (path: string | null) =>
    path !== null && isIn(path, from) ? `${to}${path.slice(from.length)}` : path;
}
