/** From settings to the rules that a running server may be given anew. */
import { EXIT, TsccError } from '../core/errors.js';
import { readKeyFile, type Key } from '../protocol/key-file.js';
import { parseAllowed } from '../server/access.js';
import type { ServerRules } from '../server/server.js';
import type { Settings } from './tsccd-options.js';

/**
 * Reads the key files. Rejects with a TsccError when one cannot be used.
 *
 * @param uid user who must own them
 */
export async function readRules(settings: Settings, uid: number): Promise<ServerRules> {
  const keys: Key[] = [];
  for (const file of settings.keyFile) {
    const key = await readKeyFile(file, uid);
    if (keys.some(({ id }) => id === key.id)) {
      const why = `another --key-file has a key of its id, ${key.id}, too`;
      throw new TsccError(
        `key file ${file}: ${why}; make a new one with 'tscc keygen'`,
        EXIT.badArguments,
      );
    }
    keys.push(key);
  }
  const allowed = parseAllowed(settings.allow);
  if (!allowed.ok) throw new TsccError(`--allow: ${allowed.error}`, EXIT.badArguments);
  return {
    slots: settings.jobs,
    keys,
    allowed: settings.allow.length > 0 ? allowed.value : undefined,
  };
}

/** In words for the log: who may connect, and how many compilers run. */
export function describeRules({ slots, keys, allowed }: ServerRules): string {
  const ids = keys.map(({ id }) => id).join(', ');
  const whom = allowed === undefined ? 'all' : 'those of --allow';
  return `${slots} slots, ${whom} may connect${ids === '' ? '' : `, with key ${ids}`}`;
}
