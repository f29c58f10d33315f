/** What to do about a build's time, from its figures. Each says what it would save, as far as known. */
import { duration, percentage as percent } from '../words.js';
import type { BuildReport } from './build-report.js';

export interface Recommendation {
  /** What to do. */
  readonly title: string;
  /** Why, with figures. */
  readonly why: string;
  /** Milliseconds of wall time that it may save; 0 where that is not known. */
  readonly gain: number;
}

export type Facts = Pick<
  BuildReport,
  | 'wall'
  | 'summary'
  | 'reasons'
  | 'hosts'
  | 'utilisation'
  | 'chain'
  | 'headers'
  | 'rebuilds'
  | 'whatIf'
>;

/** A share of the farm's time from which its cause is worth a word. */
const NOTABLE = 0.2;
/** Of the wall time: what saves less is not worth a word. */
const WORTHWHILE = 0.02;
/** Wall time per processor time from which a host's compilers must have shared processors. */
const CROWDED = 2;
/** A host whose compilers take so many times as long as usual, with enough compiles to say so. */
const SLOW = 1.5;
const ENOUGH = 5;
/** A header's share of all compiler time from which it is worth a word. */
const HEAVY_HEADER = 0.1;

type Rule = (facts: Facts) => readonly Recommendation[];

/** What saves most first. */
export function recommend(facts: Facts): Recommendation[] {
  return RULES.flatMap((rule) => rule(facts)).toSorted((a, b) => b.gain - a.gain);
}

const moreJobs: Rule = ({ utilisation, whatIf, hosts, wall }) => {
  const { slots, concurrency, shares } = utilisation;
  const { same, moreJobs } = whatIf;
  if (same === null || moreJobs === null || shares.nothing < NOTABLE) return [];
  const gain = same.wall - moreJobs.wall;
  if (gain < WORTHWHILE * wall || haveOneProcessor(hosts)) return [];
  return [
    {
      title: `Give make more jobs: make -j${moreJobs.jobs} (or -j"$(tscc -j)")`,
      why:
        `at most ${concurrency} commands were open at once, and the servers take ${slots}; ` +
        `${percent(shares.nothing)} of their time there was nothing to compile`,
      gain,
    },
  ];
};

const moreHosts: Rule = ({ utilisation, whatIf, hosts, wall: real }) => {
  const { full } = utilisation.shares;
  if (full < NOTABLE || whatIf.same === null || haveOneProcessor(hosts)) return [];
  const { wall } = whatIf.same;
  // While slots are free, the build waits for something that more of them do not give.
  const gainOf = (row: { readonly wall: number }) => Math.min(wall - row.wall, full * real);
  const better = whatIf.rows.find(
    (row) => row.hosts > hosts.length && gainOf(row) >= WORTHWHILE * real,
  );
  if (better === undefined) return [];
  return [
    {
      title: `Add servers: ${better.hosts} like these instead of ${whatIf.same.hosts}`,
      why:
        `${percent(full)} of the farm's time all slots were taken and compiles waited; a replay ` +
        `with ${better.slots} slots and make -j${better.jobs} takes ${duration(better.wall)} ` +
        `instead of ${duration(wall)}`,
      gain: gainOf(better),
    },
  ];
};

/** More compiles at once on the same processors would only take longer. */
const crowded: Rule = ({ hosts, whatIf, wall }) => {
  const { same, uncrowded } = whatIf;
  const crowding = crowdingOf(hosts);
  if (same === null || uncrowded === null || crowding <= CROWDED) return [];
  const gain = same.wall - uncrowded.wall;
  if (gain < WORTHWHILE * wall) return [];
  const share = `a compiler there got ${percent(1 / crowding)} of a processor on average`;
  return [
    haveOneProcessor(hosts)
      ? {
          title: 'Put the servers on other hosts: here they share the processors of the build host',
          why: `${share}; more servers or slots on this host would give nothing`,
          gain,
        }
      : {
          title: 'Relieve the servers: their compilers wait for a processor, or for a disk',
          why: `${share}; fewer slots than processors, and nothing else on these hosts, help`,
          gain,
        },
  ];
};

const busyClient: Rule = ({ utilisation, summary, wall }) => {
  const { client } = utilisation.shares;
  if (client < NOTABLE) return [];
  return [
    {
      title: 'Relieve this host: it feeds the servers too slowly',
      why:
        `${percent(client)} of the servers' time, slots were idle while compiles were being prepared ` +
        'here, or on the wire; plain mode costs most (see the reasons), other programs on this host count too',
      gain: Math.max(0, Math.min(client * wall, wall - summary.bound.wall)),
    },
  ];
};

const unchanged: Rule = ({ rebuilds: { same }, summary, wall }) => {
  const gain = Math.min(wall, same.work / Math.max(1, summary.speedUp));
  if (same.compiles === 0 || gain < WORTHWHILE * wall) return [];
  return [
    {
      title: `Do not compile again what has not changed: ${counted(same.compiles)}`,
      why:
        `nothing that they rest on is other than in an earlier session, and they took ` +
        `${duration(same.work)} of compiler time; keep the build directory, or put a compiler cache before tscc`,
      gain,
    },
  ];
};

const reasonsToLeave: Rule = ({ reasons, utilisation, wall }) =>
  reasons
    .filter(({ kind, name }) => kind !== 'decline' || name !== 'scheduled-local')
    .map(({ kind, name, count, cost, meaning, detail }) => ({
      title:
        kind === 'demotion'
          ? `${counted(count)} only in plain mode: ${name}`
          : `${counted(count)} stayed here: ${name}`,
      why: `${meaning}${detail === null ? '' : ` (${detail})`}; ${duration(cost)} of this host`,
      // They ran beside others, here; what they took from the wall is at most this.
      gain: Math.min(cost / Math.max(1, utilisation.concurrency), wall),
    }))
    .filter(({ gain }) => gain >= WORTHWHILE * wall);

const slowHosts: Rule = ({ hosts, summary }) =>
  hosts
    .filter(({ compiles, stretch }) => compiles >= ENOUGH && stretch >= SLOW)
    .map(({ name, stretch, compiles }) => ({
      title: `Look at ${name}: it is slower than the others`,
      why:
        `its compilers take ${stretch.toFixed(1)} times as long for the same processor time; ` +
        `${compiles} of ${summary.compiles} compiles went there. A lower weight= or fewer slots in the host list help`,
      gain: 0,
    }));

const lostHosts: Rule = ({ hosts }) =>
  hosts
    .filter(({ losses }) => losses > 0)
    .map(({ name, losses, lastLoss }) => ({
      title: `Look at ${name}: it was lost ${losses === 1 ? 'once' : `${losses} times`}`,
      why: lastLoss ?? 'the journal does not say why',
      gain: 0,
    }));

/** One command of the chain that took long while nothing else could go on. */
const longLink: Rule = ({ chain, wall, utilisation }) => {
  const longest = chain.toSorted((a, b) => b.end - b.start - (a.end - a.start))[0];
  if (longest === undefined || utilisation.shares.nothing < NOTABLE) return [];
  const took = longest.end - longest.start;
  if (took < NOTABLE * wall) return [];
  return [
    {
      title: `Start ${longest.name} earlier, or split it`,
      why:
        `it took ${duration(took)} of ${duration(wall)}, the end of the build waited for it, and ` +
        `${percent(utilisation.shares.nothing)} of the farm's time there was nothing else to compile`,
      gain: Math.min(took, utilisation.shares.nothing * wall),
    },
  ];
};

const heavyHeaders: Rule = ({ headers, summary, wall }) =>
  headers
    .filter(({ share, compiles }) => compiles > 1 && share >= HEAVY_HEADER * summary.work)
    .slice(0, 1)
    .map(({ path, compiles, share }) => ({
      title: `Lighten ${path}`,
      why:
        `${counted(compiles)} read it; by its bytes it has ${percent(share / summary.work)} of all ` +
        'compiler time. Forward declarations, or a precompiled header, save much of that',
      gain: Math.min(wall, summary.speedUp > 0 ? share / summary.speedUp / 2 : 0),
    }));

const RULES: readonly Rule[] = [
  moreJobs,
  moreHosts,
  crowded,
  busyClient,
  unchanged,
  reasonsToLeave,
  slowHosts,
  lostHosts,
  longLink,
  heavyHeaders,
];

function crowdingOf(hosts: Facts['hosts']): number {
  const cpu = hosts.reduce((sum, host) => sum + host.cpu, 0);
  const running = hosts.reduce((sum, host) => sum + host.running * host.compiles, 0);
  return cpu === 0 ? 1 : running / cpu;
}

/** Servers that run on the build host itself, and keep each other from its processors. */
function haveOneProcessor(hosts: Facts['hosts']): boolean {
  return hosts.length > 0 && hosts.every(({ isHere }) => isHere) && crowdingOf(hosts) > CROWDED;
}

function counted(compiles: number): string {
  return compiles === 1 ? '1 compile' : `${compiles} compiles`;
}
