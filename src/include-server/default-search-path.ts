/**
 * Where a compiler looks for headers by itself: asked from it, since only it knows (its
 * configuration, its driver's specs, the multilib that an -m selects). An answer is given again
 * for as long as the directories in it are what they were.
 */
import { joinPath, toText, fromText, type ByteString } from '../core/byte-string.js';
import { describeError } from '../core/errors.js';
import { INCLUDES } from '../core/include-limits.js';
import type { Language } from '../toolchain/compile-command.js';
import type { ProbeOutput, Toolchain } from '../toolchain/toolchain.js';
import type { DirectoryLook, LookAtDirectory } from '../platform/directory-look.js';
import { parseSearchListing, type SearchListing } from './search-listing.js';

export interface SearchQuestion {
  readonly toolchain: Toolchain;
  readonly language: Language;
  /** Words that change the answer. */
  readonly words: readonly ByteString[];
  /** Where the compiler is asked: part of the answer where a word is a relative path. */
  readonly cwd: ByteString;
  /** The whole environment that it is asked in, besides LC_ALL=C. */
  readonly environment: ReadonlyMap<ByteString, ByteString>;
}

/** Absolute directories, none of them twice in a list. */
export interface SearchAnswer {
  readonly quote: readonly ByteString[];
  readonly angle: readonly ByteString[];
  readonly missing: readonly ByteString[];
  /** There, and left out because another name of the same directory is in. */
  readonly duplicates: readonly ByteString[];
}

/** The outside world of DefaultSearchPaths; `search-host.ts` has the real one. */
export interface SearchDeps {
  /** Runs a program in `cwd` with nothing but `environment` and LC_ALL=C. Rejects if it cannot. */
  runCompiler(
    program: ByteString,
    args: readonly ByteString[],
    cwd: ByteString,
    environment: ReadonlyMap<ByteString, ByteString>,
  ): Promise<ProbeOutput>;
  /** What was so at some moment since `refresh` was called last. */
  look: LookAtDirectory;
  refresh(): Promise<unknown>;
  /** As EvidenceDeps has it. */
  directoryStamp(directory: ByteString): string | undefined;
  /** Why a compiler gave no answer, for a log. */
  note(message: string): void;
}

interface Known {
  readonly answer: SearchAnswer;
  /** What each directory of the answer was when it was given. */
  readonly looks: ReadonlyMap<ByteString, string>;
  /** Folders in which another GCC installation would be seen by Clang. */
  readonly folders: ReadonlyMap<ByteString, string | undefined>;
}

export class DefaultSearchPaths {
  readonly #deps: SearchDeps;
  readonly #known = new Map<string, Promise<Known | undefined>>();

  constructor(deps: SearchDeps) {
    this.#deps = deps;
  }

  /**
   * What the compiler says, or undefined if it gives no answer: then it will not compile either.
   * Calls with one question share one process.
   */
  async ask(question: SearchQuestion): Promise<SearchAnswer | undefined> {
    const key = keyOf(question);
    const asked = this.#known.get(key);
    if (asked !== undefined) {
      const known = await asked;
      if (known !== undefined && this.#holds(known)) return known.answer;
      // Someone else may have asked anew while this call waited.
      const newer = this.#known.get(key);
      if (newer !== undefined && newer !== asked) return (await newer)?.answer;
    }
    const asking = this.#ask(question);
    this.#remember(key, asking);
    const known = await asking;
    // What a failure was due to cannot be watched.
    if (known === undefined && this.#known.get(key) === asking) this.#known.delete(key);
    return known?.answer;
  }

  #remember(key: string, asking: Promise<Known | undefined>): void {
    this.#known.delete(key);
    this.#known.set(key, asking);
    if (this.#known.size <= INCLUDES.searchAnswers) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      return;
    }
  }

  async #ask(question: SearchQuestion): Promise<Known | undefined> {
    const { toolchain, language, words, cwd, environment } = question;
    const args = [...words, '-E', '-v', '-x', language, '/dev/null'];
    const failed = (why: string): undefined => {
      const command = [toolchain.compiler, ...args].map(toText).join(' ');
      this.#deps.note(
        `${toText(toolchain.compiler)} does not say where it looks for headers: ${why}; ` +
          `see what ${command} prints in ${toText(cwd)}`,
      );
      return undefined;
    };
    // Words are handed on as text; another name than the command's must not be asked about.
    const strange = [...args, cwd, ...environment.values()].find(
      (bytes) => fromText(toText(bytes)) !== bytes || bytes.includes('\n'),
    );
    if (strange !== undefined) return failed('a name in the command is not UTF-8');

    for (let round = 0; round < INCLUDES.searchRounds; round++) {
      let said: ProbeOutput;
      try {
        said = await this.#deps.runCompiler(toolchain.compiler, args, cwd, environment);
      } catch (error) {
        // It could not be started, or printed without end: whatever it was, there is no answer.
        return failed(describeError(error));
      }
      // It lists before it objects to options that do not go together without those left out of the
      // question: -mcmodel=kernel, for one, without -fno-PIE.
      const listing = parseSearchListing(said.stderr);
      if (listing === undefined) return failed(`it ended with status ${said.status}`);
      await this.#deps.refresh();
      const known = this.#knownFrom(listing, cwd);
      if (known !== undefined) return known;
    }
    return failed('the directories change all the time');
  }

  /** Undefined if the directories are not what the compiler saw a moment ago. */
  #knownFrom(listing: SearchListing, cwd: ByteString): Known | undefined {
    const absolute = (names: readonly ByteString[]): ByteString[] =>
      names.filter((name) => name !== '').map((name) => joinPath(cwd, name));
    const answer: SearchAnswer = {
      quote: absolute(listing.quote),
      angle: absolute(listing.angle),
      missing: [...new Set(absolute(listing.missing))],
      duplicates: [...new Set(absolute(listing.duplicates))],
    };
    const looks = new Map<ByteString, string>();
    for (const directory of [...answer.quote, ...answer.angle]) {
      const look = this.#deps.look(directory);
      if (look.kind !== 'directory') return undefined;
      looks.set(directory, comparable(look));
    }
    const searched = new Set(looks.values());
    for (const directory of answer.duplicates) {
      const look = comparable(this.#deps.look(directory));
      if (!searched.has(look)) return undefined;
      looks.set(directory, look);
    }
    for (const directory of answer.missing) {
      const look = this.#deps.look(directory);
      if (look.kind === 'directory') return undefined;
      looks.set(directory, comparable(look));
    }
    const folders = listing.installations.map((name) => joinPath(joinPath(cwd, name), '..'));
    return {
      answer,
      looks,
      folders: new Map(folders.map((folder) => [folder, this.#deps.directoryStamp(folder)])),
    };
  }

  #holds({ looks, folders }: Known): boolean {
    for (const [directory, look] of looks) {
      if (comparable(this.#deps.look(directory)) !== look) return false;
    }
    for (const [folder, stamp] of folders) {
      if (stamp === undefined || this.#deps.directoryStamp(folder) !== stamp) return false;
    }
    return true;
  }
}

const comparable = (look: DirectoryLook): string =>
  look.kind === 'directory' ? look.identity : look.kind;

function keyOf({ toolchain, language, words, cwd, environment }: SearchQuestion): string {
  const variables = [...environment].map(([name, value]) => `${name}=${value}`).toSorted();
  return [toolchain.digest, toolchain.compiler, language, cwd, ...words, '', ...variables].join(
    '\0',
  );
}
