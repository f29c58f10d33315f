/**
 * What tscc itself says to the person who builds: on the command's standard error, or in the file
 * that TSCC_LOG names. Notices come once in a session, outcomes with TSCC_VERBOSE only.
 */
import { fromText, joinPath, toText, type ByteString } from '../core/byte-string.js';
import { describeError, errnoCode } from '../core/errors.js';
import type { Clock } from '../platform/clock.js';
import type { Files } from '../platform/files.js';
import type { RunRequest } from '../protocol/launcher-wire.js';
import { describeEnd, type EndEvent } from '../report/outcome-line.js';
import type { LauncherConnection } from './launcher-connection.js';
import type { Session } from './sessions.js';
import type { Settings } from './settings.js';

export interface BuildMessagesContext {
  readonly files: Files;
  readonly clock: Clock;
  /** Mount namespace and root of the daemon, as the launcher writes them. */
  readonly world: ByteString;
}

export class BuildMessages {
  readonly #launcher: LauncherConnection;
  readonly #request: RunRequest;
  readonly #settings: Settings;
  readonly #session: Session;
  readonly #context: BuildMessagesContext;

  constructor(
    launcher: LauncherConnection,
    request: RunRequest,
    settings: Settings,
    session: Session,
    context: BuildMessagesContext,
  ) {
    this.#launcher = launcher;
    this.#request = request;
    this.#settings = settings;
    this.#session = session;
    this.#context = context;
  }

  /** A line that is told once in a session for each subject. */
  notice(message: ByteString, subject: string = message): void {
    if (this.#session.isNews(subject)) this.#say(message);
  }

  /** What must be seen: also on standard error where there is a log file. */
  alarm(message: ByteString): void {
    this.#say(message);
    if (this.#settings.log !== undefined) this.#print(message);
  }

  /** How the command ends; to be said before the launcher's verdict, as all of these. */
  end(event: EndEvent): void {
    if (this.#settings.verbose) this.#say(fromText(describeEnd(event)));
  }

  /** A compile has been done on another host. */
  remote(source: ByteString, mode: 'pump' | 'plain', host: string): void {
    if (this.#settings.verbose) this.#say(`${source}: ${mode} on ${fromText(host)}`);
  }

  #say(message: ByteString): void {
    // eslint-disable-next-line no-control-regex
    const line = message.replaceAll(/[\u0000-\u001f\u007f]/g, '?');
    const log = this.#logFile();
    const obstacle = log === undefined ? undefined : this.#append(log, line);
    if (obstacle !== undefined) {
      const notice = `TSCC_LOG=${this.#settings.log} ${obstacle}; messages come here`;
      if (this.#session.isNews(notice)) this.#print(notice);
    }
    if (log === undefined || obstacle !== undefined) this.#print(line);
  }

  #print(line: ByteString): void {
    this.#launcher.send({ kind: 'stderr', bytes: Buffer.from(`tscc: ${line}\n`, 'latin1') });
  }

  /** A launcher from another root means another file by the same path. */
  #logFile(): ByteString | undefined {
    const { cwd, world } = this.#request;
    const { log } = this.#settings;
    return log === undefined || world !== this.#context.world ? undefined : joinPath(cwd, log);
  }

  /** Returns why that cannot be done. A device or a pipe could hold the daemon up. */
  #append(path: ByteString, line: ByteString): ByteString | undefined {
    const { files, clock } = this.#context;
    const directory = path.slice(0, path.lastIndexOf('/')) || '/';
    if (files.stat(directory)?.kind !== 'directory') return 'is in no directory';
    if ((files.stat(path)?.kind ?? 'file') !== 'file') return 'is no regular file';
    const time = new Date(clock.now()).toISOString();
    try {
      files.append(path, `${time} ${this.#request.pid} ${toText(line)}\n`);
    } catch (error) {
      if (errnoCode(error) === undefined) throw error;
      return fromText(`cannot be written: ${describeError(error)}`);
    }
    return undefined;
  }
}
