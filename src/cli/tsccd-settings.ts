/** From what a command line or a file has for each option to settings. Pure. */
import { EXIT, TsccError } from '../core/errors.js';
import { nameOf, OPTION_NAMES, OPTIONS, type OptionName, type Settings } from './tsccd-options.js';

/**
 * Settings from the values given, as yargs or a TOML parser has read them, by the options' names.
 *
 * @param base absolute directory that paths are relative to
 * @param word makes a message of a name and what is wrong with its value
 *
 * Throws a TsccError for a name that is no option, or a value that is none of its.
 */
export function readSettings(
  given: ReadonlyMap<string, unknown>,
  base: string,
  word: (name: string, complaint: string) => string,
): Partial<Settings> {
  const settings: Record<string, unknown> = {};
  for (const [name, value] of given) {
    const option = OPTION_NAMES.find((candidate) => nameOf(candidate) === name);
    if (option === undefined) throw wrong(word(name, unknownName(name)));
    const read = OPTIONS[option].kind.read(value, base);
    if (!read.ok) throw wrong(word(name, read.error));
    settings[option] = read.value;
  }
  return settings;
}

/** Flags over the file over the defaults. */
export function settle(flags: Partial<Settings>, file: Partial<Settings>): Settings {
  const defaults = Object.fromEntries(OPTION_NAMES.map((name) => [name, OPTIONS[name].default]));
  return { ...(defaults as unknown as Settings), ...file, ...flags };
}

/** Options whose change takes a restart, of those that differ. */
export function changesThatWait(before: Settings, after: Settings): OptionName[] {
  return OPTION_NAMES.filter(
    (name) => !OPTIONS[name].isLive && JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  );
}

function unknownName(name: string): string {
  const hint =
    name === 'config' ? ' (a configuration file names no other)' : '; keys are those of --help: ';
  const names = name === 'config' ? '' : OPTION_NAMES.map(nameOf).join(', ');
  return ` is no key here${hint}${names}`;
}

function wrong(message: string): TsccError {
  return new TsccError(message, EXIT.badArguments);
}
