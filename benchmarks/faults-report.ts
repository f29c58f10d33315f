/** What the campaign of faults has shown so far, kept as JSON with a table in Markdown beside it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { FAULT_CLASSES, type FaultName } from '../tests/faults/fault-classes.js';
import type { FaultReport } from '../tests/faults/fault-run.js';
import { counts, table } from './table.js';

const RESULTS = fileURLToPath(new URL('../../benchmarks/results/faults', import.meta.url));

/** Of one class. Times in milliseconds. */
interface Row {
  runs: number;
  /** Runs in which it came to the fault. */
  struck: number;
  compiles: number;
  endings: Record<string, number>;
  /** Of struck runs while the machine was quiet, in the order in which they were done. */
  excess: number[];
  elsewhere: number[];
  death: number[];
  recovered: number;
}

interface Kept {
  /** Numbers of the runs to go on with. */
  next: [even: number, odd: number];
  rows: Partial<Record<FaultName, Row>>;
  /** One line for each thing that was not as it should be. */
  wrong: string[];
}

const newRow = (): Row => ({
  runs: 0,
  struck: 0,
  compiles: 0,
  endings: {},
  excess: [],
  elsewhere: [],
  death: [],
  recovered: 0,
});

export class FaultResults {
  readonly #kept: Kept;

  private constructor(kept: Kept) {
    this.#kept = kept;
  }

  /** Those of the campaign so far. */
  static read(): FaultResults {
    const path = `${RESULTS}.json`;
    const kept: Kept = existsSync(path)
      ? (JSON.parse(readFileSync(path, 'utf8')) as Kept)
      : { next: [2, 1], rows: {}, wrong: [] };
    return new FaultResults(kept);
  }

  /** The first number of that parity of which there is no run. */
  next(parity: 0 | 1): number {
    return this.#kept.next[parity];
  }

  add({ plan, struck, endings, excess, elsewhere, death, ...more }: FaultReport): void {
    const { rows, wrong } = this.#kept;
    const row = (rows[plan.fault as FaultName] ??= newRow());
    row.runs++;
    row.compiles += endings.length;
    row.recovered += more.recovered;
    for (const ending of endings) row.endings[ending] = (row.endings[ending] ?? 0) + 1;
    if (struck !== undefined) row.struck++;
    if (struck !== undefined && more.isTimed) {
      row.excess.push(Math.round(excess));
      if (elsewhere !== undefined) row.elsewhere.push(Math.round(elsewhere));
      if (death !== undefined) row.death.push(Math.round(death));
    }
    for (const text of more.wrong) {
      wrong.push(`run ${plan.seed}, ${plan.fault}, ${plan.mode}, ${plan.layout}: ${text}`);
    }
    this.#kept.next[plan.isKeyed ? 1 : 0] = plan.seed + 2;
  }

  /** Returns the report. */
  write(): string {
    writeFileSync(`${RESULTS}.json`, `${JSON.stringify(this.#kept, undefined, 1)}\n`);
    const text = this.#text();
    writeFileSync(`${RESULTS}.md`, text);
    return text;
  }

  #text(): string {
    const { rows, wrong } = this.#kept;
    const all = FAULT_CLASSES.flatMap(({ number, name }) => {
      const row = rows[name];
      return row === undefined ? [] : [{ number, name, row }];
    });
    const total = (of: (row: Row) => number) => all.reduce((sum, { row }) => sum + of(row), 0);
    return `# Faults in flight

Made by \`npm run test:faults -- --minutes N\`, which explains itself in benchmarks/faults.ts; what each class is, and what
becomes of a compile, is in [docs/faults.md](../../docs/faults.md). Each run is one compile or a few, and one
fault at a random moment; object, dependency file, words and exit status are compared with a local
compile, and journal, summary, leftover files and processes are looked at.

${total(({ runs }) => runs)} runs with ${total(({ compiles }) => compiles)} compiles; the fault struck in ${total(({ struck }) => struck)} of them. Not as it should be: ${wrong.length}.

Times are of the slowest run, in milliseconds, and only of the ${total(({ excess }) => excess.length)} runs during which the machine had
no more work than processors (/proc/pressure/cpu); only these are held to the bounds. *More than local* is from the fault to the end of the
last compile, less a local compile; *elsewhere*, from the fault until another server had the job; *dead*, from an interrupt to the end
of the last compiler on a server. *Servers failed* counts those that failed a compile which another one then did.

${table(
  all.map(({ number, name, row }) => ({
    '#': String(number),
    fault: name,
    runs: String(row.runs),
    struck: String(row.struck),
    endings: counts(row.endings),
    'servers failed': String(row.recovered),
    'more than local': slowest(row.excess),
    elsewhere: slowest(row.elsewhere),
    dead: slowest(row.death),
  })),
)}
${wrong.length === 0 ? '' : `\n## Not as it should be\n\n${wrong.map((line) => `- ${line}`).join('\n')}\n`}`;
  }
}

function slowest(times: readonly number[]): string {
  return times.length === 0 ? '–' : String(Math.max(...times));
}
