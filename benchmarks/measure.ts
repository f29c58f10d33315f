/** Processor time of whole builds, as the operating system accounts for it. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Cost {
  /** Seconds. */
  readonly wall: number;
  /** User and system time of the command and all that it waited for, in seconds. */
  readonly cpu: number;
}

/** Runs a line in bash, whose `time` resolves milliseconds. Throws with its output when it fails. */
export function measure(line: string, cwd: string, env: NodeJS.ProcessEnv): Cost {
  const done = spawnSync('bash', ['-c', `TIMEFORMAT='cost %R %U %S'; time { ${line}\n}`], {
    cwd,
    env,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const cost = /^cost ([0-9.]+) ([0-9.]+) ([0-9.]+)$/m.exec(done.stderr);
  if (done.status !== 0 || cost === null) {
    throw new Error(`${line} ended with ${done.status}:\n${done.stdout}${done.stderr}`);
  }
  return { wall: Number(cost[1]), cpu: Number(cost[2]) + Number(cost[3]) };
}

/**
 * Processor time that a running process has used, in seconds (the kernel counts in 10 ms).
 *
 * @param withChildren those that it has waited for as well
 */
export function cpuOf(pid: number, withChildren = false): number {
  return cpuOfStat(readFileSync(`/proc/${pid}/stat`, 'latin1'), withChildren);
}

/** The same, of what `/proc/PID/stat` said. */
export function cpuOfStat(stat: string, withChildren: boolean): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const counted = withChildren ? fields.slice(11, 15) : fields.slice(11, 13);
  return counted.reduce((sum, field) => sum + Number(field), 0) / 100;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The session daemon of a state directory, from its own log. */
export function daemonPid(stateDirectory: string): number {
  const log = readFileSync(`${stateDirectory}/daemon.log`, 'utf8');
  const pids = [...log.matchAll(/serves .*, pid ([0-9]+)/g)];
  return Number(pids.at(-1)?.[1]);
}

/** Processor time of a session daemon and its tscc-watch, in seconds. */
export function cpuOfDaemon(pid: number): number {
  return cpuOf(pid) + sum(childrenOf(pid).map((child) => cpuOf(child)));
}

/** tsccd, their runners, and all that these have started, in seconds. */
export function cpuOfServers(processes: readonly { readonly pid?: number | undefined }[]): number {
  return sum(
    processes.map(
      ({ pid = 0 }) => cpuOf(pid) + sum(childrenOf(pid).map((child) => cpuOf(child, true))),
    ),
  );
}

/** A process and all that descend from it, dead ones that were waited for included, in seconds. */
export function cpuOfTree(pid: number): number {
  return cpuOf(pid, true) + sum(childrenOf(pid).map(cpuOfTree));
}

/** The most memory that a running process has had, in MiB. */
export function peakMemory(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+([0-9]+) kB$/m.exec(status)?.[1]) / 1024;
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function childrenOf(pid: number): number[] {
  const found = spawnSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' });
  return found.stdout.split('\n').filter(Boolean).map(Number);
}
