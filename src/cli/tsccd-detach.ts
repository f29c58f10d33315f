/**
 * `tsccd --daemon`, seen from both sides. Node cannot fork, so the command that was given starts
 * the server as another process (tsccd-detached.ts) in a session of its own, waits on an IPC
 * channel for the one report of how the start went, and leaves it alone.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { EXIT, TsccError, type ExitCode } from '../core/errors.js';

const ENTRY = fileURLToPath(new URL('./tsccd-detached.js', import.meta.url));

type StartReport =
  | { readonly kind: 'listening'; readonly line: string }
  | { readonly kind: 'failed'; readonly message: string; readonly exitCode: ExitCode };

/** Resolves with the line that says where the server listens; rejects as the server itself would. */
export function startDetached(words: readonly string[]): Promise<string> {
  const server = spawn(process.execPath, [ENTRY, ...words], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  return new Promise((resolve, reject) => {
    server.on('error', (error) =>
      reject(new TsccError(`cannot start the detached server: ${error.message}`)),
    );
    // A report, when there is one, is read before the channel's end.
    server.on('message', (report: StartReport) => {
      if (report.kind === 'listening') resolve(report.line);
      else reject(new TsccError(report.message, report.exitCode));
    });
    server.on('disconnect', () => {
      server.unref();
      reject(new TsccError('the detached server ended before it listened; its log may tell why'));
    });
  });
}

/** In the detached process: tells the command that was given, and lets it go. */
export class StartReporter {
  readonly #onAbandoned = () => process.exit(EXIT.gone);

  constructor() {
    // Whoever started it was interrupted, and will not know that there is a server.
    process.on('disconnect', this.#onAbandoned);
  }

  listening(line: string): void {
    this.#report({ kind: 'listening', line });
  }

  failed(error: TsccError): void {
    this.#report({ kind: 'failed', message: error.message, exitCode: error.exitCode });
  }

  #report(report: StartReport): void {
    process.off('disconnect', this.#onAbandoned);
    if (!process.connected) return;
    process.send?.(report, () => {
      if (process.connected) process.disconnect();
    });
  }
}
