/** A simulated farm's compiles through distcc, plain and in its pump mode. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Distccd } from './distccd.js';
import { NO_FARM, type Make, type Run, type Way } from './farm-run.js';
import { cpuOfStat, cpuOfTree, sum } from './measure.js';

export interface DistccContext {
  readonly env: NodeJS.ProcessEnv;
  /** Directory for logs. */
  readonly scratch: string;
  readonly make: Make;
}

/** What distcc tells in its log of everything; the log costs it time, so of one replay alone. */
type Told = Pick<Run, 'sent' | 'received' | 'demoted'>;

export function distccPlain({ hosts, pids }: Distccd, { env, scratch, make }: DistccContext): Way {
  let told: Told | undefined;
  return {
    name: 'distcc plain',
    replay: (number) => {
      const log = `${scratch}/distcc.log`;
      const before = sum(pids.map(cpuOfTree));
      const cost = make('distcc', environment(env, hosts, number === 0 ? log : undefined));
      if (number === 0) told = { ...readLog(log), demoted: undefined };
      const servers = sum(pids.map(cpuOfTree)) - before;
      return { ...NO_FARM, ...told, wall: cost.wall, client: cost.cpu, servers };
    },
  };
}

/**
 * The program of distcc's pump mode: Debian calls it distcc-pump.
 *
 * @param env whose PATH is searched
 */
export function findPump(env: NodeJS.ProcessEnv): string | undefined {
  return ['pump', 'distcc-pump'].find((name) => spawnSync('which', [name], { env }).status === 0);
}

export function distccPump(
  pump: string,
  { hosts, pids }: Distccd,
  { env, scratch, make }: DistccContext,
): Way {
  let told: Told | undefined;
  const withPump = hosts.split(' ').map((host) => `${host},cpp,lzo`);
  return {
    name: 'distcc pump',
    replay: (number) => {
      const log = `${scratch}/distcc-pump.log`;
      const stat = `${scratch}/include-server`;
      const before = sum(pids.map(cpuOfTree));
      // Its include server is nobody's child: what it used is asked before it ends.
      const around = (line: string) =>
        `eval "$(${pump} --startup)"; ${line}; status=$?; ` +
        `cat /proc/$INCLUDE_SERVER_PID/stat >${stat}; ${pump} --shutdown; [ $status = 0 ]`;
      const own = environment(env, withPump.join(' '), number === 0 ? log : undefined);
      const cost = make('distcc', own, around);
      if (number === 0) told = readLog(log);
      const client = cost.cpu + cpuOfStat(readFileSync(stat, 'latin1'), true);
      const servers = sum(pids.map(cpuOfTree)) - before;
      return { ...NO_FARM, ...told, wall: cost.wall, client, servers };
    },
  };
}

/** @param log where it tells all that it does */
function environment(
  env: NodeJS.ProcessEnv,
  hosts: string,
  log: string | undefined,
): NodeJS.ProcessEnv {
  return {
    ...env,
    DISTCC_HOSTS: hosts,
    // A compile that came back would be no distributed one.
    DISTCC_FALLBACK: '0',
    ...(log === undefined ? {} : { DISTCC_LOG: log, DISTCC_VERBOSE: '1' }),
  };
}

function readLog(file: string): Told {
  const text = readFileSync(file, 'latin1');
  const total = (pattern: RegExp) =>
    sum([...text.matchAll(pattern)].map((match) => Number(match[1])));
  return {
    sent: total(/\bsend ([0-9]+) byte file/g),
    received: total(/\breceived ([0-9]+) bytes to file/g),
    demoted: [...text.matchAll(/preprocessing locally/g)].length,
  };
}
