/** Event-loop delays of a daemon or servers that run with delay-probe.ts. */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { DelayReport } from './delay-probe.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const PROBE = fileURLToPath(new URL('delay-probe.js', import.meta.url));

/** What a daemon's node is given besides its own words. */
export interface DaemonNode {
  /** Options of node's. */
  readonly flags: readonly string[];
  /** Where the report of delay-probe.ts will be; undefined: the daemon runs without. */
  readonly report?: string;
}

/**
 * Makes an installation of tscc of its own whose daemon runs so, and answers its launcher, which starts
 * daemons by the node that is packed beside it, and with an empty environment.
 */
export function launcherWith({ flags, report }: DaemonNode, directory: string): string {
  for (const name of ['bin', 'libexec']) mkdirSync(`${directory}/${name}`, { recursive: true });
  cpSync(`${root}bin/tscc`, `${directory}/bin/tscc`);
  symlinkSync(`${root}build`, `${directory}/build`);
  const node = `${directory}/libexec/node`;
  const words = [...flags, ...(report === undefined ? [] : ['--import', PROBE])];
  writeFileSync(
    node,
    // Behind the launcher's own options, of which the last one counts, and before the script.
    `#!/bin/sh
case "$*" in *session-daemon-main.js*)
  own=
  while case $1 in -*) true ;; *) false ;; esac; do own="$own $1"; shift; done
  set -- $own ${words.join(' ')} "$@" ;;
esac
TSCC_DELAY_FILE=${report ?? ''} exec ${process.execPath} "$@"
`,
  );
  chmodSync(node, 0o755);
  return `${directory}/bin/tscc`;
}

/**
 * Words before a server's own that start it with the probe: they take the place of `env -u NODE_OPTIONS
 * node` (RUN_TSCCD).
 */
export const PROBED_SERVER: readonly string[] = [
  '/bin/sh',
  '-c',
  `shift 4; TSCC_DELAY_FILE=$TSCC_DELAY_FILE.$$ exec ${process.execPath} --import ${PROBE} "$@"`,
  'sh',
];

/** Asks a process for its report, and so begins a new one there. */
export async function delayReport(pid: number, file: string): Promise<DelayReport> {
  rmSync(file, { force: true });
  process.kill(pid, 'SIGUSR2');
  for (let waited = 0; waited < 10_000; waited += 20) {
    if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as DelayReport;
    await setTimeout(20);
  }
  throw new Error(`process ${pid} wrote no ${file}`);
}
