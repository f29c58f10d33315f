/**
 * SIGHUP: the log is opened again, then configuration, key files and networks are read again, and
 * hold for connections and jobs to come. Either all of it or, with a line in the log, nothing.
 */
import { describeError, EXIT, TsccError } from '../core/errors.js';
import type { Log, LogLevel } from '../server/log.js';
import type { ServerRules } from '../server/server.js';
import type { Configuration } from './tsccd-configuration.js';
import { lineFormat, logPath, type LogOutput } from './tsccd-log-output.js';
import { nameOf, type Settings } from './tsccd-options.js';
import { describeRules, readRules } from './tsccd-rules.js';
import { changesThatWait } from './tsccd-settings.js';

/** What it changes. */
export interface Reloaded {
  readonly configuration: Configuration;
  readonly log: Log;
  readonly output: LogOutput;
  readonly store: string;
  /** Owner of key files. */
  readonly uid: number;
}

export class Reload {
  readonly #parts: Reloaded;
  /** Those that the server was started with. */
  readonly #started: Settings;
  #apply: ((rules: ServerRules) => void) | undefined;
  #isWanted = false;
  #isBusy = false;

  constructor(parts: Reloaded, started: Settings) {
    this.#parts = parts;
    this.#started = started;
  }

  /** Reads all again, soon; several requests may become one. */
  request(): void {
    this.#isWanted = true;
    void this.#work();
  }

  /** @param apply gives a server its new rules; what was requested before is done now */
  begin(apply: (rules: ServerRules) => void): void {
    this.#apply = apply;
    void this.#work();
  }

  async #work(): Promise<void> {
    if (this.#apply === undefined || this.#isBusy) return;
    this.#isBusy = true;
    while (this.#isWanted) {
      this.#isWanted = false;
      await this.#reload(this.#apply);
    }
    this.#isBusy = false;
  }

  async #reload(apply: (rules: ServerRules) => void): Promise<void> {
    const { configuration, log, output, store, uid } = this.#parts;
    // First, and whatever the configuration says: a log that was rotated is about to be compressed.
    try {
      output.reopen();
    } catch (error) {
      this.#say(describeError(error), 'error');
    }
    try {
      const settings = await configuration.read();
      const rules = await readRules(settings, uid);
      this.#checkKeys(rules);
      const format = await lineFormat(settings.logFormat);
      // A server that has detached has no standard error, whatever the file says of it now.
      const { daemon } = this.#started;
      output.reopen(logPath({ ...settings, daemon }, store));
      log.format = format;
      apply(rules);
      this.#say(`read again: ${configuration.file ?? 'no configuration'}; ${describeRules(rules)}`);
      const waiting = changesThatWait(this.#started, settings).map(nameOf);
      if (waiting.length > 0)
        this.#say(`these changes take a restart: ${waiting.join(', ')}`, 'warn');
    } catch (error) {
      this.#say(`all stays as it was: ${describeError(error)}`, 'error');
    }
  }

  #checkKeys({ keys }: ServerRules): void {
    const had = this.#started.keyFile.length > 0;
    if (had === keys.length > 0) return;
    const what = had ? 'to do without a key' : 'to use a key for the first time';
    throw new TsccError(`${what} takes a restart`, EXIT.badArguments);
  }

  #say(what: string, level: LogLevel = 'info'): void {
    this.#parts.log.line('tsccd', `SIGHUP: ${what}`, { level });
  }
}
