/**
 * How long compiles took where they ran, by unit: in memory, and in `STATE/times`, whose lines are a
 * unit's hash and milliseconds; of several the last holds. What is lost of it costs an order and
 * nothing else: a line that a crash cut short, or that makes no sense, is passed over.
 */
import type { ByteString } from '../core/byte-string.js';
import { describeError, errnoCode } from '../core/errors.js';
import { putNewest } from '../core/newest.js';
import { TIMES } from '../core/scheduling-limits.js';
import type { Files } from '../platform/files.js';

export interface CompileTimesContext {
  readonly files: Pick<Files, 'append' | 'read' | 'remove'>;
  readonly log: (message: string) => void;
}

const LINE = /^([0-9a-z]{1,11}) ([0-9]{1,8})$/;

export class CompileTimes {
  readonly #path: ByteString;
  readonly #context: CompileTimesContext;
  /** The oldest first. Read when somebody asks first. */
  #times: Map<number, number> | undefined;
  #news: string[] = [];
  #isKept = true;

  constructor(stateDirectory: ByteString, context: CompileTimesContext) {
    this.#path = `${stateDirectory}/times`;
    this.#context = context;
  }

  /** Milliseconds; undefined for what was never compiled. */
  expected(unit: number): number | undefined {
    return this.#known().get(unit);
  }

  learn(unit: number, milliseconds: number): void {
    const times = this.#known();
    const before = times.get(unit);
    const now = Math.round(before === undefined ? milliseconds : (before + milliseconds) / 2);
    // Most compiles take as long as last time: the disk need not hear of it.
    if (before !== undefined && Math.abs(now - before) < TIMES.change * before) return;
    putNewest(times, unit, now, TIMES.units);
    this.#news.push(`${unit.toString(36)} ${now}\n`);
    if (this.#news.length >= TIMES.together) this.flush();
  }

  /** Writes what is new. */
  flush(): void {
    if (this.#news.length === 0 || !this.#isKept) return;
    const text = this.#news.join('');
    this.#news = [];
    this.#keep(() => this.#context.files.append(this.#path, text));
  }

  #known(): Map<number, number> {
    this.#times ??= this.#read();
    return this.#times;
  }

  #read(): Map<number, number> {
    const times = new Map<number, number>();
    let lines: string[];
    try {
      lines = this.#context.files.read(this.#path).split('\n');
    } catch (error) {
      if (errnoCode(error) !== 'ENOENT') this.#fail(error);
      return times;
    }
    for (const line of lines) {
      const match = LINE.exec(line);
      if (match !== null)
        putNewest(times, Number.parseInt(match[1] ?? '', 36), Number(match[2]), TIMES.units);
    }
    if (lines.length > TIMES.lines) {
      const text = [...times].map(([unit, time]) => `${unit.toString(36)} ${time}\n`).join('');
      this.#keep(() => {
        this.#context.files.remove(this.#path);
        this.#context.files.append(this.#path, text);
      });
    }
    return times;
  }

  #keep(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Told once: memory will do. */
  #fail(error: unknown): void {
    this.#isKept = false;
    this.#news = [];
    this.#context.log(`times of compiles cannot be kept in ${this.#path}: ${describeError(error)}`);
  }
}
