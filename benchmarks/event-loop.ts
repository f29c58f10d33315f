/**
 * `npm run bench:event-loop`: how long the event loops of session daemon and servers keep a timer
 * waiting under load (delay-probe.ts): while a daemon meets a large tree for the first time, while it
 * carries as many compiles as it can, and while servers compile them.
 *
 *   node build/benchmarks/event-loop.js [--count N] [--at-once N] [--headers N] [--output FILE]
 */
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import type { DelayReport } from './delay-probe.js';
import { delayReport, PROBED_SERVER } from './delays.js';
import { LaunchLoop } from './launch-loop.js';
import { cpuOfTree } from './measure.js';
import { startServers } from './servers.js';
import { table } from './table.js';

const WARM_UP = 32;
const HOSTS = Array.from({ length: 8 }, (_, n) => `127.0.0.${n + 1}`);
/** Milliseconds that are wanted of the 99th percentile. */
const GOAL = 20;

const { values: given } = parseArgs({
  options: {
    count: { type: 'string', default: '500' },
    'at-once': { type: 'string', default: '16' },
    headers: { type: 'string', default: '500' },
    output: { type: 'string' },
  },
});
const [count, atOnce, headers] = [given.count, given['at-once'], given.headers].map(Number) as [
  number,
  number,
  number,
];

interface Row {
  readonly what: string;
  readonly report: DelayReport;
}

async function ofDaemon(): Promise<Row[]> {
  const loop = new LaunchLoop({ sources: WARM_UP + count, headers }, { flags: [], probe: true });
  try {
    const server = await loop.standIn(HOSTS, 4, 0);
    // What node does to start is no delay of anybody's.
    loop.startDaemon();
    await loop.daemonDelays();
    loop.measure(server, 0, WARM_UP, atOnce);
    const first = await loop.daemonDelays();
    loop.measure(server, WARM_UP, count, atOnce);
    const full = await loop.daemonDelays();
    return [
      { what: `daemon, its first ${WARM_UP} compiles`, report: first },
      { what: `daemon, as many compiles as it can carry`, report: full },
    ];
  } finally {
    loop.end();
  }
}

/** One server takes all, so that it has as much to do as it can have. */
async function ofServer(): Promise<Row[]> {
  const loop = new LaunchLoop({ sources: WARM_UP + count, headers });
  const file = `${loop.directory}/server-delays`;
  const env = { ...process.env, TSCC_DELAY_FILE: file };
  const options = ['--jobs', '8'];
  const servers = await startServers(
    ['127.0.0.1'],
    `${loop.directory}/stores`,
    options,
    env,
    PROBED_SERVER,
  );
  const pid = servers.processes[0]?.pid ?? 0;
  try {
    const target = { hosts: servers.hosts, cpu: () => cpuOfTree(pid) };
    await delayReport(pid, `${file}.${pid}`);
    loop.measure(target, 0, WARM_UP, atOnce);
    const first = await delayReport(pid, `${file}.${pid}`);
    loop.measure(target, WARM_UP, count, atOnce);
    const full = await delayReport(pid, `${file}.${pid}`);
    return [
      { what: `server, its first ${WARM_UP} compiles`, report: first },
      { what: 'server, with 8 slots that are all busy', report: full },
    ];
  } finally {
    loop.end();
    await servers.stop();
  }
}

const load = loadavg()[0] ?? 0;
const rows = [...(await ofDaemon()), ...(await ofServer())];
const text = `# Event-loop delay

Made by \`npm run bench:event-loop\`: ${count} compiles of small sources with ${headers} headers, ${atOnce} at a time.
Load of the machine at the beginning ${load.toFixed(1)}, at the end ${loadavg()[0]?.toFixed(1)}, on ${cpus().length} cores.

${table(
  rows.map(({ what, report: { samples, delay, own } }) => ({
    '': what,
    samples: String(samples),
    'delay p50': delay.p50.toFixed(1),
    'delay p99': delay.p99.toFixed(1),
    'delay most': delay.max.toFixed(1),
    'own p50': own.p50.toFixed(1),
    'own p99': own.p99.toFixed(1),
    'own most': own.max.toFixed(1),
    [`p99 ≤ ${GOAL} ms`]: delay.p99 <= GOAL ? 'yes' : own.p99 <= GOAL ? 'of its own work' : 'no',
  })),
)}

Milliseconds that a timer was late. *own*: at most as long as the process computed meanwhile; the rest it waited
for a processor, which other programs had. The daemon's jobs go to a server in C that answers at once; the
server's compiles are real.
`;
process.stdout.write(text);
if (given.output !== undefined) {
  writeFileSync(`${given.output}.json`, `${JSON.stringify(rows, null, 2)}\n`);
  writeFileSync(`${given.output}.md`, text);
}
