/**
 * `npm run bench`: what a compile costs on the build host, beside bare gcc, ccache and distcc in the
 * same run. Rows are measured in turn, so that a slow minute hits all alike; medians and ratios are
 * what to quote.
 *
 *   node build/benchmarks/bench.js [--dir DIR --build LINE --clean LINE] [--runs N] [--output FILE]
 *
 * LINE is run in DIR with CC and CXX in the environment, so it must hand them on, as in
 * `make -j2 CC="$CC" CXX="$CXX"`. Without a project: LevelDB's sources in C++ and C.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { SessionStatus } from '../src/report/statistics.js';
import { cpuOf, measure, median, type Cost } from './measure.js';
import { startServers } from './servers.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tscc = `${root}bin/tscc`;
const SERVERS = 2;

/** Twelve units of the demo project, of all sizes. */
const UNITS = ['util/arena', 'util/coding', 'util/status', 'util/cache', 'util/crc32c', 'util/hash']
  .concat(['table/block', 'table/format', 'db/builder', 'db/log_writer', 'db/write_batch'])
  .map((unit) => `leveldb/leveldb-1.20/${unit}.o`)
  .concat('leveldb/leveldb-1.20/db/c_test.o');

const { values: given } = parseArgs({
  options: {
    dir: { type: 'string' },
    build: { type: 'string', default: `make -s -j2 CC="$CC" CXX="$CXX" ${UNITS.join(' ')}` },
    clean: { type: 'string', default: 'make -s clean' },
    runs: { type: 'string', default: '5' },
    output: { type: 'string' },
  },
});

const scratch = mkdtempSync(`${tmpdir()}/tscc-bench-`);
const env: NodeJS.ProcessEnv = {
  ...process.env,
  TSCC_DIR: `${scratch}/state`,
  XDG_RUNTIME_DIR: scratch,
  DISTCC_DIR: `${scratch}/distcc`,
};

interface Row {
  readonly name: string;
  readonly env: NodeJS.ProcessEnv;
  /** Before each run, not measured. */
  readonly prepare?: () => void;
  readonly runs: Cost[];
}

/** What the session daemon adds to its rows, per run. */
interface DaemonRun {
  readonly cpu: number;
  readonly status: SessionStatus;
}

const has = (program: string) => spawnSync('which', [program]).status === 0;

async function main(): Promise<void> {
  const project = given.dir ?? prepareDemo();
  const servers = await startServers(
    Array.from({ length: SERVERS }, (_, n) => `127.0.0.${n + 1}`),
    `${scratch}/stores`,
  );
  env['TSCC_HOSTS'] = servers.hosts;
  const distccd = has('distcc') && has('distccd') ? await startDistccd() : undefined;
  try {
    const compilers = (prefix: string) => ({
      ...env,
      CC: `${prefix}gcc`.trim(),
      CXX: `${prefix}g++`.trim(),
    });
    const rows: Row[] = [
      { name: 'make alone', env: { ...env, CC: 'true', CXX: 'true' }, runs: [] },
      { name: 'gcc', env: compilers(''), runs: [] },
      { name: 'tscc plain', env: compilers(`${tscc} `), runs: [] },
    ];
    if (distccd !== undefined) {
      const hosts = { DISTCC_HOSTS: distccd.hosts, DISTCC_FALLBACK: '0' };
      rows.push({ name: 'distcc plain', env: { ...compilers('distcc '), ...hosts }, runs: [] });
    }
    if (has('ccache')) {
      const cache = `${scratch}/ccache`;
      const prepare = () => rmSync(cache, { recursive: true, force: true });
      const withCache = { ...compilers('ccache '), CCACHE_DIR: cache };
      rows.push({ name: 'ccache, cold', env: withCache, prepare, runs: [] });
    }
    const daemonRuns = run(project, rows);
    report(rows, daemonRuns, measureLauncher());
  } finally {
    execFileSync(tscc, ['stop'], { env, stdio: 'ignore' });
    distccd?.stop();
    await servers.stop();
  }
}

function prepareDemo(): string {
  const leveldown = dirname(createRequire(import.meta.url).resolve('leveldown/package.json'));
  const project = `${scratch}/project`;
  cpSync(`${leveldown}/deps`, project, { recursive: true });
  cpSync(`${root}benchmarks/demo-project.mk`, `${project}/Makefile`);
  return project;
}

function run(project: string, rows: readonly Row[]): DaemonRun[] {
  const daemonRuns: DaemonRun[] = [];
  // A first build in each way, not counted: caches warm, compilers identified, daemons started.
  for (let i = -1; i < Number(given.runs); i++) {
    for (const row of rows) {
      measure(given.clean, project, row.env);
      row.prepare?.();
      const session = `bench-${i + 1}`;
      const isTscc = row.name.startsWith('tscc');
      const before = isTscc && i >= 0 ? cpuOf(daemonPid()) : 0;
      const cost = measure(given.build, project, { ...row.env, TSCC_SESSION: session });
      if (i < 0) continue;
      row.runs.push(cost);
      if (!isTscc) continue;
      const json = execFileSync(tscc, ['status', '--json', '--session', session], { env });
      const status = JSON.parse(json.toString()) as SessionStatus;
      daemonRuns.push({ cpu: cpuOf(daemonPid()) - before, status });
    }
  }
  return daemonRuns;
}

/** The daemon of this run's state directory, from its own log. */
function daemonPid(): number {
  const log = readFileSync(`${scratch}/state/daemon.log`, 'utf8');
  const pids = [...log.matchAll(/serves .*, pid ([0-9]+)/g)];
  return Number(pids.at(-1)?.[1]);
}

/** Milliseconds of processor and wall time that the launcher adds to a command that stays here. */
function measureLauncher(): {
  readonly cpu: number;
  readonly wall: number;
  readonly daemon: number;
} {
  const times = 200;
  const loop = (command: string) =>
    `for i in $(seq ${times}); do ${command} -dumpmachine >/dev/null; done`;
  const before = cpuOf(daemonPid());
  const [bare, wrapped]: [Cost[], Cost[]] = [[], []];
  for (let i = 0; i < 3; i++) {
    bare.push(measure(loop('gcc'), scratch, env));
    wrapped.push(measure(loop(`${tscc} gcc`), scratch, env));
  }
  const difference = (of: (cost: Cost) => number) =>
    ((median(wrapped.map(of)) - median(bare.map(of))) / times) * 1000;
  return {
    cpu: difference(({ cpu }) => cpu),
    wall: difference(({ wall }) => wall),
    daemon: ((cpuOf(daemonPid()) - before) / (3 * times)) * 1000,
  };
}

/** As root distccd becomes another user, who writes to the common temporary directory. */
async function startDistccd(): Promise<{ readonly hosts: string; readonly stop: () => void }> {
  const port = await freePort();
  mkdirSync(`${scratch}/distcc`);
  const jobs = 2 * SERVERS;
  const args = ['--daemon', '--no-detach', '--log-stderr', '--log-level', 'error'];
  const child = spawn(
    'distccd',
    [
      ...args,
      ...['--allow', '127.0.0.1', '--listen', '127.0.0.1'],
      ...['--port', String(port), '--jobs', String(jobs)],
    ],
    { stdio: 'ignore' },
  );
  await accepting(port);
  return { hosts: `127.0.0.1:${port}/${jobs}`, stop: () => void child.kill('SIGTERM') };
}

/** Resolves when somebody listens; distccd says nothing by itself. */
async function accepting(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
    if (isOpen) return;
    await setTimeout(50);
  }
  throw new Error('distccd does not listen');
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}

function report(
  rows: readonly Row[],
  daemonRuns: readonly DaemonRun[],
  launcher: ReturnType<typeof measureLauncher>,
): void {
  const compiles = median(daemonRuns.map(({ status }) => status.outcomes.plain));
  const perCompile = (seconds: number) => (seconds / compiles) * 1000;
  const make = median(rows[0]?.runs.map(({ cpu }) => cpu) ?? []);
  const preprocess = median(daemonRuns.map(({ status }) => status.preprocessCpu)) / compiles;
  const daemon = perCompile(median(daemonRuns.map(({ cpu }) => cpu)));
  const bytes = (of: (status: SessionStatus) => number) =>
    Math.round(median(daemonRuns.map(({ status }) => of(status))) / compiles);

  const table = rows.slice(1).map(({ name, runs }) => {
    const isTscc = name.startsWith('tscc');
    const tree = perCompile(median(runs.map(({ cpu }) => cpu)) - make);
    const total = tree + (isTscc ? daemon : 0);
    const isRemote = isTscc || name.startsWith('distcc');
    return {
      name,
      clientCpu: total,
      // The same preprocessor runs under both; tscc's launcher has measured it.
      ownCpu: isRemote ? total - preprocess : null,
      daemonCpu: isTscc ? daemon : null,
      wall: perCompile(median(runs.map(({ wall }) => wall))),
    };
  });
  const figures = {
    compiles,
    outcomes: daemonRuns.at(-1)?.status.outcomes,
    preprocessCpu: preprocess,
    rows: table,
    otherCommand: launcher,
    bytesPerCompile: {
      sent: bytes(({ sentBytes }) => sentBytes),
      received: bytes(({ receivedBytes }) => receivedBytes),
    },
  };
  const text = [
    `${compiles} compiles, medians of ${given.runs} runs, ms per compile (build host only)`,
    '',
    '| | client CPU | own share | daemon | wall | CPU ÷ gcc |',
    '|---|---|---|---|---|---|',
    ...table.map((row) => {
      const gcc = table[0]?.clientCpu ?? Number.NaN;
      const cells = [row.clientCpu, row.ownCpu, row.daemonCpu, row.wall].map((value) =>
        value === null ? '' : value.toFixed(1),
      );
      return `| ${row.name} | ${cells.join(' | ')} | ${(row.clientCpu / gcc).toFixed(2)} |`;
    }),
    '',
    `own share: client CPU less the local preprocessor's ${preprocess.toFixed(1)} ms`,
    `a command that stays here: ${launcher.cpu.toFixed(1)} ms CPU and ${launcher.wall.toFixed(1)} ms wall ` +
      `over exec, daemon ${launcher.daemon.toFixed(1)} ms`,
    `bytes per compile: ${figures.bytesPerCompile.sent} sent, ${figures.bytesPerCompile.received} received`,
    '',
  ].join('\n');
  process.stdout.write(text);
  if (given.output === undefined) return;
  writeFileSync(`${given.output}.json`, `${JSON.stringify(figures, null, 2)}\n`);
  writeFileSync(`${given.output}.md`, text);
}

try {
  await main();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
