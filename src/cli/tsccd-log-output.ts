/** Where the server's log goes and how its lines look, both of which SIGHUP may change. */
import { jsonFormat, textFormat, type LineFormat, type LogFormat } from '../server/log.js';
import { LogFile } from './tsccd-log-file.js';

export class LogOutput {
  #path: string | undefined;
  #file: LogFile | undefined;

  /** @param path undefined for standard error. Throws a TsccError when it cannot be opened. */
  constructor(path: string | undefined) {
    this.#path = path;
    this.#file = path === undefined ? undefined : new LogFile(path);
  }

  /** Whether it is read on a terminal, which a server does not outlive. */
  get isTerminal(): boolean {
    return this.#file === undefined && process.stderr.isTTY;
  }

  /** Whether the text is where it should be; never throws. */
  write(text: string): boolean {
    if (this.#file !== undefined) return this.#file.write(text);
    process.stderr.write(text);
    return true;
  }

  /**
   * Goes on in the file that has this name now. Throws a TsccError when it cannot be opened; then it
   * stays as it was.
   */
  reopen(path: string | undefined = this.#path): void {
    const next = path === undefined ? undefined : new LogFile(path);
    this.#file?.close();
    this.#file = next;
    this.#path = path;
  }
}

/** The log's file, undefined for standard error. A server that detaches has none of that. */
export function logPath(
  { logFile, daemon }: { readonly logFile: string | undefined; readonly daemon: boolean },
  store: string,
): string | undefined {
  return logFile ?? (daemon ? `${store}/tsccd.log` : undefined);
}

export async function lineFormat(format: LogFormat): Promise<LineFormat> {
  return format === 'json' ? jsonFormat(process.pid) : textFormat;
}
