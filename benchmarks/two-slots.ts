/**
 * `npm run bench:two-slots -- DIR`: what tscc costs where it cannot gain: a build of Linux's tinyconfig
 * with two compilers at a time on this machine, bare, through distcc and through tscc, whose one server
 * has two slots here. DIR keeps the sources, as for `npm run bench:projects`, which fetches them.
 *
 *   node build/benchmarks/two-slots.js DIR [--runs N] [--targets WORDS] [--output FILE]
 *
 * WORDS are make's, to build less than everything: `lib/ mm/`. Ways take turns; one build of tscc's is
 * not counted, in which daemon and server meet the headers.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { SessionStatus } from '../src/report/statistics.js';
import { startDistccd } from './distccd.js';
import { KernelTree } from './kernel-tree.js';
import { median } from './measure.js';
import { ownState } from './own-state.js';
import { startServers } from './servers.js';
import { counts, table } from './table.js';

const tscc = fileURLToPath(new URL('../../bin/tscc', import.meta.url));
const SLOTS = 2;
/** More jobs than slots, so that a slot finds its next compile ready; bare make has as many as slots. */
const JOBS = SLOTS + 2;
/** At most so much longer than bare. */
const GOAL = 0.08;

const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '3' },
    targets: { type: 'string', default: '' },
    output: { type: 'string' },
  },
});

type Way = 'bare make -j2' | 'distcc plain' | 'tscc pump';
type Seconds = ReadonlyMap<Way, readonly number[]>;

const scratch = mkdtempSync(`${tmpdir()}/tscc-two-slots-`);
const base: NodeJS.ProcessEnv = {
  ...process.env,
  ...ownState(scratch),
  TSCC_MODE: 'pump',
  DISTCC_DIR: `${scratch}/distcc`,
  // A compile that came back would be no distributed one.
  DISTCC_FALLBACK: '0',
};

function outcomesOf(session: string, env: NodeJS.ProcessEnv): SessionStatus['outcomes'] {
  const words = ['status', '--json', '--session', session];
  const status = JSON.parse(execFileSync(tscc, words, { env, encoding: 'utf8' })) as SessionStatus;
  return status.outcomes;
}

async function measure(tree: KernelTree): Promise<{ seconds: Seconds; outcomes: string }> {
  mkdirSync(`${scratch}/distcc`);
  const seconds = new Map<Way, number[]>();
  const servers = await startServers(['127.0.0.1'], `${scratch}/stores`, ['--jobs', String(SLOTS)]);
  const distccd = await startDistccd(['127.0.0.1'], SLOTS);
  const env = { ...base, TSCC_HOSTS: servers.hosts, DISTCC_HOSTS: distccd?.hosts };
  let outcomes = '';
  const build = (jobs: number, launcher: string, session = '') => {
    const named = { ...env, TSCC_SESSION: session };
    const { wall } = tree.build(launcher, jobs, given.targets, named);
    tree.clean(base);
    return wall;
  };
  const throughTscc = (session: string) => {
    const took = build(JOBS, tscc, session);
    const of = outcomesOf(session, env);
    if (of.plain + of.cache + of.local > 0) throw new Error(`not all were pumped: ${counts(of)}`);
    outcomes = counts(of);
    return took;
  };
  const ways: readonly (readonly [Way, (run: number) => number])[] = [
    ['bare make -j2', () => build(SLOTS, '')],
    ...(distccd === undefined ? [] : [['distcc plain', () => build(JOBS, 'distcc')] as const]),
    ['tscc pump', (run) => throughTscc(`run-${run}`)],
  ];
  try {
    throughTscc('uncounted');
    for (let run = 1; run <= Number(given.runs); run++) {
      // Now the one first, now the other: the machine gets slower and faster by what else it does.
      for (const [way, once] of run % 2 === 0 ? ways.toReversed() : ways) {
        const took = once(run);
        process.stdout.write(`run ${run}, ${way}: ${took.toFixed(1)} s\n`);
        seconds.set(way, [...(seconds.get(way) ?? []), took]);
      }
    }
  } finally {
    execFileSync(tscc, ['stop'], { env, stdio: 'ignore' });
    distccd?.stop();
    await servers.stop();
  }
  return { seconds, outcomes };
}

function report(seconds: Seconds, outcomes: string): string {
  const bare = median(seconds.get('bare make -j2') ?? []);
  const rows = [...seconds].map(([way, walls]) => {
    const more = median(walls) / bare - 1;
    return {
      way,
      'median s': median(walls).toFixed(1),
      fastest: Math.min(...walls).toFixed(1),
      slowest: Math.max(...walls).toFixed(1),
      'over bare': `${(100 * more).toFixed(1)} %`,
      goal: way === 'tscc pump' ? `≤ ${100 * GOAL} %` : '',
      met: way !== 'tscc pump' ? '' : more <= GOAL ? 'yes' : 'no',
    };
  });
  return `# A kernel with two slots on one machine

Made by \`npm run bench:two-slots -- DIR\`: Linux 6.1, tinyconfig${given.targets === '' ? '' : `, ${given.targets}`}; ${given.runs} run(s) of each way in turn.
Load of the machine at the end, all else that it did included: ${loadavg()[0]?.toFixed(1)} on ${cpus().length} cores.

${table(rows)}

One server with ${SLOTS} slots on this machine; make has -j${SLOTS} where it is bare and -j${JOBS} where it distributes. In a
last build of tscc's: ${outcomes}.
`;
}

try {
  const [directory] = positionals;
  if (directory === undefined) {
    process.stdout.write('usage: npm run bench:two-slots -- DIR [--runs N] [--targets WORDS]\n');
    process.exitCode = 2;
  } else {
    const tree = new KernelTree(resolve(directory), 'kernel', scratch);
    tree.renew(base);
    const { seconds, outcomes } = await measure(tree);
    const text = report(seconds, outcomes);
    process.stdout.write(`\n${text}`);
    if (given.output !== undefined) {
      const json = JSON.stringify({ seconds: Object.fromEntries(seconds), outcomes }, null, 2);
      writeFileSync(`${given.output}.json`, `${json}\n`);
      writeFileSync(`${given.output}.md`, text);
    }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
