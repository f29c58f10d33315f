/**
 * `npm run bench`: what a compile costs on the build host, beside bare gcc, ccache and distcc in the
 * same run. Rows are measured in turn, so that a slow minute hits all alike; medians and ratios are
 * what to quote.
 *
 *   node build/benchmarks/bench.js [--dir DIR --build LINE --clean LINE | --kernel DIR] [--runs N]
 *     [--output FILE]
 *
 * LINE is run in DIR with CC and CXX in the environment, so it must hand them on, as in
 * `make -j2 CC="$CC" CXX="$CXX"`. Without a project: LevelDB's sources in C++ and C. With --kernel:
 * units of a kernel that was built in DIR, by their commands, without make.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, loadavg, tmpdir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { SessionStatus } from '../src/report/statistics.js';
import { startDistccd } from './distccd.js';
import {
  cpuOfDaemon,
  cpuOfServers,
  daemonPid,
  measure,
  median,
  peakMemory,
  type Cost,
} from './measure.js';
import { startServers, type Servers } from './servers.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tscc = `${root}bin/tscc`;
const ADDRESSES = ['127.0.0.1', '127.0.0.2'];

/** Twelve units of the demo project, of all sizes. */
const UNITS = ['util/arena', 'util/coding', 'util/status', 'util/cache', 'util/crc32c', 'util/hash']
  .concat(['table/block', 'table/format', 'db/builder', 'db/log_writer', 'db/write_batch'])
  .map((unit) => `leveldb/leveldb-1.20/${unit}.o`)
  .concat('leveldb/leveldb-1.20/db/c_test.o');

const { values: given } = parseArgs({
  options: {
    dir: { type: 'string' },
    kernel: { type: 'string' },
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
  /** What daemon and servers add to rows of tscc. */
  readonly besides: Besides[];
}

/** Of one run; processor time in seconds. */
interface Besides {
  readonly daemon: number;
  /** Compilers and all that is around them. */
  readonly servers: number;
  readonly status: SessionStatus;
}

const ourDaemon = () => daemonPid(`${scratch}/state`);
const has = (program: string) => spawnSync('which', [program]).status === 0;

async function main(): Promise<void> {
  const project = given.kernel === undefined ? (given.dir ?? prepareDemo()) : resolve(given.kernel);
  if (given.kernel !== undefined) prepareKernel(project);
  const servers = await startServers(ADDRESSES, `${scratch}/stores`);
  env['TSCC_HOSTS'] = servers.hosts;
  const distccd = await startDistccd(ADDRESSES, 2);
  mkdirSync(`${scratch}/distcc`);
  try {
    const compilers = (prefix: string) => ({
      ...env,
      CC: `${prefix}gcc`.trim(),
      CXX: `${prefix}g++`.trim(),
    });
    const rows: Row[] = [
      row('make alone', { ...env, CC: 'true', CXX: 'true' }),
      row('gcc', compilers('')),
      row('tscc pump', { ...compilers(`${tscc} `), TSCC_MODE: 'pump' }),
      row('tscc plain', { ...compilers(`${tscc} `), TSCC_MODE: 'plain' }),
    ];
    if (distccd !== undefined) {
      const hosts = { DISTCC_HOSTS: distccd.hosts, DISTCC_FALLBACK: '0' };
      rows.push(row('distcc plain', { ...compilers('distcc '), ...hosts }));
    }
    if (has('ccache')) {
      const cache = `${scratch}/ccache`;
      const prepare = () => rmSync(cache, { recursive: true, force: true });
      const withCache = { ...compilers('ccache '), CCACHE_DIR: cache };
      rows.push({ ...row('ccache, cold', withCache), prepare });
    }
    run(project, rows, servers);
    report(rows, measureLauncher());
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

const row = (name: string, rowEnv: NodeJS.ProcessEnv): Row => ({
  name,
  env: rowEnv,
  runs: [],
  besides: [],
});

/** Two dozen units of a built kernel: makes LINEs of their commands. */
function prepareKernel(directory: string): void {
  const found = execFileSync('find', ['lib', 'kernel', 'mm', '-name', '.*.o.cmd'], {
    cwd: directory,
    encoding: 'utf8',
  });
  const commands: string[] = [];
  const objects: string[] = [];
  for (const file of found.trim().split('\n').toSorted()) {
    const text = readFileSync(`${directory}/${file}`, 'utf8');
    const [, command] =
      /^(?:saved)?cmd_\S+ := (?:\S*tscc )?gcc (.* -c -o \S+ \S+\.c)\s*$/m.exec(text) ?? [];
    const [, object] = /-c -o (\S+)/.exec(command ?? '') ?? [];
    if (command === undefined || object === undefined || /[;&]/.test(command)) continue;
    // As make hands it to the shell: what is quoted there stays quoted.
    commands.push(`$CC ${command.replaceAll('$(pound)', '#')}`);
    objects.push(object);
    if (commands.length === 24) break;
  }
  writeFileSync(`${scratch}/commands`, `${commands.join('\0')}\0`);
  given.build = `xargs -0 -P 2 -n 1 sh -e -c <${scratch}/commands`;
  given.clean = `rm -f ${objects.join(' ')}`;
}

function run(project: string, rows: readonly Row[], servers: Servers): void {
  // A first build in each way, not counted: caches warm, compilers identified, headers sent.
  for (let i = -1; i < Number(given.runs); i++) {
    for (const { name, env: rowEnv, prepare, runs, besides } of rows) {
      measure(given.clean, project, rowEnv);
      prepare?.();
      const session = `bench-${name.replace(' ', '-')}-${i + 1}`;
      const isTscc = name.startsWith('tscc') && i >= 0;
      const daemon = isTscc ? cpuOfDaemon(ourDaemon()) : 0;
      const before = isTscc ? cpuOfServers(servers.processes) : 0;
      const cost = measure(given.build, project, { ...rowEnv, TSCC_SESSION: session });
      if (i < 0) continue;
      runs.push(cost);
      if (!isTscc) continue;
      const json = execFileSync(tscc, ['status', '--json', '--session', session], { env });
      besides.push({
        daemon: cpuOfDaemon(ourDaemon()) - daemon,
        servers: cpuOfServers(servers.processes) - before,
        status: JSON.parse(json.toString()) as SessionStatus,
      });
    }
  }
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
  const before = cpuOfDaemon(ourDaemon());
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
    daemon: ((cpuOfDaemon(ourDaemon()) - before) / (3 * times)) * 1000,
  };
}

function report(rows: readonly Row[], launcher: ReturnType<typeof measureLauncher>): void {
  const plain = rows.find(({ name }) => name === 'tscc plain')?.besides ?? [];
  const compiles = median(
    plain.map(({ status: { outcomes } }) => outcomes.plain + outcomes.local + outcomes.pump),
  );
  const perCompile = (seconds: number) => (seconds / compiles) * 1000;
  const cpu = ({ runs }: Row) => median(runs.map((cost) => cost.cpu));
  const make = rows[0] === undefined ? Number.NaN : cpu(rows[0]);
  const preprocess = median(plain.map(({ status }) => status.preprocessCpu)) / compiles;
  const gcc = rows[1] === undefined ? Number.NaN : perCompile(cpu(rows[1]) - make);

  const table = rows.slice(1).map((measured) => {
    const { name, runs, besides } = measured;
    const isTscc = besides.length > 0;
    const of = (figure: (run: Besides) => number) => median(besides.map(figure));
    const daemon = isTscc ? perCompile(of((one) => one.daemon)) : 0;
    const clientCpu = perCompile(cpu(measured) - make) + daemon;
    const isPreprocessed = name === 'tscc plain' || name.startsWith('distcc');
    return {
      name,
      clientCpu,
      // The same preprocessor runs under both; tscc's launcher has measured it.
      ownCpu: isPreprocessed ? clientCpu - preprocess : isTscc ? clientCpu : null,
      daemonCpu: isTscc ? daemon : null,
      wall: perCompile(median(runs.map(({ wall }) => wall))),
      // As the compilers' own accounts say, and beside a compiler that ran here.
      serverCpu: isTscc ? perCompile(of((one) => one.servers - one.status.remoteCpu / 1000)) : null,
      overGcc: isTscc ? perCompile(of(({ servers }) => servers)) - gcc : null,
      sentBytes: isTscc ? of(({ status }) => status.sentBytes) / compiles : null,
      outcomes: besides.at(-1)?.status.outcomes,
    };
  });
  const figures = {
    compiles,
    preprocessCpu: preprocess,
    rows: table,
    otherCommand: launcher,
    daemonMiB: peakMemory(ourDaemon()),
  };
  const distcc = table.find(({ name }) => name.startsWith('distcc'))?.clientCpu;
  const text = [
    `${compiles} compiles, medians of ${given.runs} runs, ms per compile`,
    '',
    '| | client CPU | own share | daemon | wall | server CPU | over gcc here | bytes sent | distcc ÷ it |',
    '|---|---|---|---|---|---|---|---|---|',
    ...table.map((measured) => {
      const { clientCpu, ownCpu, daemonCpu, wall, serverCpu, overGcc, sentBytes } = measured;
      const cells = [clientCpu, ownCpu, daemonCpu, wall, serverCpu, overGcc].map(
        (value) => value?.toFixed(1) ?? '',
      );
      const ratio = distcc === undefined ? '' : (distcc / clientCpu).toFixed(2);
      const bytes = sentBytes === null ? '' : String(Math.round(sentBytes));
      return `| ${[measured.name, ...cells, bytes, ratio].join(' | ')} |`;
    }),
    '',
    'client CPU: all that the build host spends on a compile. own share: without the local',
    `preprocessor's ${preprocess.toFixed(1)} ms. server CPU: tsccd and its runner, without the compilers.`,
    `load at the end: ${loadavg()[0]?.toFixed(1)} on ${cpus().length} cores.`,
    `a command that stays here: ${launcher.cpu.toFixed(1)} ms CPU and ${launcher.wall.toFixed(1)} ms wall ` +
      `over exec, daemon ${launcher.daemon.toFixed(1)} ms`,
    `the daemon's memory at its highest: ${figures.daemonMiB.toFixed(0)} MiB`,
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
