/**
 * The part of `tscc verify` that runs inside its view: starts a launcher for each compile, which
 * finds a session daemon of the view's own, and ends that daemon. Its one argument is a file with a
 * `Replay`. What comes of it is in the journal of that daemon.
 */
import '../platform/node-version.js';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { askDaemon } from '../protocol/control.js';
import { endDaemon } from './end-daemon.js';
import { findUserState } from './user-state.js';

export interface ReplayedCommand {
  readonly cwd: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface Replay {
  readonly launcher: string;
  /** At once. */
  readonly jobs: number;
  readonly session: string;
  readonly commands: readonly ReplayedCommand[];
}

/** Set by an interrupt: what runs ends by itself, as a terminal's ^C reaches it too. */
let isOver = false;

function start(launcher: string, { cwd, argv, env }: ReplayedCommand): Promise<void> {
  return new Promise((resolve) => {
    // What they print is compared by the daemon, and shown to nobody.
    const child = spawn(launcher, argv, { cwd, env, stdio: 'ignore' });
    child.on('error', () => resolve());
    child.on('exit', () => resolve());
  });
}

async function replay({ launcher, jobs, session, commands }: Replay): Promise<void> {
  const waiting = commands.values();
  const lane = async () => {
    for (const command of waiting) {
      if (isOver) return;
      await start(launcher, command);
    }
  };
  await Promise.all(Array.from({ length: jobs }, lane));
  const { socketPath } = findUserState();
  await askDaemon(socketPath, { ask: 'end-session', session });
  await endDaemon(socketPath);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => (isOver = true));
}
await replay(JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Replay);
if (isOver) process.exitCode = 130;
