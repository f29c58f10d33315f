/**
 * The progress line of tscc-pump: asked from the session daemon once a second, drawn on the
 * terminal's last row. Only where standard error is a terminal that this build has to itself, and
 * from the build's first compile on, so that `make menuconfig` is left alone.
 */
import { fstatSync } from 'node:fs';
import { describeError } from '../core/errors.js';
import { LIVE } from '../core/live-limits.js';
import { realClock, type Timer } from '../platform/clock.js';
import { isInForeground } from '../platform/process-table.js';
import { askDaemon } from '../protocol/control.js';
import { Progress } from '../report/live-line.js';
import { compilesDone, type LiveCommand, type LiveView } from '../report/live.js';
import { StatusLine } from './status-line.js';
import type { UserState } from './user-state.js';

/** Whether there is a terminal to draw on, and nobody asked not to. */
export function canShowProgress({ settings }: UserState): boolean {
  if (!settings.progress || !process.stderr.isTTY) return false;
  if ((process.env['TERM'] ?? 'dumb') === 'dumb') return false;
  if (process.stdout.isTTY) return true;
  // Whoever reads from a pipe may be a pager, which has the terminal for itself.
  const output = fstatSync(1);
  return !output.isFIFO() && !output.isSocket();
}

export class BuildProgress {
  readonly #socketPath: string;
  readonly #session: string;
  readonly #progress: Progress;
  readonly #line = new StatusLine(process.stderr);
  #timer: Timer | undefined;
  #isOver = false;
  #trouble: string | undefined;

  /** @param total compiles of the same build last time, if there was one */
  constructor(user: UserState, session: string, total: number | undefined) {
    this.#socketPath = user.socketPath;
    this.#session = session;
    this.#progress = new Progress(total);
    process.on('SIGTSTP', this.#pause);
    process.on('exit', this.#giveBack);
    this.#wait();
  }

  /** What went wrong, if the line is missing for that. */
  close(): string | undefined {
    this.#isOver = true;
    this.#timer?.cancel();
    process.off('SIGTSTP', this.#pause);
    process.off('exit', this.#giveBack);
    this.#giveBack();
    return this.#trouble;
  }

  readonly #giveBack = () => this.#line.close();

  /** The shell gets the terminal as it was. Continued, the next look draws again. */
  readonly #pause = () => {
    this.#line.close();
    process.kill(process.pid, 'SIGSTOP');
  };

  #wait(): void {
    this.#timer = realClock.after(LIVE.interval, () => void this.#look());
  }

  async #look(): Promise<void> {
    try {
      const view = (await askDaemon(this.#socketPath, { ask: 'live' })) as LiveView | undefined;
      this.#trouble = undefined;
      if (this.#isOver) return;
      // No daemon, no session: no compile has come yet.
      const session = view?.sessions.find((session) => session.session === this.#session);
      const isCompile = ({ kind, session }: LiveCommand) =>
        kind === 'compile' && session === this.#session;
      if (
        view !== undefined &&
        session !== undefined &&
        (compilesDone(session) > 0 || view.commands.some(isCompile)) &&
        isInForeground()
      ) {
        this.#line.draw(this.#progress.line(session, view.queued, view.time));
      } else {
        this.#line.close();
      }
    } catch (error) {
      this.#trouble = describeError(error);
      this.#line.close();
    }
    if (!this.#isOver) this.#wait();
  }
}
