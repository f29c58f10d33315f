/** Command line and configuration file as one; the file can be read again while the server runs. */
import { parseArguments, type CommandLine } from './tsccd-arguments.js';
import { configCandidates, readConfigFile } from './tsccd-config-file.js';
import type { Settings } from './tsccd-options.js';
import { settle } from './tsccd-settings.js';

export class Configuration {
  readonly #flags: Partial<Settings>;
  /** Where a file may be; one that was read once must be there the next time. */
  #candidates: readonly string[];
  #file: string | undefined;

  private constructor({ flags, config }: CommandLine, candidates: readonly string[]) {
    this.#flags = flags;
    this.#file = config;
    this.#candidates = candidates;
  }

  /** Prints and exits for --help and --version; rejects with a TsccError for what makes no sense. */
  static async open(words: readonly string[], environment: NodeJS.ProcessEnv) {
    const configuration = new Configuration(
      await parseArguments(words),
      configCandidates(environment),
    );
    return { configuration, settings: await configuration.read() };
  }

  /** The file that is read, undefined if there is none. */
  get file(): string | undefined {
    return this.#file;
  }

  /** What holds now. Rejects with a TsccError when the file is wrong, or gone. */
  async read(): Promise<Settings> {
    return settle(this.#flags, await this.#readFile());
  }

  async #readFile(): Promise<Partial<Settings>> {
    // What it said must not be taken back because it is gone: an empty --allow lets all in.
    if (this.#file !== undefined) return (await readConfigFile(this.#file, true)) ?? {};
    for (const candidate of this.#candidates) {
      const found = await readConfigFile(candidate, false);
      if (found === undefined) continue;
      this.#file = candidate;
      return found;
    }
    return {};
  }
}
