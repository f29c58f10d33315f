/** The compile server's command line. */
import { resolve } from 'node:path';
import type { Options } from 'yargs';
import { describeError, EXIT, TsccError } from '../core/errors.js';
import { VERSION } from '../platform/version.js';
import { CONFIG_FILES } from './tsccd-config-file.js';
import { nameOf, OPTION_NAMES, OPTIONS, type Option, type Settings } from './tsccd-options.js';
import { readSettings } from './tsccd-settings.js';

export interface CommandLine {
  /** Those that were given. */
  readonly flags: Partial<Settings>;
  /** Of --config, absolute. */
  readonly config: string | undefined;
}

/** Prints and exits for --help and --version; rejects with a TsccError for what makes no sense. */
export async function parseArguments(words: readonly string[]): Promise<CommandLine> {
  // Loaded here so that a start without a mistake in it pays for yargs only once.
  const { default: yargs } = await import('yargs');
  const options = OPTION_NAMES.map((name) => [nameOf(name), forYargs(OPTIONS[name])]);
  const parsed: Record<string, unknown> = await yargs([...words])
    .scriptName('tsccd')
    .usage(
      '$0 [options]\n\nCompile server of tscc; stays in the foreground unless --daemon is given.',
    )
    .options(Object.fromEntries(options) as Record<string, Options>)
    .option('config', {
      type: 'string',
      requiresArg: true,
      describe: `TOML file with these options as keys; default ${CONFIG_FILES}`,
    })
    .strict()
    .version(`tsccd ${VERSION}`)
    .exitProcess(true)
    .fail((message, error) => {
      throw new TsccError(message ?? describeError(error), EXIT.badArguments);
    })
    .parseAsync();
  const given = OPTION_NAMES.flatMap((name): [string, unknown][] => {
    const value = parsed[nameOf(name)];
    if (Array.isArray(value) && !isList(OPTIONS[name])) {
      throw new TsccError(`--${nameOf(name)} is given twice`, EXIT.badArguments);
    }
    return value === undefined ? [] : [[nameOf(name), value]];
  });
  const base = process.cwd();
  const flags = readSettings(new Map(given), base, (name, complaint) => `--${name}${complaint}`);
  return { flags, config: configFile(parsed['config'], base) };
}

function isList({ kind: { words } }: Option<unknown>): boolean {
  return words === 'each' || words === 'many';
}

function forYargs({ kind, alias, defaultText, describe }: Option<unknown>): Options {
  const shown = {
    describe,
    ...(alias === undefined ? {} : { alias }),
    ...(defaultText === undefined ? {} : { defaultDescription: defaultText }),
  };
  switch (kind.words) {
    case 'none':
      return { ...shown, type: 'boolean' };
    case 'one':
      return { ...shown, type: 'string', requiresArg: true };
    case 'number':
      return { ...shown, type: 'number', requiresArg: true };
    case 'each':
      return { ...shown, type: 'string', array: true, nargs: 1 };
    case 'many':
      return { ...shown, type: 'string', array: true, requiresArg: true };
  }
}

function configFile(given: unknown, base: string): string | undefined {
  if (given === undefined) return undefined;
  if (typeof given === 'string' && given !== '') return resolve(base, given);
  throw new TsccError('--config must be one path', EXIT.badArguments);
}
