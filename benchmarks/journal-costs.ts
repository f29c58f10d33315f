/**
 * What journal and live page cost in processor time: some tenths of a millisecond per compile, which a
 * build of real compilers on two cores cannot tell from its own noise. So small compiles go round by
 * launch-loop.ts, with nothing around them that computes, in threes that differ only in this.
 */
import { execFileSync, spawn } from 'node:child_process';
import { LaunchLoop, type LoopCost } from './launch-loop.js';
import { median } from './measure.js';

export const WAYS = ['no journal', 'journal', 'journal and page'] as const;
export type Way = (typeof WAYS)[number];

/** As many as a source of Linux includes. */
const HEADERS = 350;
const COMPILES = 500;
const AT_ONCE = 16;
const HOSTS = Array.from({ length: 8 }, (_, n) => `127.0.0.${n + 1}`);
const SLOTS = 4;

/** Milliseconds of launcher and daemon per compile. */
export interface JournalCosts {
  /** Per compile without a journal, the median. */
  readonly without: number;
  /** What each round took more than without. */
  readonly more: { readonly [way in Exclude<Way, 'no journal'>]: readonly number[] };
}

/**
 * A page that somebody looks at, in a process of its own, until what is returned is called.
 *
 * @param env of a daemon's user
 */
export function watchPage(tscc: string, env: NodeJS.ProcessEnv): () => void {
  const url = execFileSync(tscc, ['status', '--web'], { env, encoding: 'utf8' }).trim();
  const program = 'for await (const _ of (await fetch(process.argv[1])).body);';
  const reader = spawn(process.execPath, ['--input-type=module', '-e', program, `${url}events`], {
    stdio: 'ignore',
  });
  return () => void reader.kill();
}

/** @param say is told of each round */
export async function journalCosts(
  tscc: string,
  rounds: number,
  say: (text: string) => void,
): Promise<JournalCosts> {
  const loop = new LaunchLoop({ sources: COMPILES, headers: HEADERS });
  try {
    const servers = await loop.standIn(HOSTS, SLOTS, 0);
    const one = (way: Way): number => {
      const stop = way === 'journal and page' ? watchPage(tscc, loop.environment) : () => {};
      try {
        const own = { TSCC_JOURNAL: way === 'no journal' ? '0' : '1' };
        return cpuOf(loop.measure(servers, 0, COMPILES, AT_ONCE, own));
      } finally {
        stop();
      }
    };
    // The daemon learns the tree, and V8 what to compile, for each way.
    for (const way of WAYS) one(way);
    const without: number[] = [];
    const more: { readonly [way in Exclude<Way, 'no journal'>]: number[] } = {
      journal: [],
      'journal and page': [],
    };
    for (let round = 1; round <= rounds; round++) {
      const [none, journal, page] = [one('no journal'), one('journal'), one('journal and page')];
      without.push(none);
      more.journal.push(journal - none);
      more['journal and page'].push(page - none);
      const [alone, kept, seen] = [none, journal, page].map((cpu) => cpu.toFixed(2));
      say(`round ${round}: ${alone} ms, with journal ${kept}, with page ${seen}`);
    }
    return { without: median(without), more };
  } finally {
    loop.end();
  }
}

function cpuOf({ launcher, daemon }: LoopCost): number {
  return launcher + daemon;
}
