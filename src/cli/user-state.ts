/** This user's state directory, socket and settings, as the command line tools see them. */
import { accessSync, constants, mkdirSync, realpathSync, statSync } from 'node:fs';
import { fromText, type ByteString } from '../core/byte-string.js';
import { describeError, EXIT, TsccError } from '../core/errors.js';
import { socketDirectory, socketPath, stateDirectories } from '../protocol/state-paths.js';
import { readSettings, type Settings } from '../client/settings.js';

export interface UserState {
  /** Without symbolic links. */
  readonly stateDirectory: string;
  readonly socketPath: string;
  readonly settings: Settings;
}

/** Throws TsccError when no state directory can be used. */
export function findUserState(environment: NodeJS.ProcessEnv = process.env): UserState {
  const uid = process.getuid?.() ?? 0;
  const failures: string[] = [];
  const base = socketDirectory(environment, uid, (path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat?.isDirectory() === true && stat.uid === uid;
  });
  for (const directory of stateDirectories(environment, base)) {
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      accessSync(directory, constants.W_OK | constants.X_OK);
      const stateDirectory = realpathSync(directory);
      return {
        stateDirectory,
        socketPath: socketPath(base, stateDirectory),
        settings: readSettings(environmentMap(environment)),
      };
    } catch (error) {
      failures.push(`${directory}: ${describeError(error)}`);
    }
  }
  throw new TsccError(
    `no state directory can be used (${failures.join('; ')}): set TSCC_DIR to a directory of yours`,
    EXIT.ioError,
  );
}

/** Names and values as the bytes they were. */
export function environmentMap(environment: NodeJS.ProcessEnv): Map<ByteString, ByteString> {
  return new Map(
    Object.entries(environment).flatMap(([name, value]) =>
      value === undefined ? [] : [[fromText(name), fromText(value)] as const],
    ),
  );
}
