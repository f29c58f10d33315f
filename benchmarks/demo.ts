/**
 * `npm run demo`: eight compile servers on 127.0.0.1–127.0.0.8, a real C and C++ project built by
 * stock make through tscc, and the same built locally. Prints what ran where and whether the
 * objects are the same. Ends with status 1 when they are not, or when nothing went out.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { digestOf } from '../src/core/digest.js';
import type { SessionStatus } from '../src/report/statistics.js';
import { startServers } from './servers.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const ADDRESSES = Array.from({ length: 8 }, (_, n) => `127.0.0.${n + 1}`);
const JOBS = 16;

const scratch = mkdtempSync(`${tmpdir()}/tscc-demo-`);
const project = `${scratch}/project`;
const environment = { ...process.env, TSCC_DIR: `${scratch}/state` };

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Wall time of a build in seconds; throws with the build's output when it fails. */
function build(command: string, args: readonly string[], env: NodeJS.ProcessEnv): number {
  const began = performance.now();
  const done = spawnSync(command, args, { cwd: project, env, encoding: 'utf8' });
  if (done.status !== 0) {
    throw new Error(`${command} ${args.join(' ')} failed:\n${done.stdout}${done.stderr}`);
  }
  return (performance.now() - began) / 1000;
}

/** Path → digest of every object file. */
function objects(): Map<string, string> {
  const names = readdirSync(project, { recursive: true, encoding: 'utf8' });
  return new Map(
    names
      .filter((name) => name.endsWith('.o'))
      .map((name) => [name, digestOf(readFileSync(`${project}/${name}`))]),
  );
}

async function main(): Promise<boolean> {
  const leveldown = dirname(createRequire(import.meta.url).resolve('leveldown/package.json'));
  cpSync(`${leveldown}/deps`, project, { recursive: true });
  cpSync(`${root}benchmarks/demo-project.mk`, `${project}/Makefile`);

  say('1. The project (LevelDB 1.20 and Snappy) built by make -j2 with gcc and g++ …');
  const localWall = build('make', ['-j2', 'CC=gcc', 'CXX=g++'], process.env);
  const local = objects();
  build('make', ['clean'], process.env);

  say(`2. Eight compile servers: ${ADDRESSES.join(' ')} …`);
  const servers = await startServers(ADDRESSES, `${scratch}/stores`);
  try {
    const env = { ...environment, TSCC_HOSTS: servers.hosts };
    say(`3. The same by  make -j${JOBS} CC="tscc gcc" CXX="tscc g++"  under tscc-pump …`);
    const wall = build(
      `${root}bin/tscc-pump`,
      ['make', `-j${JOBS}`, 'CC=tscc gcc', 'CXX=tscc g++'],
      env,
    );
    const status = JSON.parse(
      execFileSync(`${root}bin/tscc`, ['status', '--json'], { env, encoding: 'utf8' }),
    ) as SessionStatus;
    const remote = objects();
    const same = [...local].filter(([name, digest]) => remote.get(name) === digest).length;
    execFileSync(`${project}/c_test`, { env: { ...env, TEST_TMPDIR: scratch }, stdio: 'ignore' });
    printTable(status, localWall, wall, local.size, same);
    const isComplete = remote.size === local.size && same === local.size;
    return isComplete && status.outcomes.plain + status.outcomes.pump > 0;
  } finally {
    execFileSync(`${root}bin/tscc`, ['stop'], { env: environment, stdio: 'ignore' });
    await servers.stop();
  }
}

function printTable(
  status: SessionStatus,
  localWall: number,
  wall: number,
  total: number,
  same: number,
): void {
  say('');
  say('host                  compiles   compiler s   sent MB   received MB');
  for (const [name, host] of Object.entries(status.hosts)) {
    say(
      [
        name.padEnd(20),
        String(host.compiles).padStart(10),
        (host.remoteCpu / 1000).toFixed(1).padStart(13),
        (host.sentBytes / 1e6).toFixed(2).padStart(10),
        (host.receivedBytes / 1e6).toFixed(2).padStart(14),
      ].join(''),
    );
  }
  const { outcomes, declines, fallbacks, other } = status;
  say(`${'here'.padEnd(20)}${String(outcomes.local).padStart(10)}`);
  say('');
  say(`outcomes              ${JSON.stringify(outcomes)}`);
  say(`declines, fallbacks   ${JSON.stringify(declines)} ${JSON.stringify(fallbacks)}`);
  say(`other commands        ${JSON.stringify(other)}`);
  say(
    `wall time             ${wall.toFixed(1)} s with tscc, ${localWall.toFixed(1)} s with make -j2`,
  );
  say(
    `                      (all servers share this machine's cores: no speed-up is possible here)`,
  );
  say(`objects               ${same} of ${total} identical to the local build`);
  say(`the project's c_test  passed`);
}

try {
  if (!(await main())) process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
