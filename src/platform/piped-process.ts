/** A program of tscc's own that runs beside it and is talked to through pipes. */
import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

export interface PipedProcess {
  /** Undefined when it could not be started. */
  readonly pid: number | undefined;
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Resolves when it is gone: how it ended, and what it said on standard error. */
  readonly ended: Promise<string>;
  kill(): void;
}

/** Starts `program`, which need not exist: then `ended` says so. */
export function startPiped(program: string, args: readonly string[]): PipedProcess {
  // Detached: an interrupt at the terminal is ours to deal with.
  const child = spawn(program, args, { detached: true, stdio: ['pipe', 'pipe', 'pipe'], cwd: '/' });
  let said = '';
  child.stderr.setEncoding('utf8');
  child.stderr.on('data', (text: string) => (said += text));
  // Its end is told by `ended`; that nobody reads from it any more is no further news.
  child.stdin.on('error', () => undefined);
  const ended = new Promise<string>((resolve) => {
    let cause: string | undefined;
    child.on('error', (error) => (cause = `'${program}' cannot be run: ${error.message}`));
    child.on('close', (code, signal) => {
      resolve(cause ?? `${said.trim() || program} (${signal ?? `exit status ${code}`})`);
    });
  });
  return {
    pid: child.pid,
    stdin: child.stdin,
    stdout: child.stdout,
    ended,
    kill: () => void child.kill('SIGKILL'),
  };
}
