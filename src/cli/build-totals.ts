/**
 * How many compiles a build had the last time that it succeeded, for the next one's progress line:
 * `STATE/builds.json`. A build is a directory and a command. What is lost here is a number on a
 * terminal: a file that makes no sense counts as none.
 */
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { errnoCode } from '../core/errors.js';
import { LIVE } from '../core/live-limits.js';

export class BuildTotals {
  readonly #path: string;
  readonly #key: string;

  /** @param words the command and its arguments */
  constructor(stateDirectory: string, directory: string, words: readonly string[]) {
    this.#path = `${stateDirectory}/builds.json`;
    this.#key = createHash('sha256')
      .update(JSON.stringify([directory, ...words]))
      .digest('hex');
  }

  last(): number | undefined {
    return this.#read().get(this.#key);
  }

  /** Of two that end at once one is remembered. Throws the system's error. */
  remember(total: number): void {
    const builds = this.#read();
    builds.delete(this.#key);
    builds.set(this.#key, total);
    const newest = [...builds].slice(-LIVE.builds);
    const temporary = `${this.#path}.${process.pid}`;
    writeFileSync(temporary, JSON.stringify({ v: 1, builds: Object.fromEntries(newest) }));
    renameSync(temporary, this.#path);
  }

  #read(): Map<string, number> {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch (error) {
      if (errnoCode(error) === 'ENOENT') return new Map();
      throw error;
    }
    const { builds } = parse(text);
    return new Map(
      Object.entries(builds).filter(
        (entry): entry is [string, number] =>
          Number.isSafeInteger(entry[1]) && Number(entry[1]) > 0,
      ),
    );
  }
}

function parse(text: string): { readonly builds: object } {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && 'builds' in value) {
      if (typeof value.builds === 'object' && value.builds !== null)
        return { builds: value.builds };
    }
  } catch {
    // Not JSON, as above.
  }
  return { builds: {} };
}
