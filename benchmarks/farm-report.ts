/** What simulated farms did, as Markdown. */
import { availableParallelism, loadavg } from 'node:os';
import type { Recording } from './farm-recording.js';
import type { FarmResult, Row, Run } from './farm-run.js';
import { median } from './measure.js';
import { counts, table, type Cells } from './table.js';

/** What a farm's row says; undefined where it was not measured. */
export interface RowFigures {
  /** Median seconds. */
  readonly wall: number;
  /** Against the recorded times one after the other. */
  readonly speedUp: number;
  readonly efficiency: number;
}

export function figuresOf({ runs }: Row, { work, ideal }: FarmResult): RowFigures | undefined {
  if (runs.length === 0) return undefined;
  const wall = median(runs.map((run) => run.wall));
  return { wall, speedUp: work / wall, efficiency: ideal / wall };
}

export function farmReport(
  recording: Recording,
  farms: readonly FarmResult[],
  { runs, stretch }: { readonly runs: number; readonly stretch: number },
): string {
  return [
    '# Simulated farms',
    '',
    'A simulation: real clients, launchers, daemons and servers, all on one machine, around compilers',
    `that do not compute. Each sleeps ${stretch === 1 ? '' : `${stretch} times `}as long as the real compile computed and leaves its object.`,
    `Made by \`npm run bench:farm\`: medians of ${runs} run(s) in turn, after one of each that is not`,
    'counted, so that servers have headers and compilers. Every object is the recorded one.',
    `Load of the machine at the end, all else that it did included: ${loadavg()[0]?.toFixed(0)} on ${availableParallelism()} cores.`,
    '',
    `Recorded: \`${recording.build}\``,
    `Left out: ${counts(recording.leftOut)}.`,
    ...farms.flatMap(farmSection),
    '',
    'wall: seconds. speed-up: recorded times one after the other ÷ wall. efficiency: ideal ÷ wall. CPU: ms of',
    'processor time per compile; client is launcher, daemon and what they start, without make itself;',
    'servers with their compilers, of which the stand-in is itself. machine: seconds that all of',
    'the processor time takes on the cores there are, below which no wall time can be here. bytes: per',
    'compile on the wire, of distcc by its own log of files.',
    '',
  ].join('\n');
}

function farmSection(farm: FarmResult): string[] {
  const { hosts, slots, jobs, compiles, work, longest, replaying, make, cores, ideal, queue } =
    farm;
  const perCompile = (seconds: number) => ((seconds * 1000) / compiles).toFixed(1);
  const last = farm.rows.flatMap(({ name, runs }) => {
    const tscc = runs.at(-1)?.tscc;
    return tscc === undefined ? [] : [{ name, tscc }];
  });
  const demoted = farm.rows.find(({ name }) => name === 'distcc pump')?.runs.at(-1)?.demoted;
  return [
    '',
    `## ${hosts} hosts × ${slots} slots, make -j${jobs}`,
    '',
    `${compiles} compiles, ${work.toFixed(1)} s of work, the longest ${longest.toFixed(2)} s. Ideal ` +
      `${ideal.toFixed(2)} s: the most of`,
    `work ÷ slots ${(work / (hosts * slots)).toFixed(2)} s, the longest compile, and processor time of make and ` +
      'stand-ins alone',
    `÷ ${cores} cores ${(replaying / cores).toFixed(2)} s. Of that time a stand-in has ` +
      `${perCompile(replaying - make)} ms, make ${perCompile(make)} ms.`,
    `In make's order no queue could be faster than ${queue.toFixed(2)} s.`,
    '',
    table(farm.rows.map((row) => cellsOf(row, farm))),
    '',
    ...(demoted === undefined
      ? []
      : [
          `distcc pump: ${demoted} compiles that it preprocessed here after all, by its own log.\n`,
        ]),
    ...last.map(
      ({ name, tscc }) =>
        `${name}: outcomes ${counts(tscc.outcomes)}; reasons ${counts(tscc.reasons)}. ` +
        `Median ms: ${Object.entries(tscc.phases)
          .map(([phase, time]) => `${phase} ${time.toFixed(0)}`)
          .join(', ')}.\n`,
    ),
  ];
}

function cellsOf(row: Row, farm: FarmResult): Cells {
  const figures = figuresOf(row, farm);
  const of = (figure: (run: Run) => number | undefined, digits: number) => {
    const values = row.runs.flatMap((run) => figure(run) ?? []);
    return values.length === 0 ? '' : median(values).toFixed(digits);
  };
  const perCompile = (seconds: number) => (seconds * 1000) / farm.compiles;
  const bytes = (value: number | undefined) => value && value / farm.compiles;
  const isFarm = row.name !== 'serial';
  return {
    way: row.name,
    'wall s': figures?.wall.toFixed(2) ?? 'not measured',
    'speed-up': figures === undefined ? '' : `${figures.speedUp.toFixed(1)}×`,
    efficiency: figures === undefined || !isFarm ? '' : figures.efficiency.toFixed(2),
    'client CPU': isFarm ? of(({ client }) => perCompile(client - farm.make), 1) : '',
    'server CPU': isFarm ? of(({ servers }) => perCompile(servers), 1) : '',
    'machine s': of(({ client, servers }) => (client + servers) / farm.cores, 1),
    'bytes sent': of(({ sent }) => bytes(sent), 0),
    'bytes back': of(({ received }) => bytes(received), 0),
  };
}
