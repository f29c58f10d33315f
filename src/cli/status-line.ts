/**
 * A line of a terminal that stays at the bottom while others write above it. The build writes to
 * the terminal itself, so a line drawn among its output would be torn, or erase what stands there
 * without a line break. Instead the last row is taken out of what scrolls (DECSTBM), as apt does:
 * whatever the build prints stays above it. Each change is one write, so that nobody's comes
 * between saving the cursor and putting it back.
 */
import type { WriteStream } from 'node:tty';

/** In fewer rows nobody could spare one. */
const ROWS = 5;

const SAVE = '\x1b7';
const RESTORE = '\x1b8';

export class StatusLine {
  readonly #terminal: Pick<WriteStream, 'write' | 'rows' | 'columns'>;
  /** Row that it has, counted from 1; undefined while it has none. */
  #row: number | undefined;
  #text = '';

  constructor(terminal: Pick<WriteStream, 'write' | 'rows' | 'columns'>) {
    this.#terminal = terminal;
  }

  /** @param text plain ASCII, which takes a column a character */
  draw(text: string): void {
    const { rows, columns } = this.#terminal;
    if (rows < ROWS) return this.close();
    const isNew = this.#row !== rows;
    const shown = text.slice(0, columns - 1);
    if (!isNew && shown === this.#text) return;
    // Of another size, a terminal has moved its rows: ours is somewhere below the cursor.
    const erased = this.#row === undefined ? '' : '\x1b[J';
    this.#row = rows;
    this.#text = shown;
    const start = isNew ? erased + reserve(rows) : '';
    this.#terminal.write(`${start}${SAVE}\x1b[${rows};1H\x1b[0;7m${shown}\x1b[0m\x1b[K${RESTORE}`);
  }

  /** Gives the row back, empty. */
  close(): void {
    if (this.#row === undefined) return;
    this.#terminal.write(`${SAVE}\x1b[r\x1b[${this.#row};1H\x1b[2K${RESTORE}`);
    this.#row = undefined;
  }
}

/**
 * Down a line and up again: where the cursor is in the last row, all scrolls and makes room. Setting
 * what scrolls puts the cursor elsewhere, so that is between saving and restoring it.
 */
function reserve(rows: number): string {
  return `\x1bD${SAVE}\x1b[1;${rows - 1}r${RESTORE}\x1b[1A`;
}
