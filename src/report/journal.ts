/**
 * Journals on disk: one file of JSON lines per session, `STATE/journal/SESSION.jsonl`. Lines are
 * gathered and written together, so that a compile costs no system call of its own.
 */
import { errnoCode } from '../core/errors.js';
import type { Clock, Timer } from '../platform/clock.js';
import { JOURNAL_VERSION, type Event, type EventSink, type JournalLine } from './events.js';
import { addEvent, emptyStatus, type SessionStatus } from './statistics.js';

/** The part of a file system that journals need. */
export interface JournalStore {
  /** Appends text to a file, making it and its directory where needed. */
  append(path: string, text: string): void;
  read(path: string): string;
  /** Bytes of a file; undefined when there is none. */
  size(path: string): number | undefined;
  /** Names in a directory, newest modification first; empty when there is none. */
  newestFirst(directory: string): string[];
  remove(path: string): void;
}

const SUFFIX = '.jsonl';

/** Lines wait at most this long (milliseconds) before they are written. */
const WRITE_DELAY = 200;

/** A session's name is a file name, and it comes from the environment. */
const SESSION_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export function isSessionName(name: string): boolean {
  return SESSION_PATTERN.test(name);
}

/** Writes the events of one session and keeps its counters. */
export class Journal implements EventSink {
  readonly session: string;
  readonly #path: string;
  readonly #store: JournalStore;
  readonly #clock: Clock;
  readonly #onError: (message: string) => void;
  readonly #stateDirectory: string;
  /** False: events are counted and not written. */
  readonly isKept: boolean;
  #status: SessionStatus;
  /** Of the file, as far as `#status` knows its lines. */
  #size = 0;
  #waiting: string[] = [];
  #timer: Timer | undefined;
  #failed = false;

  constructor(
    stateDirectory: string,
    session: string,
    store: JournalStore,
    clock: Clock,
    onError: (message: string) => void,
    isKept = true,
  ) {
    this.isKept = isKept;
    this.session = session;
    this.#path = journalPath(stateDirectory, session);
    this.#store = store;
    this.#clock = clock;
    this.#onError = onError;
    this.#stateDirectory = stateDirectory;
    this.#status = this.#readAll();
  }

  /** As far as this process knows: memory only, for who asks often. */
  get counted(): SessionStatus {
    return this.#status;
  }

  /** Counts lines of another daemon too: one that was told to end may still write to the file. */
  get status(): SessionStatus {
    this.flush();
    const hasMore = (this.#store.size(this.#path) ?? 0) > this.#size;
    if (hasMore && !this.#failed) this.#status = this.#readAll();
    return this.#status;
  }

  /** The events so far, from disk; none when they have more bytes than that. */
  past(atMost: number): Iterable<JournalLine> {
    this.flush();
    if ((this.#store.size(this.#path) ?? 0) > atMost) return [];
    return readJournal(this.#stateDirectory, this.session, this.#store) ?? [];
  }

  #readAll(): SessionStatus {
    // Asked for before: what is added meanwhile shows next time.
    this.#size = this.#store.size(this.#path) ?? 0;
    const read = readStatus(this.#stateDirectory, this.session, this.#store);
    return read ?? emptyStatus(this.session);
  }

  record(event: Event): void {
    const line: JournalLine = { v: JOURNAL_VERSION, time: this.#clock.now(), ...event };
    this.#status = addEvent(this.#status, line);
    if (!this.isKept) return;
    this.#waiting.push(JSON.stringify(line));
    this.#timer ??= this.#clock.after(WRITE_DELAY, () => this.flush());
  }

  /** Writes what waits. A full or read-only disk is told once; counting goes on in memory. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    const text = `${this.#waiting.join('\n')}\n`;
    this.#waiting = [];
    try {
      this.#store.append(this.#path, text);
      this.#size += Buffer.byteLength(text);
    } catch (error) {
      if (this.#failed) return;
      this.#failed = true;
      this.#onError(`journal ${this.#path} cannot be written (${errnoCode(error)}); counts go on`);
    }
  }
}

/** Status of a session from its journal; undefined when there is no such journal. */
export function readStatus(
  stateDirectory: string,
  session: string,
  store: JournalStore,
): SessionStatus | undefined {
  const lines = readJournal(stateDirectory, session, store);
  if (lines === undefined) return undefined;
  let status = emptyStatus(session);
  for (const line of lines) status = addEvent(status, line);
  return status;
}

/** The events of a session; undefined when there is no such journal. */
export function readJournal(
  stateDirectory: string,
  session: string,
  store: JournalStore,
): Iterable<JournalLine> | undefined {
  let text: string;
  try {
    text = store.read(journalPath(stateDirectory, session));
  } catch (error) {
    if (errnoCode(error) === 'ENOENT' || errnoCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
  return parseJournal(text);
}

/** The events of a journal. A last line cut short by a crash, and newer versions, are skipped. */
export function* parseJournal(text: string): Generator<JournalLine> {
  for (const line of text.split('\n')) {
    if (!line.startsWith('{') || !line.endsWith('}')) continue;
    const value = JSON.parse(line) as JournalLine;
    if (value.v === JOURNAL_VERSION) yield value;
  }
}

/** Names of the sessions that have a journal, newest first. */
export function listSessions(stateDirectory: string, store: JournalStore): string[] {
  return store
    .newestFirst(`${stateDirectory}/journal`)
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => name.slice(0, -SUFFIX.length));
}

/** Removes all but the newest journals. */
export function removeOldJournals(stateDirectory: string, keep: number, store: JournalStore): void {
  for (const session of listSessions(stateDirectory, store).slice(keep)) {
    store.remove(journalPath(stateDirectory, session));
  }
}

function journalPath(stateDirectory: string, session: string): string {
  return `${stateDirectory}/journal/${session}${SUFFIX}`;
}
