/**
 * What the person who runs the server is told, a line each. The one place where lines are made: for
 * people, or as JSON for programs. Where they go is the sink's business.
 */
import type { Clock } from '../platform/clock.js';

/**
 * Why a connection was not let in, or was cut for what came over it: a field of its line in the JSON
 * log, and a label in the metrics.
 */
export const REFUSALS = [
  /** Its address is not in --allow. */
  'address',
  /** It has no key, or one that is not known, or fails at TLS otherwise. */
  'key',
  /** It says nothing, for too long. */
  'late',
  /** Too many others wait to say hello. */
  'crowd',
  /** It speaks another version of the protocol. */
  'version',
  /** It sends what is no frame, or none that may come now. */
  'malformed',
] as const;

export type Refusal = (typeof REFUSALS)[number];

export type LogLevel = 'info' | 'warn' | 'error';

/** What programs are told of a line besides its words. */
export interface LogMark {
  /** By default `info`, of a refusal `warn`. */
  readonly level?: LogLevel | undefined;
  readonly refused?: Refusal | undefined;
}

export interface LogRecord {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly level: LogLevel;
  /** A peer's address, or a part of this program. */
  readonly where: string;
  readonly what: string;
  readonly refused: Refusal | undefined;
}

export const LOG_FORMATS = ['text', 'json'] as const;

export type LogFormat = (typeof LOG_FORMATS)[number];

/** Makes a line, without its end. */
export type LineFormat = (record: LogRecord) => string;

export const textFormat: LineFormat = ({ time, where, what }) =>
  `${new Date(time).toISOString()} ${where}: ${what}`;

/** Lines as pino writes them, which is loaded for it. */
export async function jsonFormat(processId: number): Promise<LineFormat> {
  const { pino } = await import('pino');
  let line = '';
  const logger = pino(
    {
      base: { pid: processId },
      timestamp: false,
      formatters: { level: (level) => ({ level }) },
    },
    { write: (text) => (line = text) },
  );
  return ({ time, level, where, what, refused }) => {
    // What is undefined is left out.
    logger[level]({ time: new Date(time).toISOString(), where, refused }, what);
    return line.trimEnd();
  };
}

export class Log {
  readonly #clock: Clock;
  readonly #sink: (text: string) => boolean;
  #lost = 0;
  /** May be changed at any time. */
  format: LineFormat;

  /** @param sink takes whole lines; answers whether they are where they should be */
  constructor(clock: Clock, format: LineFormat, sink: (text: string) => boolean) {
    this.#clock = clock;
    this.format = format;
    this.#sink = sink;
  }

  /**
   * One line. Peers' words may be part of it, so control characters do not get through. What could
   * not be written is counted, and told once there is room again.
   *
   * @param where a peer's address, a job, the server itself
   */
  line(where: string, what: string, mark: LogMark = {}): void {
    const lost = `${this.#lost} lines before this one were lost`;
    const notice = this.#lost === 0 ? '' : this.#format('log', lost, { level: 'warn' });
    if (this.#sink(notice + this.#format(where, what, mark))) this.#lost = 0;
    else this.#lost++;
  }

  #format(where: string, what: string, { refused, level }: LogMark): string {
    const record = {
      time: this.#clock.now(),
      level: level ?? (refused === undefined ? 'info' : 'warn'),
      where: clean(where),
      what: clean(what),
      refused,
    } as const;
    return `${this.format(record)}\n`;
  }
}

function clean(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, ' ');
}
