/**
 * `npm run bench:launches`: how many compiles a second launcher and session daemon carry, without make
 * and with nothing around them that computes (launch-loop.ts), and how many beside eight real servers
 * on the same machine.
 *
 *   node build/benchmarks/launches.js [--count N] [--at-once N] [--headers N] [--runs N]
 *     [--daemon-flags=WORDS] [--output FILE]
 *
 * Sources are compiled in three passes: a few that start everything, then `count` others whose headers
 * are known by then, then the same again.
 */
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { LaunchLoop, type BareCost, type LoopCost } from './launch-loop.js';
import { cpuOfTree, median, sum } from './measure.js';
import { startServers } from './servers.js';
import { table } from './table.js';

const WARM_UP = 32;
const HOSTS = Array.from({ length: 8 }, (_, n) => `127.0.0.${n + 1}`);
const SLOTS = 4;

const { values: given } = parseArgs({
  options: {
    count: { type: 'string', default: '1000' },
    'at-once': { type: 'string', default: '16' },
    headers: { type: 'string', default: '20' },
    runs: { type: 'string', default: '5' },
    'daemon-flags': { type: 'string' },
    output: { type: 'string' },
  },
});
const count = Number(given.count);
const atOnce = Number(given['at-once']);
const headers = Number(given.headers);
const flags = given['daemon-flags'];
const node = flags === undefined ? undefined : { flags: flags.split(' '), probe: false };

type Pass =
  | 'stand-in, new sources'
  | 'stand-in, again'
  | 'eight servers, new sources'
  | 'eight servers, again';

/** Compiles a second that are wanted. */
const GOALS: { readonly [pass in Pass]?: number } = {
  'stand-in, again': 250,
  'eight servers, again': 70,
};

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function oneRun(
  add: (pass: Pass, cost: LoopCost) => void,
  addBare: (cost: BareCost) => void,
): Promise<void> {
  for (const kind of ['stand-in', 'eight servers'] as const) {
    const loop = new LaunchLoop({ sources: WARM_UP + count, headers }, node);
    let stop = async () => {};
    try {
      let servers;
      if (kind === 'stand-in') {
        servers = await loop.standIn(HOSTS, SLOTS, 0);
      } else {
        const real = await startServers(HOSTS, `${loop.directory}/stores`);
        stop = () => real.stop();
        const pids = real.processes.map(({ pid = 0 }) => pid);
        servers = { hosts: real.hosts, cpu: () => sum(pids.map(cpuOfTree)) };
      }
      loop.measure(servers, 0, WARM_UP, atOnce);
      add(`${kind}, new sources`, loop.measure(servers, WARM_UP, count, atOnce));
      add(`${kind}, again`, loop.measure(servers, WARM_UP, count, atOnce));
      if (kind === 'eight servers') addBare(loop.measureBare(WARM_UP, count, atOnce));
    } finally {
      loop.end();
      await stop();
    }
  }
}

function report(passes: ReadonlyMap<Pass, readonly LoopCost[]>, bare: readonly BareCost[]): string {
  const alone = median(bare.map(({ perSecond }) => perSecond));
  const compiler = median(bare.map((cost) => cost.compiler));
  const farm = median((passes.get('eight servers, again') ?? []).map((cost) => cost.perSecond));
  const rows = [...passes].map(([pass, costs]) => {
    const of = (figure: (cost: LoopCost) => number) => median(costs.map(figure));
    const perSecond = of((cost) => cost.perSecond);
    const goal = GOALS[pass];
    return {
      pass,
      'compiles/s': perSecond.toFixed(0),
      goal: goal === undefined ? '' : `≥ ${goal}`,
      met: goal === undefined ? '' : perSecond >= goal ? 'yes' : 'no',
      launcher: of((cost) => cost.launcher).toFixed(2),
      daemon: of((cost) => cost.daemon).toFixed(2),
      servers: of((cost) => cost.server).toFixed(2),
      loop: of((cost) => cost.loop).toFixed(2),
      'daemon’s limit': (1000 / of((cost) => cost.daemon)).toFixed(0),
      'client’s limit': (
        (1000 * cpus().length) /
        of((cost) => cost.daemon + cost.launcher)
      ).toFixed(0),
      'daemon MiB': of((cost) => cost.daemonMemory).toFixed(0),
    };
  });
  return `# Launches per second

Made by \`npm run bench:launches\`: medians of ${given.runs} run(s), each ${count} compiles of a small source with
${headers} headers, ${atOnce} launchers at a time, started by a loop in C.${flags === undefined ? '' : ` The daemon with ${flags}.`}
Load of the machine at the end, all else that it did included: ${loadavg()[0]?.toFixed(1)} on ${cpus().length} cores.

${table(rows)}

gcc alone, as many at a time: ${alone.toFixed(0)} compiles/s of ${compiler.toFixed(1)} ms each. That is the most that this machine
could compile if launcher, daemon and eight servers cost nothing; with them it does ${((100 * farm) / alone).toFixed(0)} % of it.

launcher, daemon, servers, loop: milliseconds of processor time per compile. *stand-in*: one server in C
that compiles nothing and answers at once, at eight addresses; all that is measured besides it is launcher,
daemon and the loop. *eight servers*: real ones, which compile on this machine. *new sources*: compiled for the first time,
with headers that are known. *daemon's limit*: compiles per second at which the daemon's one thread would
be busy all the time. *client's limit*: the same of launcher and daemon on all cores of this machine.
`;
}

const passes = new Map<Pass, LoopCost[]>();
const bare: BareCost[] = [];
for (let run = 1; run <= Number(given.runs); run++) {
  await oneRun(
    (pass, cost) => {
      passes.set(pass, [...(passes.get(pass) ?? []), cost]);
      say(
        `run ${run}, ${pass}: ${cost.perSecond.toFixed(0)} compiles/s; ms each: launcher ` +
          `${cost.launcher.toFixed(2)}, daemon ${cost.daemon.toFixed(2)}, servers ${cost.server.toFixed(2)}`,
      );
    },
    (cost) => {
      bare.push(cost);
      say(`run ${run}, gcc alone: ${cost.perSecond.toFixed(0)} compiles/s`);
    },
  );
}
const text = report(passes, bare);
say(`\n${text}`);
if (given.output !== undefined) {
  writeFileSync(
    `${given.output}.json`,
    `${JSON.stringify({ ...Object.fromEntries(passes), 'gcc alone': bare }, null, 2)}\n`,
  );
  writeFileSync(`${given.output}.md`, text);
}
