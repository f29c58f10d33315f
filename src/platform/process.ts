/** Running a program to its end. */
import { execFile } from 'node:child_process';

export interface RunOptions {
  /** The whole environment of the program; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** Working directory; that of this process by default. */
  readonly cwd?: string;
  /** Milliseconds after which the program is killed. */
  readonly timeout?: number;
  /** Bytes of standard output or standard error after which the program is killed. */
  readonly outputLimit?: number;
}

export interface RunResult {
  /** Exit status, or null when a signal ended the program. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

const OUTPUT_LIMIT = 16 * 1024 * 1024;

/**
 * Runs `program` (a path, or a name found along `env.PATH`) with standard input closed and waits
 * for its end. Rejects only if it cannot be started (with the system's error code) or prints
 * more than the limit; a failing program is a result.
 */
export function run(
  program: string,
  args: readonly string[],
  options: RunOptions,
): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      args,
      {
        env: options.env,
        cwd: options.cwd,
        encoding: 'buffer',
        maxBuffer: options.outputLimit ?? OUTPUT_LIMIT,
        timeout: options.timeout ?? 0,
        killSignal: 'SIGKILL',
      },
      (error, stdout, stderr) => {
        // execFile reports a failing program as an error with its status as code; a code in words
        // (ENOENT, ERR_CHILD_PROCESS_STDIO_MAXBUFFER) means that there is no result.
        if (error !== null && typeof error.code === 'string') reject(error);
        else resolve({ status: child.exitCode, signal: child.signalCode, stdout, stderr });
      },
    );
    child.stdin?.end();
  });
}
