/**
 * `npm run bench:growth`: how the cost of a compile on the build host grows with the files of its
 * closure, with the hosts, and with make's -j; each with launcher and daemon alone (launch-loop.ts).
 *
 *   node build/benchmarks/growth.js [--count N] [--parts closure,hosts,jobs] [--output FILE]
 *
 * A part that is not measured now stays in the report as it was.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { LaunchLoop, type LoopCost } from './launch-loop.js';
import { table } from './table.js';

const WARM_UP = 64;

/** One point of a curve. */
interface Point {
  readonly headers: number;
  readonly hosts: number;
  readonly atOnce: number;
}

interface Measured {
  readonly point: Point;
  /** The first compiles of a daemon that starts with them. */
  readonly first: LoopCost;
  /** Sources that are new, and their headers are not. */
  readonly fresh: LoopCost;
  /** The same sources once more. */
  readonly again: LoopCost;
}

const USUAL: Point = { headers: 100, hosts: 8, atOnce: 16 };

const PARTS = {
  closure: [10, 30, 100, 300, 1000, 3000].map((headers) => ({ ...USUAL, headers })),
  hosts: [1, 2, 4, 8, 16, 32, 64].map((hosts) => ({ ...USUAL, hosts })),
  jobs: [1, 2, 4, 8, 16, 32, 64, 128, 300, 600].map((atOnce) => ({ ...USUAL, hosts: 64, atOnce })),
} as const;
type Part = keyof typeof PARTS;
const TITLES: { readonly [part in Part]: string } = {
  closure: 'Headers of each source',
  hosts: 'Hosts',
  jobs: 'Launchers at a time, as under make -jN',
};
const VALUE: { readonly [part in Part]: (point: Point) => number } = {
  closure: ({ headers }) => headers,
  hosts: ({ hosts }) => hosts,
  jobs: ({ atOnce }) => atOnce,
};

const { values: given } = parseArgs({
  options: {
    count: { type: 'string', default: '600' },
    parts: { type: 'string', default: Object.keys(PARTS).join(',') },
    output: { type: 'string' },
  },
});
const count = Number(given.count);

type Report = { [part in Part]?: { readonly load: number; readonly points: readonly Measured[] } };

async function measure(point: Point): Promise<Measured> {
  const { headers, hosts, atOnce } = point;
  const loop = new LaunchLoop({ sources: WARM_UP + count, headers });
  try {
    const addresses = Array.from({ length: hosts }, (_, n) => `127.0.0.${n + 1}`);
    const servers = await loop.standIn(addresses, 16, 0);
    return {
      point,
      first: loop.measure(servers, 0, WARM_UP, atOnce),
      fresh: loop.measure(servers, WARM_UP, count, atOnce),
      again: loop.measure(servers, WARM_UP, count, atOnce),
    };
  } finally {
    loop.end();
  }
}

function sectionOf(part: Part, { load, points }: NonNullable<Report[Part]>): string {
  const rows = points.map(({ point, first, fresh, again }) => ({
    [TITLES[part]]: String(VALUE[part](point)),
    'daemon, first': first.daemon.toFixed(2),
    'daemon, new': fresh.daemon.toFixed(2),
    'daemon, again': again.daemon.toFixed(2),
    launcher: again.launcher.toFixed(2),
    'compiles/s, new': fresh.perSecond.toFixed(0),
    'compiles/s, again': again.perSecond.toFixed(0),
    'daemon’s limit /s': (1000 / again.daemon).toFixed(0),
    'daemon MiB': again.daemonMemory.toFixed(0),
  }));
  const { headers, hosts, atOnce } = points[0]?.point ?? USUAL;
  const constant = [
    ...(part === 'closure' ? [] : [`${headers} headers`]),
    ...(part === 'hosts' ? [] : [`${hosts} hosts`]),
    ...(part === 'jobs' ? [] : [`${atOnce} launchers at a time`]),
  ];
  return `## ${TITLES[part]}

${constant.join(', ')}. Load of the machine at the end ${load.toFixed(1)}.

${table(rows)}
`;
}

function reportOf(report: Report): string {
  const sections = (Object.keys(PARTS) as Part[]).flatMap((part) => {
    const measured = report[part];
    return measured === undefined ? [] : [sectionOf(part, measured)];
  });
  return `# Growth of what a compile costs the build host

Made by \`npm run bench:growth\` on ${cpus().length} cores: ${count} compiles for each figure, a server in C that answers at once.
daemon, launcher: milliseconds of processor time per compile. *first*: the first ${WARM_UP} compiles of a daemon that
starts with them. *new*: sources that are compiled for the first time, with headers that are known; *again*: the same
once more. *daemon's limit*: compiles a second at which its one thread would never be idle.

${sections.join('\n')}`;
}

/** The last report, for the parts that are not measured now. */
function lastReport(): Report {
  const path = `${given.output}.json`;
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Report) : {};
}

const report = lastReport();
for (const name of given.parts.split(',')) {
  const part = (Object.keys(PARTS) as Part[]).find((one) => one === name);
  if (part === undefined)
    throw new Error(`--parts: ${name} is none of ${Object.keys(PARTS).join(', ')}`);
  const points: Measured[] = [];
  for (const point of PARTS[part]) {
    const measured = await measure(point);
    points.push(measured);
    const { fresh, again } = measured;
    process.stdout.write(
      `${part} ${VALUE[part](point)}: daemon ${fresh.daemon.toFixed(2)} and ${again.daemon.toFixed(2)} ms, ` +
        `${fresh.perSecond.toFixed(0)} and ${again.perSecond.toFixed(0)} compiles/s\n`,
    );
  }
  report[part] = { load: loadavg()[0] ?? Number.NaN, points };
}
const text = reportOf(report);
process.stdout.write(`\n${text}`);
if (given.output !== undefined) {
  writeFileSync(`${given.output}.json`, `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(`${given.output}.md`, text);
}
