/** `tscc keygen FILE`. */
import { writeFileSync } from 'node:fs';
import { describeError, errnoCode, EXIT, TsccError } from '../core/errors.js';
import { formatKey, generateKey } from '../protocol/key-file.js';

/** Never overwrites: a lost key locks every host out. */
export function makeKeyFile(path: string): void {
  const key = generateKey();
  try {
    writeFileSync(path, formatKey(key), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const why =
      errnoCode(error) === 'EEXIST' ? 'it exists already: name another' : describeError(error);
    throw new TsccError(`cannot write ${path}: ${why}`, EXIT.ioError);
  }
  process.stdout.write(
    `key ${key.id} in ${path}; copy it to every host (mode 0600), then\n` +
      `  on servers:  tsccd --key-file ${path}\n` +
      `  here:        export TSCC_KEY_FILE=${path}\n`,
  );
}
