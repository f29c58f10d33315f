/** One compile or a few while something goes wrong, and what is to be said of it. */
import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { clearTimeout, setTimeout as setTimer } from 'node:timers';
import { setTimeout } from 'node:timers/promises';
import type { JournalLine } from '../../src/report/events.js';
import { parseJournal } from '../../src/report/journal.js';
import { addEvent, emptyStatus } from '../../src/report/statistics.js';
import { summarize } from '../../src/report/summary.js';
import { finish, type Finished } from '../fixtures/build-host.js';
import { SeededRandom } from '../fixtures/seeded-random.js';
import { FAULT_CLASSES, faultClass, type Ending, type FaultName } from './fault-classes.js';
import type { Expected, FaultScene, FaultServer } from './fault-scene.js';
import { FaultStage, type FaultPlan, type Layout } from './fault-stage.js';
import { INJECTIONS, NEEDS } from './injections.js';
import { SOURCES, type Mode } from './sources.js';

/** Besides the bound: what a machine with other work may need to notice that it is time. */
const MACHINE = 1_000;
/** Percent of ten seconds in which some process waited for a processor: then times are the machine's. */
const BUSY = 80;
/** After this a launcher is killed, and counts as hanging. */
const PATIENCE = 180_000;
/** From the end of a compile that nobody wants any more to that of its processes. */
const CANCEL = 1_000;

/** Until a daemon has heard that a launcher is gone, and written it down. */
const JOURNAL = 2_000;

export interface FaultReport {
  readonly plan: FaultPlan;
  /** Where it happened; undefined: it did not, as nothing came to that moment. */
  readonly struck: string | undefined;
  /** Of each compile. */
  readonly endings: readonly Ending[];
  /** Milliseconds from the fault to the end, less those of a local compile; the longest. */
  readonly excess: number;
  /** Milliseconds from the fault until a server was given a job, where one was and it was seen. */
  readonly elsewhere: number | undefined;
  /** Milliseconds from an interrupt to the end of the last compiler on a server. */
  readonly death: number | undefined;
  /** Servers that failed a compile which another one then did. */
  readonly recovered: number;
  /** Whether the machine had the time for its times to tell something. */
  readonly isTimed: boolean;
  /** What the journal tells of hosts and reasons. */
  readonly details: readonly string[];
  /** What must not be. */
  readonly wrong: readonly string[];
}

/** Everything about a run follows from its seed, but for what the machine does meanwhile. */
export function planOf(seed: number, names?: readonly FaultName[]): FaultPlan {
  const isKeyed = seed % 2 === 1;
  const random = new SeededRandom(seed * 7919);
  const all = names ?? FAULT_CLASSES.map(({ name }) => name);
  const fault = random.pick(all.filter((name) => !isKeyed || NEEDS[name]?.isReadable !== true));
  const needs = NEEDS[fault];
  const mode: Mode = needs?.mode ?? (random.next() < 0.7 ? 'pump' : 'plain');
  const layout: Layout = random.pick(needs?.layouts ?? (['one', 'two', 'two', 'both'] as const));
  const count = needs?.compiles?.(random) ?? random.pick([1, 1, 2, 3]);
  const from = needs?.sources ?? Object.keys(SOURCES);
  const sources = Array.from({ length: count }, () => random.pick(from));
  return {
    seed,
    fault,
    mode,
    layout,
    isKeyed,
    isWarm: random.next() < 0.5,
    // Each leaves its own files.
    sources: [...new Set(sources)],
  };
}

interface Ran {
  readonly name: string;
  readonly finished: Finished;
  readonly end: number;
  readonly isHung: boolean;
}

/** Of this process, so that no two have one session. */
let runs = 0;

export async function runFault(scene: FaultScene, plan: FaultPlan): Promise<FaultReport> {
  const random = new SeededRandom(plan.seed * 104_729 + 1);
  const fault = faultClass(plan.fault as FaultName);
  const wasQuiet = isQuiet();
  await scene.heal();
  scene.clearOutputs();
  const servers = chooseServers(scene, plan);
  const proxies = await scene.proxies(servers);
  const stage = new FaultStage(scene, plan, random, servers, proxies);
  const session = `run-${plan.seed}-${plan.fault}-${plan.layout}-${runs++}`;
  const wrong: string[] = [];
  try {
    if (plan.isWarm) {
      const warm = await finish(
        scene.spawn('small', plan.mode, { TSCC_SESSION: `${session}-warm` }),
      );
      if (warm.status !== 0) wrong.push(`before the fault: ${warm.stderr}`);
      scene.clearOutputs();
    }
    await INJECTIONS[plan.fault as FaultName](stage);
    const expected = new Map<string, Expected>();
    for (const name of plan.sources) expected.set(name, await scene.expected(name, plan.mode));
    const began = performance.now();
    if (stage.struckAt !== undefined) stage.strike(stage.struckWhere);
    const children = plan.sources.map((name) => {
      const child = scene.spawn(name, plan.mode, { TSCC_SESSION: session });
      return { name, child };
    });
    stage.launchers = children.flatMap(({ child: { pid } }) => (pid === undefined ? [] : [pid]));
    const ran = await Promise.all(children.map(({ name, child }) => follow(name, child)));
    stage.isOver = true;
    const death = await afterlife(scene, plan, stage, wrong);
    await stage.mend();
    const lines = await journalOf(scene, session, ran.length);
    const endings = judgeAll(scene, stage, ran, expected, lines, wrong);
    const excess = Math.max(
      ...ran.map(({ name, end }) => {
        const since = Math.max(stage.struckAt ?? began, began);
        return end - since - (expected.get(name)?.wall ?? 0);
      }),
    );
    const late = [];
    if (stage.struckAt !== undefined && excess > fault.bound + MACHINE) {
      late.push(`${Math.round(excess)} ms more than a local compile; ${fault.bound} are the bound`);
    }
    if (death !== undefined && death > CANCEL + MACHINE) {
      late.push(`a compiler was dead after ${Math.round(death)} ms`);
    }
    const isTimed = wasQuiet && isQuiet();
    if (isTimed) wrong.push(...late);
    const recovered = judgeRecovery(lines, endings, wrong);
    return {
      plan,
      struck: stage.struckAt === undefined ? undefined : stage.struckWhere,
      endings,
      excess,
      elsewhere: between(stage.struckAt, stage.recoveredAt),
      death,
      recovered,
      isTimed,
      details: lines.flatMap((line) => ('detail' in line ? [line.detail ?? ''] : [])),
      wrong,
    };
  } finally {
    await stage.mend();
    await stage.close();
    for (const proxy of proxies) proxy.close();
  }
}

/** Whether processes hardly waited for a processor lately; where the kernel does not tell, they did not. */
function isQuiet(): boolean {
  const path = '/proc/pressure/cpu';
  if (!existsSync(path)) return true;
  return Number(/some avg10=([\d.]+)/.exec(readFileSync(path, 'latin1'))?.[1]) < BUSY;
}

function between(from: number | undefined, to: number | undefined): number | undefined {
  return from === undefined || to === undefined ? undefined : to - from;
}

function chooseServers(scene: FaultScene, { fault, layout }: FaultPlan): readonly FaultServer[] {
  const small = scene.servers.filter(({ isOnSmallDisk }) => isOnSmallDisk);
  const usual = scene.servers.filter(({ isOnSmallDisk }) => !isOnSmallDisk);
  const all = NEEDS[fault as FaultName]?.smallDisk === true ? [...small, ...usual] : usual;
  return all.slice(0, layout === 'one' ? 1 : 2);
}

async function follow(name: string, child: ChildProcess): Promise<Ran> {
  let isHung = false;
  const patience = setTimer(() => {
    isHung = true;
    child.kill('SIGKILL');
  }, PATIENCE);
  const finished = await finish(child);
  const end = performance.now();
  clearTimeout(patience);
  return { name, finished, end, isHung };
}

/** Nothing that a compile started outlives it for long. */
async function afterlife(
  scene: FaultScene,
  plan: FaultPlan,
  stage: FaultStage,
  wrong: string[],
): Promise<number | undefined> {
  // Those of a server that does nothing, and of somebody else, are no concern of this build's.
  if (['server-stopped', 'all-full', 'slow-server'].includes(plan.fault)) return undefined;
  const end = performance.now() + 10 * CANCEL;
  while (scene.compilers().length > 0 && performance.now() < end) await setTimeout(20);
  const late = performance.now() - (stage.struckAt ?? performance.now());
  if (scene.compilers().length > 0) wrong.push('a compiler goes on');
  if (plan.fault !== 'interrupted' && plan.fault !== 'launcher-killed') return undefined;
  if (stage.struckAt === undefined) return undefined;
  return late;
}

/** With a line for each of so many compiles, unless a daemon that was killed wrote none. */
async function journalOf(
  scene: FaultScene,
  session: string,
  compiles: number,
): Promise<JournalLine[]> {
  const path = `${scene.state}/journal/${session}.jsonl`;
  const end = performance.now() + JOURNAL;
  for (;;) {
    await scene.flush(session);
    const lines = existsSync(path) ? [...parseJournal(readFileSync(path, 'utf8'))] : [];
    const ends = lines.filter(({ event }) => ENDS.has(event));
    if (ends.length >= compiles || performance.now() > end) return lines;
    await setTimeout(50);
  }
}

const ENDS: ReadonlySet<string> = new Set(['compile', 'local', 'cancelled', 'failed']);

/** How each ended, as its journal tells; what is not as it would be without tscc goes to `wrong`. */
function judgeAll(
  scene: FaultScene,
  stage: FaultStage,
  ran: readonly Ran[],
  expected: ReadonlyMap<string, Expected>,
  lines: readonly JournalLine[],
  wrong: string[],
): Ending[] {
  const { plan } = stage;
  const fault = faultClass(plan.fault as FaultName);
  const allowed = plan.layout === 'two' ? fault.elsewhere : fault.alone;
  const files = scene.outputs();
  for (const file of files) {
    const name = file.replace(/\.[od]$/, '');
    if (!expected.has(name)) wrong.push(`${file} is left`);
  }
  wrong.push(...scene.host.leftovers().map((path) => `${path} is left`));
  return ran.map(({ name, finished, isHung }) => {
    const local = expected.get(name);
    if (local === undefined) throw new Error(`Internal error: ${name} was not compiled here`);
    const ending = endingOf(name, lines);
    const isKilled = typeof finished.status === 'string';
    if (isHung) wrong.push(`${name}: hangs`);
    const isMeant = allowed.includes(ending) || ending === SOURCES[name]?.natural[plan.mode];
    const isExpected = stage.struckAt === undefined || isMeant;
    if (!isExpected) wrong.push(`${name}: ended as ${ending}`);
    if (isKilled && !allowed.includes('killed')) wrong.push(`${name}: ${finished.status}`);
    if (!isKilled) {
      if (finished.status !== local.status) wrong.push(`${name}: status ${finished.status}`);
      if (words(finished) !== words(local)) wrong.push(`${name}: other words: ${words(finished)}`);
    }
    for (const [suffix, whole] of [
      ['.o', local.object],
      ['.d', local.dependencies],
    ] as const) {
      const made = scene.read(name + suffix);
      // Who is killed has put it in place, or not; what is there must be whole.
      if (made === undefined ? isKilled || whole === undefined : whole?.equals(made)) continue;
      const is = made === undefined ? 'is missing' : `is another, of ${made.length} bytes`;
      wrong.push(`${name}${suffix} ${is}`);
    }
    return ending;
  });
}

/**
 * What the compiler said. GCC names its temporary files, and no two of them are called the same; that there
 * is no server at all tscc says in a line of its own.
 */
function words({ stdout, stderr }: Finished): string {
  return `${stdout}${stderr}`
    .replaceAll(/\/cc\w{6}\./g, '/ccXXXXXX.')
    .replaceAll(/^tscc: no-(?:server|toolchain): .*\n/gm, '');
}

function endingOf(name: string, lines: readonly JournalLine[]): Ending {
  for (const line of lines) {
    if (!('argv' in line) || !line.argv.some((word) => word.endsWith(`/${name}.c`))) continue;
    if (line.event === 'compile') return 'remote';
    if (line.event === 'cancelled') return 'killed';
    if (line.event === 'local') {
      return 'fallback' in line ? line.fallback : (line.decline as Ending);
    }
  }
  return 'unrecorded';
}

/**
 * What went wrong has a name in the summary and in the journal. Returns how many servers failed a compile
 * that another one then did.
 */
function judgeRecovery(
  lines: readonly JournalLine[],
  endings: readonly Ending[],
  wrong: string[],
): number {
  const summary = summarize(lines.reduce(addEvent, emptyStatus('')), undefined).join('\n');
  for (const ending of endings) {
    if (['remote', 'killed', 'unrecorded'].includes(ending)) continue;
    if (!summary.includes(ending)) wrong.push(`the summary does not name ${ending}`);
  }
  if (lines.some((line) => 'askedAgain' in line) && !summary.includes('daemon-lost')) {
    wrong.push('the summary does not tell of a daemon that was lost');
  }
  let recovered = 0;
  for (const line of lines) {
    if (line.event !== 'compile') continue;
    recovered += line.retries;
    const named = line.failures?.length ?? 0;
    if (line.retries !== named) wrong.push(`the journal names ${named} of ${line.retries} retries`);
  }
  if (recovered > 0 && !summary.includes('recovered: ')) {
    wrong.push('the summary does not tell of servers that failed');
  }
  return recovered;
}
