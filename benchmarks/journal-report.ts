/** What `npm run bench:journal` has found, against its goals, for people. */
import { cpus } from 'node:os';
import { WAYS, type JournalCosts, type Way } from './journal-costs.js';
import { median } from './measure.js';
import { table } from './table.js';

const GOALS = { explained: 0.95, bytes: 1024, wall: 0.02, cpu: 0.5, whatIf: 0.1 } as const;

/** A compile's share of wall time that its phases tell. */
export interface Explained {
  readonly output: string;
  /** Milliseconds. */
  readonly wall: number;
  readonly phases: number;
}

/** One build. */
export interface Build {
  readonly compiles: number;
  /** Seconds. */
  readonly wall: number;
  /** Milliseconds of launchers and daemon per compile. */
  readonly cpu: number;
  /** Compressed bytes of the journal per compile; undefined without one. */
  readonly bytes: number | undefined;
  readonly explained: readonly Explained[];
}

export interface Halved {
  /** Seconds from the first request to the last end. */
  readonly full: number;
  readonly predicted: number;
  readonly real: number;
}

export interface Builds {
  readonly runs: number;
  /** Of make; empty: all. */
  readonly targets: string;
  readonly found: { readonly [way in Way]: readonly Build[] };
}

/** Parts that were never measured are left out. */
export interface Report {
  readonly costs?: JournalCosts;
  readonly builds?: Builds;
  readonly whatIf?: Halved & {
    readonly stretch: number;
    readonly hosts: number;
    readonly slots: number;
  };
}

export interface Verdict {
  readonly text: string;
  readonly isMet: boolean;
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const signed = (share: number) => `${share < 0 ? '' : '+'}${percent(share)}`;

export function verdictsOf({ costs, builds, whatIf }: Report): Verdict[] {
  return [
    ...(builds === undefined ? [] : ofBuilds(builds)),
    ...(costs === undefined ? [] : ofCosts(costs)),
    ...(whatIf === undefined ? [] : [ofWhatIf(whatIf)]),
  ];
}

function ofBuilds({ found }: Builds): Verdict[] {
  const of = (way: Way, figure: (build: Build) => number | undefined) =>
    median(found[way].flatMap((build) => figure(build) ?? []));
  const shares = found.journal
    .flatMap(({ explained }) => explained)
    .map(({ phases, wall, output }) => ({ share: phases / wall, output, wall, phases }))
    .toSorted((a, b) => a.share - b.share);
  const at = (quantile: number) => shares[Math.floor(quantile * (shares.length - 1))]?.share ?? 0;
  const [worst] = shares;
  const bytes = of('journal', (build) => build.bytes);
  return [
    {
      text:
        `Phases explain of each compile's wall time at least ${percent(at(0))}, in 99 of 100 ` +
        `${percent(at(0.01))}, in the median ${percent(at(0.5))} (goal: ${percent(GOALS.explained)} ` +
        `of each; ${shares.length} compiles). The worst is ${worst?.output}: ` +
        `${worst?.phases.toFixed(1)} of ${worst?.wall.toFixed(1)} ms.`,
      isMet: at(0) >= GOALS.explained,
    },
    {
      text: `The journal has ${bytes.toFixed(0)} bytes per compile, compressed (goal: ${GOALS.bytes}).`,
      isMet: bytes <= GOALS.bytes,
    },
    ...(['journal', 'journal and page'] as const).map((way) => {
      const wall = of(way, (build) => build.wall) / of('no journal', (build) => build.wall) - 1;
      return {
        text: `${way}: ${signed(wall)} of wall time (goal: ${percent(GOALS.wall)}).`,
        isMet: wall <= GOALS.wall,
      };
    }),
  ];
}

function ofCosts({ more, without }: JournalCosts): Verdict[] {
  return (['journal', 'journal and page'] as const).map((way) => {
    const sorted = more[way].toSorted((a, b) => a - b);
    const cpu = median(sorted);
    return {
      text:
        `${way}: ${cpu.toFixed(2)} ms of CPU here per small compile more than ${without.toFixed(2)} ms ` +
        `(goal: ${GOALS.cpu}; ${sorted.length} rounds, from ${sorted[0]?.toFixed(2)} to ` +
        `${sorted.at(-1)?.toFixed(2)}).`,
      isMet: cpu <= GOALS.cpu,
    };
  });
}

function ofWhatIf({ full, predicted, real, hosts, slots }: NonNullable<Report['whatIf']>): Verdict {
  const error = predicted / real - 1;
  return {
    text:
      `What-if: ${hosts}×${slots} took ${full.toFixed(1)} s; its replay says ` +
      `${predicted.toFixed(1)} s for ${hosts / 2}×${slots}, which took ` +
      `${real.toFixed(1)} s: ${signed(error)} (goal: within ${percent(GOALS.whatIf)}).`,
    isMet: Math.abs(error) <= GOALS.whatIf,
  };
}

export function textOf({ builds, whatIf }: Report, verdicts: readonly Verdict[]): string {
  const words = [
    ...(builds === undefined ? [] : [`--runs ${builds.runs}`]),
    ...(whatIf === undefined ? [] : [`--stretch ${whatIf.stretch}`]),
  ];
  const what = builds === undefined || builds.targets === '' ? '' : ` (${builds.targets})`;
  const rows = WAYS.map((way) => {
    const runs = builds?.found[way] ?? [];
    return {
      way,
      compiles: `${runs[0]?.compiles ?? 0}`,
      'wall s': median(runs.map(({ wall }) => wall)).toFixed(2),
      'client CPU, ms per compile': median(runs.map(({ cpu }) => cpu)).toFixed(2),
    };
  });
  return [
    '# The journal: what it tells, and what it costs',
    '',
    `Made by \`npm run bench:journal -- ${['DIR', ...words].join(' ')}\`: Linux 6.1, tinyconfig${what}, on`,
    'eight servers; medians. Client CPU is launchers and daemon.',
    '',
    ...(builds === undefined ? [] : [table(rows), '']),
    ...verdicts.map(({ text, isMet }) => `- ${isMet ? 'met' : '**missed**'}: ${text}`),
    '',
    "A compile's wall time ends when it has ended, and not when its parent has a processor again: what",
    'measures it has real-time priority, where it may (account.c).',
    '',
    'Client CPU of builds with eight servers and their compilers on the same cores differs by a millisecond',
    'from one run to the next, and more than journal and page cost. That is measured with small compiles of',
    '350 headers, which a stand-in in C answers (journal-costs.ts): a round is without a journal, with it, and',
    'with the page and a reader as well.',
    '',
    'The what-if is of a simulated farm, whose compilers sleep: on one machine real ones would share its',
    `processors. ${cpus().length} cores for all of it.`,
    '',
  ].join('\n');
}
