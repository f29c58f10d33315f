/** The compile server's configuration file: TOML, with the options' names as keys. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describeError, errnoCode, EXIT, TsccError } from '../core/errors.js';
import { OPERATIONS } from '../core/limits.js';
import type { Settings } from './tsccd-options.js';
import { readSettings } from './tsccd-settings.js';

/** Where it is looked for, in words. */
export const CONFIG_FILES = '$XDG_CONFIG_HOME/tscc/tsccd.toml, else /etc/tscc/tsccd.toml';

/** Where it is looked for: the first that is there counts, and no other. */
export function configCandidates(environment: NodeJS.ProcessEnv): string[] {
  const { XDG_CONFIG_HOME: given, HOME: home } = environment;
  const own = given?.startsWith('/') === true ? given : home && `${home}/.config`;
  const files = ['/etc/tscc/tsccd.toml'];
  return own?.startsWith('/') === true ? [`${own}/tscc/tsccd.toml`, ...files] : files;
}

/**
 * What a file says; its paths are relative to its directory. Undefined when there is none, unless
 * it `mustExist`. Rejects with a TsccError that names file, line and key.
 */
export async function readConfigFile(
  path: string,
  mustExist: boolean,
): Promise<Partial<Settings> | undefined> {
  const text = await readText(path, mustExist);
  return text === undefined ? undefined : parseConfig(text, path);
}

/** As `readConfigFile`, for its content. */
export async function parseConfig(text: string, path: string): Promise<Partial<Settings>> {
  // Servers without a file do without the parser.
  const { parse, TomlError } = await import('smol-toml');
  let table;
  try {
    table = parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [what = ''] = error.message.split('\n');
    throw new TsccError(`${path}:${error.line}:${error.column}: ${what}`, EXIT.badArguments);
  }
  const given = new Map(Object.entries(table));
  return readSettings(
    given,
    dirname(path),
    (key, complaint) => `${path}${lineOf(text, key)}: '${key}'${complaint}`,
  );
}

/** `:LINE` of a key, as far as it is to be seen: TOML parsers do not tell. */
function lineOf(text: string, key: string): string {
  const name = key.replaceAll(/[^\w-]/g, '\\$&');
  const index = text.search(
    new RegExp(`^[ \\t]*(?:\\[[ \\t]*)*(["']?)${name}\\1[ \\t]*[=.\\]]`, 'm'),
  );
  return index < 0 ? '' : `:${text.slice(0, index).split('\n').length}`;
}

async function readText(path: string, mustExist: boolean): Promise<string | undefined> {
  try {
    // A pipe by this name must not keep the server waiting for a writer.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const buffer = Buffer.alloc(OPERATIONS.configBytes + 1);
      const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
      if (bytesRead > OPERATIONS.configBytes) {
        throw new Error(`it has more than ${OPERATIONS.configBytes} bytes`);
      }
      return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, bytesRead));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (!mustExist && errnoCode(error) === 'ENOENT') return undefined;
    throw new TsccError(
      `the configuration ${path} cannot be read: ${describeError(error)}; see --config`,
      EXIT.badArguments,
    );
  }
}
