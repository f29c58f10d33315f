/**
 * A terminal taken over for a while, as full-screen programs do it, and given back as it was: on
 * `close`, and whatever signal ends the program. Keys go to `onKey`.
 */
import type { ScreenSize } from '../report/top-screen.js';

/** The other screen, no cursor, and lines that do not go on in the next one. */
const TAKE = '\x1b[?1049h\x1b[?25l\x1b[?7l';
const GIVE_BACK = '\x1b[?7h\x1b[?25h\x1b[?1049l';

const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

export interface ScreenEvents {
  /** One or more keys, as the terminal sends them. */
  readonly onKey: (keys: string) => void;
  /** It has another size, or was taken back after a stop: what was drawn is gone. */
  readonly onRedraw: () => void;
  readonly onSignal: (signal: NodeJS.Signals) => void;
}

export class Screen {
  readonly #input = process.stdin;
  readonly #output = process.stdout;
  readonly #events: ScreenEvents;
  #isOpen = false;
  readonly #close = () => this.close();
  readonly #continue = () => {
    this.#take();
    this.#events.onRedraw();
  };

  constructor(events: ScreenEvents) {
    this.#events = events;
  }

  open(): void {
    this.#take();
    if (this.#input.isTTY) {
      this.#input.setEncoding('utf8');
      this.#input.on('data', this.#events.onKey);
    }
    this.#output.on('resize', this.#events.onRedraw);
    for (const signal of ENDING) process.on(signal, this.#events.onSignal);
    process.on('SIGCONT', this.#continue);
    // A fault of ours, too, must not leave a terminal without a cursor.
    process.on('exit', this.#close);
  }

  get size(): ScreenSize {
    return { columns: this.#output.columns, rows: this.#output.rows };
  }

  draw(lines: readonly string[]): void {
    if (!this.#isOpen) return;
    // Erased before it is written: behind a line as wide as the screen the cursor stands on its end.
    const text = lines.map((line) => `\x1b[2K${line}`).join('\r\n');
    const rest = lines.length < this.#output.rows ? '\r\n\x1b[J' : '';
    this.#output.write(`\x1b[H${text}${rest}`);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#output.off('resize', this.#events.onRedraw);
    process.off('SIGCONT', this.#continue);
    process.off('exit', this.#close);
    for (const signal of ENDING) process.off(signal, this.#events.onSignal);
    if (this.#input.isTTY) {
      this.#input.setRawMode(false);
      this.#input.pause();
    }
    this.#output.write(GIVE_BACK);
  }

  #take(): void {
    this.#isOpen = true;
    if (this.#input.isTTY) this.#input.setRawMode(true);
    this.#output.write(TAKE);
  }
}
