/**
 * What tscc-pump prints after a build: at most ten lines, the most telling first. Each reason has its
 * count; where they are too many for a line each, the rest share one. Pure.
 */
import type { BuildReport } from './analysis/build-report.js';
import type { SessionStatus } from './statistics.js';
import { summarize } from './summary.js';
import { duration } from './words.js';

const LINES = 10;

export interface ReportOnDisk {
  readonly path: string;
  readonly report: BuildReport;
}

/**
 * Lines without a newline at the end.
 *
 * @param wall milliseconds
 * @param found undefined: there is no report
 */
export function pumpSummary(
  status: SessionStatus,
  wall: number,
  found: ReportOnDisk | undefined,
): string[] {
  const [first = '', ...more] = summarize(status, wall);
  const after = found === undefined ? [] : figures(found);
  // Single headers are in the report.
  const lines = more.filter((line) => !line.startsWith(' '));
  const room = LINES - 1 - after.length;
  if (lines.length <= room) return [first, ...lines, ...after];
  const shown = lines.slice(0, room - 1);
  const others = lines.slice(room - 1).map((line) => line.replace(/ \(.*$/, ''));
  return [first, ...shown, others.join('; '), ...after];
}

function figures({ path, report }: ReportOnDisk): string[] {
  const { work, speedUp, bound, compiles } = report.summary;
  if (compiles === 0) return [`report: ${path}`];
  const slowest = report.slowest
    .slice(0, 3)
    .map(({ name, start, end }) => `${name} ${duration(end - start)}`);
  return [
    `speed-up ${speedUp.toFixed(1)} over ${duration(work)} of compiler time` +
      (report.utilisation.slots > 0 ? `; at best ${duration(bound.wall)} on this farm` : ''),
    `slowest: ${slowest.join(', ')}`,
    `report: ${path}`,
  ];
}
