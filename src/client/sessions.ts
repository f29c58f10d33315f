/**
 * The sessions of a daemon. A build under tscc-pump names its session in the environment; any
 * other compile belongs to the implicit session, which begins with the first compile and ends
 * after a while without any.
 */
import { toText } from '../core/byte-string.js';
import { DAEMON, REPORT } from '../core/limits.js';
import type { Clock, Timer } from '../platform/clock.js';
import type { RunRequest } from '../protocol/launcher-wire.js';
import type { FileEntry, TreeEntry } from '../protocol/tree-entry.js';
import { filePart, filesPart, variablesPart, type FilePart } from '../report/compile-key.js';
import type { Event, ReadFile } from '../report/events.js';
import { joinRuns } from '../report/file-runs.js';
import type { Journal } from '../report/journal.js';

/** Variables that mean something to tscc or to make only. */
const OF_NO_COMPILER = /^(?:TSCC_|DISTCC_|_TSCC_|XDG_|MAKE|HOME$)/;

/** Hears each event of each session; `now` is milliseconds since the epoch. */
export type SessionObserver = (session: string, event: Event, now: number) => void;

/** Variables that some compiles share. */
export interface NumberedVariables {
  /** Of their event. */
  readonly number: number;
  /** Of the key of each of these compiles. */
  readonly part: string;
}

export interface NumberedFiles {
  /** Their numbers, as runs. */
  readonly runs: string;
  /** Of the key of the compile that read them. */
  readonly part: string;
}

export class Session {
  readonly journal: Journal;
  readonly isImplicit: boolean;
  readonly #onEvent: (event: Event) => void;
  readonly #told = new Set<string>();
  readonly #environments = new Map<string, NumberedVariables>();
  /** Path and content → number. */
  readonly #files = new Map<string, number>();
  /** The same by entry: what has not changed mostly comes as the same object again. */
  readonly #entries = new WeakMap<TreeEntry, number>();
  /** Of a key, by number of the file. */
  readonly #fileParts: FilePart[] = [];
  #commands = 0;
  #active = 0;
  #isOver = false;

  constructor(journal: Journal, isImplicit: boolean, onEvent: (event: Event) => void = () => {}) {
    this.journal = journal;
    this.isImplicit = isImplicit;
    this.#onEvent = onEvent;
  }

  get name(): string {
    return this.journal.session;
  }

  get active(): number {
    return this.#active;
  }

  record(event: Event): void {
    this.journal.record(event);
    this.#onEvent(event);
  }

  /** Number of the next command in this session, from 1. It counts as active until `leave`. */
  enter(): number {
    this.#active++;
    this.#commands++;
    return this.#commands;
  }

  /** The variables that a compile runs with; the journal has them then. */
  environment({ environment, cwd }: Pick<RunRequest, 'environment' | 'cwd'>): NumberedVariables {
    const variables = [...environment].filter(
      ([name, value]) =>
        // A directory's own name says nothing; with it each directory would have another number.
        !OF_NO_COMPILER.test(name) && (name !== 'PWD' || value !== cwd),
    );
    const key = variables.join('\0');
    const known = this.#environments.get(key);
    if (known !== undefined) return known;
    const named = { number: this.#environments.size + 1, part: variablesPart(variables) };
    this.#environments.set(key, named);
    this.record({
      event: 'environment',
      environment: named.number,
      variables: Object.fromEntries(
        variables.map(([name, value]) => [toText(name), toText(value)]),
      ),
    });
    return named;
  }

  /** The files that a compile read; the journal has their names then. */
  files(entries: readonly TreeEntry[]): NumberedFiles {
    const first = this.#files.size;
    const news: ReadFile[] = [];
    const numbers: number[] = [];
    const parts: FilePart[] = [];
    for (const entry of entries) {
      if (entry.kind !== 'file') continue;
      const number = this.#entries.get(entry) ?? this.#number(entry, news);
      const part = this.#fileParts[number];
      numbers.push(number);
      if (part !== undefined) parts.push(part);
    }
    if (news.length > 0) this.record({ event: 'files', first, files: news });
    return { runs: joinRuns(numbers), part: filesPart(parts) };
  }

  /** Of a file whose entry is another object than before, and may say the same; else it is news. */
  #number(entry: FileEntry, news: ReadFile[]): number {
    const key = `${entry.digest}${entry.path}`;
    let number = this.#files.get(key);
    if (number === undefined) {
      number = this.#files.size;
      this.#files.set(key, number);
      this.#fileParts.push(filePart(entry.path, entry.digest));
      const digest = entry.digest.slice(0, REPORT.digestLength);
      news.push([toText(entry.path), entry.size, digest]);
    }
    this.#entries.set(entry, number);
    return number;
  }

  leave(): void {
    this.#active--;
    // The daemon may end with its last command, and has forgotten this session by then.
    if (this.#isOver && this.#active === 0) this.journal.flush();
  }

  /** Its end is in the journal, which is on disk; commands that still run may add to both. */
  end(): void {
    this.record({ event: 'session-end', session: this.name });
    this.journal.flush();
    this.#isOver = true;
  }

  /** True the first time: a message that would come with every compile is told once a session. */
  isNews(message: string): boolean {
    if (this.#told.has(message)) return false;
    this.#told.add(message);
    return true;
  }
}

export class Sessions {
  readonly #open: (name: string, isKept: boolean) => Journal;
  readonly #clock: Clock;
  readonly #version: string;
  readonly #newName: () => string;
  readonly #sessions = new Map<string, Session>();
  /** Nobody looks on, most of the time. */
  #observer: SessionObserver | undefined;
  #implicit: Session | undefined;
  #idle: Timer | undefined;
  #newest: Session | undefined;

  constructor(
    open: (name: string, isKept: boolean) => Journal,
    newName: () => string,
    clock: Clock,
    version: string,
  ) {
    this.#open = open;
    this.#newName = newName;
    this.#clock = clock;
    this.#version = version;
  }

  /** The session that began last and that this daemon knows. */
  get newest(): Session | undefined {
    return this.#newest;
  }

  /** One may look on; undefined when it does so no more. */
  observe(observer: SessionObserver | undefined): void {
    this.#observer = observer;
  }

  all(): Iterable<Session> {
    return this.#sessions.values();
  }

  get(name: string): Session | undefined {
    return this.#sessions.get(name);
  }

  /**
   * The session of a command: the one its environment names, else the implicit one.
   *
   * @param isKept whether a session that begins with it has a journal on disk
   */
  of(name: string | undefined, isKept = true): Session {
    if (name === undefined) {
      this.#implicit ??= this.#start(this.#newName(), true, isKept);
      return this.#implicit;
    }
    return this.#sessions.get(name) ?? this.#start(name, false, isKept);
  }

  /** Called after a command has left: an implicit session without commands ends after a while. */
  restartIdleTimer(): void {
    this.#idle?.cancel();
    const session = this.#implicit;
    if (session === undefined) return;
    this.#idle = this.#clock.after(DAEMON.sessionIdle, () => {
      if (session.active > 0) this.restartIdleTimer();
      else this.end(session.name);
    });
  }

  /** Ends a session; its journal is complete on disk afterwards. */
  end(name: string): void {
    const session = this.#sessions.get(name);
    if (session === undefined) return;
    session.end();
    this.#sessions.delete(name);
    if (session === this.#implicit) {
      this.#implicit = undefined;
      this.#idle?.cancel();
    }
  }

  endAll(): void {
    for (const name of [...this.#sessions.keys()]) this.end(name);
  }

  #start(name: string, isImplicit: boolean, isKept: boolean): Session {
    const session = new Session(this.#open(name, isKept), isImplicit, (event) =>
      this.#observer?.(name, event, this.#clock.now()),
    );
    session.record({ event: 'session-start', session: name, tscc: this.#version });
    this.#sessions.set(name, session);
    this.#newest = session;
    return session;
  }
}
