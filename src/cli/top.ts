/**
 * `tscc top`: what happens now. On a terminal a screen that follows; otherwise one snapshot, or with
 * --interval one line each time. It asks the daemon and is not told, so that nothing is done for it
 * while nobody looks.
 */
import { constants } from 'node:os';
import { describeError, EXIT, TsccError } from '../core/errors.js';
import { LIVE } from '../core/live-limits.js';
import { realClock, type Timer } from '../platform/clock.js';
import { describeView } from '../report/live-line.js';
import type { LiveView } from '../report/live.js';
import { topLines } from '../report/top-screen.js';
import { LiveSource } from './live-view.js';
import { Screen } from './screen.js';
import { findUserState } from './user-state.js';

/** Raw, a terminal hands ^C over as a key. */
const END_KEYS = ['q', 'Q', '\x03'];

export async function top(options: {
  readonly json: boolean;
  /** Seconds. */
  readonly interval: number | undefined;
}): Promise<void> {
  const { json, interval } = options;
  if (interval !== undefined && !(interval >= 0.1 && interval <= 86_400)) {
    throw new TsccError('--interval is a number of seconds from 0.1 to 86400', EXIT.badArguments);
  }
  const source = new LiveSource(findUserState());
  const pause = interval === undefined ? undefined : interval * 1000;
  if (process.stdout.isTTY && !json) return follow(source, pause ?? LIVE.interval);
  // Whoever reads may have read enough.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  if (pause !== undefined) return printAgainAndAgain(source, pause, json);
  const view = await source.view();
  const text = json
    ? JSON.stringify(view, null, 2)
    : topLines(view, { columns: undefined, rows: undefined }).join('\n');
  process.stdout.write(`${text}\n`);
}

async function printAgainAndAgain(source: LiveSource, pause: number, json: boolean): Promise<void> {
  for (;;) {
    const view = await source.view();
    process.stdout.write(`${json ? JSON.stringify(view) : describeView(view)}\n`);
    await new Promise<void>((resolve) => realClock.after(pause, resolve));
  }
}

/** Resolves when the user has seen enough; a signal ends the process with the signal's status. */
function follow(source: LiveSource, pause: number): Promise<void> {
  return new Promise((resolve) => {
    let view: LiveView | undefined;
    let trouble: string | undefined;
    let timer: Timer | undefined;
    let isOver = false;

    const draw = () => {
      const lines = view === undefined ? [] : topLines(view, screen.size);
      // What is shown is old then; better old with a word than an empty screen.
      if (trouble !== undefined) lines.splice(0, 1, `tscc top: ${trouble}`);
      screen.draw(lines);
    };
    const end = () => {
      isOver = true;
      timer?.cancel();
      screen.close();
      resolve();
    };
    const screen = new Screen({
      onKey(keys) {
        if (END_KEYS.some((key) => keys.includes(key))) end();
      },
      onRedraw: draw,
      onSignal(signal) {
        end();
        process.exit(128 + constants.signals[signal]);
      },
    });
    const look = async () => {
      try {
        view = await source.view();
        trouble = undefined;
      } catch (error) {
        trouble = describeError(error);
      }
      if (isOver) return;
      draw();
      timer = realClock.after(pause, () => void look());
    };
    screen.open();
    void look();
  });
}
