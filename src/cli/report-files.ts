/** Reports on disk: `STATE/reports/SESSION.html`. */
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoCode } from '../core/errors.js';

const SUFFIX = '.html';

export function reportPath(stateDirectory: string, session: string): string {
  return `${stateDirectory}/reports/${session}${SUFFIX}`;
}

/** A browser that loads it meanwhile sees the old file or the new one. */
export function writeFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, text, { mode: 0o600 });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Removes those of sessions that are not there any more. */
export function removeOldReports(stateDirectory: string, sessions: ReadonlySet<string>): void {
  const directory = `${stateDirectory}/reports`;
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return;
    throw error;
  }
  for (const name of names) {
    const session = name.slice(0, -SUFFIX.length);
    if (name.endsWith(SUFFIX) && !sessions.has(session)) rmSync(`${directory}/${name}`);
  }
}
