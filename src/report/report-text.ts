/** A report as lines for a terminal. Pure. */
import type { BuildReport } from './analysis/build-report.js';
import { CHANGE_KINDS } from './analysis/rebuilds.js';
import { bytes, duration, percentage } from './words.js';

/** Of each list, in text; the page and --json have all. */
const ROWS = 8;

/** Lines without a newline at the end. */
export function reportLines(report: BuildReport): string[] {
  const { session, wall, isOpen } = report;
  return [
    `session ${session}${isOpen ? ' (open)' : ''}, ${isoTime(report.started)}, ${duration(wall)}`,
    ...summaryLines(report).map(indent),
    ...section('what to do', recommendationLines(report)),
    ...section('where the time of the servers went', utilisationLines(report)),
    ...section('why compiles stayed here', reasonLines(report)),
    ...section('hosts', hostLines(report)),
    ...section('what the end of the build waited for', chainLines(report)),
    ...section('slowest compiles', slowLines(report)),
    ...section('costliest headers', headerLines(report)),
    ...section('why compiled again', rebuildLines(report)),
    ...section('costliest directories', directoryLines(report)),
    ...section('other farms', whatIfLines(report)),
    ...section('since the session before', differenceLines(report)),
  ].map(printable);
}

export function summaryLines({ summary, headerChanges }: BuildReport): string[] {
  const { compiles, outcomes, other, failed, cancelled, work, speedUp, bound } = summary;
  const parts = Object.entries(outcomes).filter(([, n]) => n > 0);
  const { created, changed } = headerChanges;
  return [
    `${compiles} compiles: ${parts.map(([name, n]) => `${n} ${name}`).join(', ') || 'none'}` +
      `; ${other} other commands` +
      (failed > 0 ? `, ${failed} failed` : '') +
      (cancelled > 0 ? `, ${cancelled} interrupted` : ''),
    `${duration(work)} of compiler time: speed-up ${speedUp.toFixed(1)}`,
    `at best ${duration(bound.wall)} on this farm: ` +
      (bound.by === 'longest'
        ? `${bound.name} alone takes that long`
        : 'all slots at work all the time'),
    ...(created + changed > 0 ? [`generated headers: ${created} created, ${changed} changed`] : []),
  ];
}

function recommendationLines({ recommendations }: BuildReport): string[] {
  return recommendations
    .slice(0, ROWS)
    .flatMap(({ title, why, gain }, at) => [
      `${at + 1}. ${title}${gain > 0 ? ` (up to ${duration(gain)})` : ''}`,
      `   ${why}`,
    ]);
}

function utilisationLines({ utilisation }: BuildReport): string[] {
  const { slots, shares, concurrency } = utilisation;
  if (slots === 0) return [];
  return [
    `${slots} slots, at most ${concurrency} commands at once`,
    `${percentage(shares.full)} all at work and compiles waiting, ${percentage(shares.working)} at work`,
    `${percentage(shares.client)} idle, waiting for this host; ${percentage(shares.nothing)} idle, nothing to compile`,
  ];
}

function reasonLines({ reasons }: BuildReport): string[] {
  return reasons
    .slice(0, ROWS)
    .map(
      ({ kind, name, count, cost, meaning }) =>
        `${count} × ${kind} ${name}, ${duration(cost)} here: ${meaning}`,
    );
}

function hostLines({ hosts }: BuildReport): string[] {
  return hosts.map(
    ({ name, slots, compiles, cpu, busy, stretch, losses, sentBytes, receivedBytes }) =>
      `${name}: ${compiles} compiles on ${slots} slots, ${percentage(busy)} busy, ` +
      `${duration(cpu)} of compiler time, ${bytes(sentBytes)} sent, ${bytes(receivedBytes)} received` +
      (stretch >= 1.2 ? `, ${stretch.toFixed(1)} × as slow as usual` : '') +
      (losses > 0 ? `, lost ${losses} ×` : ''),
  );
}

function chainLines({ chain }: BuildReport): string[] {
  const longest = chain.toSorted((a, b) => b.end - b.start - (a.end - a.start)).slice(0, ROWS);
  return [
    ...(chain.length > ROWS ? [`${chain.length} commands one after the other; the longest:`] : []),
    ...longest
      .toSorted((a, b) => a.start - b.start)
      .map(({ name, host, start, end }) => `${duration(end - start)} ${name} on ${host ?? 'here'}`),
  ];
}

function slowLines({ slowest }: BuildReport): string[] {
  return slowest
    .slice(0, ROWS)
    .map(
      ({ name, outcome, host, start, end, work }) =>
        `${duration(end - start)} ${name}: ${outcome}${host === null ? '' : ` on ${host}`}, ` +
        `${duration(work)} of compiler time`,
    );
}

function headerLines({ headers }: BuildReport): string[] {
  return headers
    .slice(0, ROWS)
    .map(
      ({ path, size, compiles, share, rebuild }) =>
        `${path} (${bytes(size)}): about ${duration(share)}; touched, ${compiles} compiles with ` +
        `${duration(rebuild)} run again`,
    );
}

function rebuildLines({ rebuilds }: BuildReport): string[] {
  const { first, same, changed, unknown, causes } = rebuilds;
  if (same.compiles + changed + unknown === 0) return [];
  return [
    `${same.compiles} had nothing changed (${duration(same.work)} of compiler time), ${changed} had, ` +
      `${first} are new, of ${unknown} it is not known`,
    ...causes
      .slice(0, ROWS)
      .map(
        ({ kind, name, compiles, work }) =>
          `${CHANGE_KINDS[kind]} (${name}): ${compiles} compiles, ${duration(work)} of compiler time`,
      ),
  ];
}

function directoryLines({ directories }: BuildReport): string[] {
  return directories
    .slice(0, ROWS)
    .map(
      ({ path, compiles, work, from, to, parallel }) =>
        `${path}: ${compiles} compiles, ${duration(work)} of compiler time, open for ` +
        `${duration(to - from)}, ${parallel.toFixed(1)} at once`,
    );
}

function whatIfLines({ whatIf }: BuildReport): string[] {
  if (whatIf.error === null) return [];
  return [
    `replay of this farm: ${percentage(Math.abs(whatIf.error))} ${whatIf.error < 0 ? 'less' : 'more'} than it took`,
    ...whatIf.rows.map(
      ({ hosts, slots, jobs, wall, unordered }) =>
        `${hosts} hosts, ${slots} slots, make -j${jobs}: ${duration(wall)}` +
        ` (${duration(unordered)} if make had no order)`,
    ),
  ];
}

function differenceLines({ difference, wall }: BuildReport): string[] {
  if (difference === null) return [];
  const { session, common, moved, slower, commands, inputs } = difference;
  return [
    `${session}: ${duration(difference.wall)}, now ${duration(wall)}; ${common} compiles in both`,
    ...moved
      .slice(0, ROWS)
      .map(
        ({ name, before, now, reason }) =>
          `${name}: ${before}, now ${now}${reason === null ? '' : ` (${reason})`}`,
      ),
    ...slower
      .slice(0, ROWS)
      .map(({ name, before, now }) => `${name}: ${duration(before)}, now ${duration(now)}`),
    ...(commands.length > 0 ? [`${commands.length} compiles have another command`] : []),
    ...inputs
      .slice(0, ROWS)
      .map(({ path, compiles }) => `${path} is another one: ${compiles} compiles read it`),
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map(indent)];
}

function indent(line: string): string {
  return `  ${line}`;
}

/** Paths may hold anything; a terminal must not obey them. */
function printable(line: string): string {
  // oxlint-disable-next-line no-control-regex
  return line.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '?');
}

function isoTime(time: number): string {
  return new Date(time).toISOString().replace('T', ' ').replace(/\..*$/, ' UTC');
}
