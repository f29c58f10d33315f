/** Rows of what a campaign of twins has shown, kept as JSON with a table in Markdown beside it. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { median, sum } from './measure.js';
import { counts, table, type Cells } from './table.js';
import type { Twin } from './twin-campaign.js';

const RESULTS = fileURLToPath(new URL('../../benchmarks/results', import.meta.url));
/** Of compiles that differ, as many are named. */
const NAMED = 5;

export interface TwinRow {
  /** Of which sources, where there may be others under the same title. */
  readonly of?: string;
  readonly compiles: number;
  /** Done by a server, the result of which was taken. */
  readonly pump: number;
  /** Of those, and of the others. */
  readonly identical: readonly [pump: number, others: number];
  readonly different: readonly string[];
  /** Of the identical ones: those that differ in a DWO ID or the order of messages, as local ones do. */
  readonly variesLocally: number;
  /** Compiles by what became of those that were not done in pump mode. */
  readonly others: Readonly<Record<string, number>>;
  /** Names of the files that were compared, by their ends, and how many. */
  readonly files: Readonly<Record<string, number>>;
  readonly withWords: number;
  readonly failing: number;
  /** Commands with more than one event in the journal. */
  readonly repeated: number;
  /** Milliseconds of a failing compile, here and through tscc. */
  readonly failingWall: readonly [local: number, remote: number];
}

export function rowOf(twins: readonly Twin[]): TwinRow {
  const [pump, others] = [
    twins.filter((t) => t.fate === 'pump'),
    twins.filter((t) => t.fate !== 'pump'),
  ];
  const same = (some: readonly Twin[]) =>
    some.filter(({ differing }) => differing.length === 0).length;
  const failing = twins.filter(({ status }) => status !== '0');
  return {
    compiles: twins.length,
    pump: pump.length,
    identical: [same(pump), same(others)],
    different: twins
      .filter(({ differing }) => differing.length > 0)
      .map(({ name, differing, fate }) => `${name} (${fate}): ${differing.join(', ')}`),
    variesLocally: twins.filter(({ variesLocally }) => variesLocally).length,
    others: tally(others.map(({ fate }) => fate)),
    files: tally(
      twins.flatMap(({ files }) => files.map((name) => name.slice(name.lastIndexOf('.')))),
    ),
    withWords: twins.filter(({ hasWords }) => hasWords).length,
    failing: failing.length,
    repeated: twins.filter(({ events }) => events !== 1).length,
    failingWall: [
      median(failing.map(({ wall }) => wall[0])),
      median(failing.map(({ wall }) => wall[1])),
    ],
  };
}

export function isClean({ different, repeated }: TwinRow): boolean {
  return different.length === 0 && repeated === 0;
}

function tally(names: readonly string[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const name of names) found[name] = (found[name] ?? 0) + 1;
  return found;
}

/**
 * Rows by title, in the order in which they are to stand; those that earlier runs have shown of the
 * same sources are kept.
 */
export class TwinResults {
  readonly rows: Map<string, TwinRow>;
  readonly #name: string;
  readonly #head: string;
  readonly #of: string | undefined;

  /**
   * @param name of the files in benchmarks/results
   * @param head of the page, above its table
   * @param of which sources they are, where a run may be given others
   */
  constructor(name: string, head: string, of?: string) {
    this.#name = name;
    this.#head = head;
    this.#of = of;
    const path = `${RESULTS}/${name}.json`;
    const kept = existsSync(path)
      ? (JSON.parse(readFileSync(path, 'utf8')) as Record<string, TwinRow>)
      : {};
    this.rows = new Map(Object.entries(kept).filter(([, row]) => row.of === of));
  }

  add(title: string, row: TwinRow): void {
    this.rows.set(title, this.#of === undefined ? row : { of: this.#of, ...row });
  }

  /** @param order of titles; others are left out, as they are of what is no longer there */
  write(order: readonly string[]): string {
    const rows = order.flatMap((title) => {
      const row = this.rows.get(title);
      return row === undefined ? [] : [[title, row] as const];
    });
    const page = `${this.#head}\n${compilers()}\n\n${totals(rows)}\n\n${table(rows.map(cellsOf))}\n`;
    mkdirSync(RESULTS, { recursive: true });
    writeFileSync(
      `${RESULTS}/${this.#name}.json`,
      `${JSON.stringify(Object.fromEntries(rows), null, 2)}\n`,
    );
    writeFileSync(`${RESULTS}/${this.#name}.md`, page);
    return page;
  }
}

function compilers(): string {
  const version = (program: string) =>
    execFileSync(program, ['--version'], { encoding: 'utf8' }).split('\n')[0] ?? '';
  return `${version('gcc')}; ${version('clang')}.`;
}

function totals(rows: readonly (readonly [string, TwinRow])[]): string {
  const all = rows.map(([, row]) => row);
  const total = (of: (row: TwinRow) => number) => sum(all.map(of));
  const files: Record<string, number> = {};
  for (const row of all) {
    for (const [end, count] of Object.entries(row.files)) files[end] = (files[end] ?? 0) + count;
  }
  return (
    `**${total((row) => row.identical[0])} of ${total((row) => row.pump)} compiles in pump mode are identical**, ` +
    `and ${total((row) => row.identical[1])} of ${total((row) => row.compiles - row.pump)} others. ` +
    `${total((row) => row.different.length)} differ. ${total((row) => row.variesLocally)} of the identical ones ` +
    `differ in a DWO ID or the order of messages alone, as two local compiles do. Of all ${total((row) => row.compiles)}, ` +
    `${total((row) => row.withWords)} print something and ${total((row) => row.failing)} fail. ` +
    `Files compared: ${counts(files)}.`
  );
}

function cellsOf([title, row]: readonly [string, TwinRow]): Cells {
  const { different } = row;
  const more = different.length > NAMED ? [`and ${different.length - NAMED} more`] : [];
  return {
    '': title,
    compiles: String(row.compiles),
    pump: String(row.pump),
    identical: `${row.identical[0] + row.identical[1]}${row.variesLocally > 0 ? ` (${row.variesLocally} as far as two local ones)` : ''}`,
    different: different.length === 0 ? '0' : [...different.slice(0, NAMED), ...more].join('; '),
    'not in pump mode': counts(row.others),
    'with words, failing': `${row.withWords}, ${row.failing}`,
    'ms of a failing one, here and through tscc':
      row.failing === 0 ? '–' : row.failingWall.map((ms) => ms.toFixed(0)).join(', '),
    files: counts(row.files),
  };
}
