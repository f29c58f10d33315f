/** The compiles of a session that servers did, as they can be run once more. Pure. */
import type { JournalLine } from './events.js';

export interface RemoteCompile {
  readonly source: string;
  /** As the command names it. */
  readonly output: string;
  readonly cwd: string;
  readonly argv: readonly string[];
  readonly mode: 'pump' | 'plain';
  /** What of the environment means something to compilers; undefined: the journal is too old. */
  readonly variables: Readonly<Record<string, string>> | undefined;
}

/** In the order of the journal; of several for one output the last. */
export function remoteCompiles(lines: Iterable<JournalLine>): RemoteCompile[] {
  const environments = new Map<number, Readonly<Record<string, string>>>();
  const found = new Map<string, RemoteCompile>();
  for (const line of lines) {
    if (line.event === 'environment') environments.set(line.environment, line.variables);
    if (line.event !== 'compile' || line.outcome === 'cache') continue;
    const { source, output, cwd, argv, outcome } = line;
    const key = `${cwd}\0${output}`;
    found.delete(key);
    const variables = environments.get(line.environment ?? -1);
    found.set(key, { source, output, cwd, argv, mode: outcome, variables });
  }
  return [...found.values()];
}

/** Whether names came through the journal as they were: those that are no UTF-8 did not. */
export function isExact({ cwd, argv, variables }: RemoteCompile): boolean {
  return ![cwd, ...argv, ...Object.values(variables ?? {})].some((text) => text.includes('\uFFFD'));
}
