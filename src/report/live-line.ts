/** A build that runs, in one line: for `tscc top`, its plain output, and tscc-pump's progress. */
import { LIVE } from '../core/live-limits.js';
import { compilesDone, type LiveSession, type LiveView } from './live.js';

/**
 * @param time milliseconds since the epoch: now
 */
export function describeBuild(session: LiveSession, time: number): string {
  const { started, ended } = session;
  const wall = started === null ? 0 : (ended ?? time) - started;
  const over = ended === null ? '' : ' (ended)';
  const fallbacks = Object.values(session.fallbacks).reduce((sum, n) => sum + n, 0);
  return (
    `${printable(session.session)}${over}  ${duration(wall)}  ` +
    `${compilesDone(session)} done: ${outcomes(session)}` +
    (fallbacks === 0 ? '' : `; ${fallbacks} of them fell back`)
  );
}

/** A whole view in one line, for a log. */
export function describeView({ time, daemon, running, queued, sessions }: LiveView): string {
  const at = new Date(time).toISOString();
  if (daemon === null) return `${at} no session daemon runs`;
  const builds = sessions.map((session) => describeBuild(session, time));
  return [`${at} ${running} running, ${queued} queued`, ...builds].join('; ');
}

/** How many compiles were done at which time. */
interface Mark {
  readonly time: number;
  readonly done: number;
}

/** A build's progress in one line. Compiles per second are those of the last LIVE.rateWindow. */
export class Progress {
  readonly #total: number | undefined;
  #marks: Mark[] = [];

  /** @param total compiles of the same build last time, if there was one */
  constructor(total: number | undefined) {
    this.#total = total;
  }

  line(session: LiveSession, queued: number, time: number): string {
    const done = compilesDone(session);
    this.#marks = this.#marks.filter((mark) => time - mark.time <= LIVE.rateWindow);
    this.#marks.push({ time, done });
    const first = this.#marks[0];
    const passed = first === undefined ? 0 : time - first.time;
    const rate = passed <= 0 ? undefined : ((done - (first?.done ?? 0)) * 1000) / passed;
    // A build that has more than last time is another one.
    const total = this.#total === undefined || this.#total < done ? '' : ` of about ${this.#total}`;
    return [
      `tscc: ${done}${total} done`,
      `${session.running} running`,
      ...(queued === 0 ? [] : [`${queued} queued`]),
      ...(rate === undefined ? [] : [`${rate.toFixed(1)}/s`]),
      ...(done + session.cancelled === 0 ? [] : [outcomes(session)]),
    ].join(', ');
  }
}

function outcomes({ outcomes, failed, cancelled }: LiveSession): string {
  const counts = { ...outcomes, failed, interrupted: cancelled };
  const parts = Object.entries(counts).filter(([, n]) => n > 0);
  return parts.length === 0 ? 'none' : parts.map(([name, n]) => `${n} ${name}`).join(', ');
}

function duration(milliseconds: number): string {
  const whole = Math.floor(milliseconds / 1000);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  if (hours > 0) return `${hours}h${String(minutes).padStart(2, '0')}m`;
  return minutes > 0 ? `${minutes}m${String(whole % 60).padStart(2, '0')}s` : `${whole}s`;
}

/** Names of files come from whoever wrote the project: they must not steer a terminal. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '?');
}
