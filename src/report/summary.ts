/** The few lines that tscc-pump prints after a build, and `tscc status` for people. Pure. */
import { REPORT } from '../core/limits.js';
import {
  explainDecline,
  explainDemotion,
  FALLBACK_REASONS,
  type DeclineReason,
  type DemotionReason,
  type FallbackReason,
} from '../core/reasons.js';
import { VERIFY_EXCUSES, type VerifyExcuse } from './events.js';
import type { SessionStatus } from './statistics.js';
import { bytes as size } from './words.js';

/** Lines without a newline at the end. */
export function summarize(status: SessionStatus, wallMilliseconds: number | undefined): string[] {
  const { outcomes } = status;
  const compiles = outcomes.pump + outcomes.plain + outcomes.cache + outcomes.local;
  const wall = wallMilliseconds === undefined ? '' : ` in ${seconds(wallMilliseconds)}`;
  const lines = [
    `${count(compiles, 'compile')}${wall}: ${listOutcomes(status)}` +
      (status.failed > 0 ? `, ${status.failed} failed (TSCC_FALLBACK=0)` : '') +
      (status.cancelled > 0 ? `, ${status.cancelled} interrupted` : ''),
  ];
  const hosts = Object.entries(status.hosts).filter(([, host]) => host.compiles > 0);
  if (hosts.length > 0) {
    lines.push(
      `${count(hosts.length, 'host')}: ${seconds(status.remoteCpu)} of compiler time, ` +
        `${size(status.sentBytes)} sent, ${size(status.receivedBytes)} received`,
    );
  }
  if (status.lentTokens > 0) {
    lines.push(`widened: ${count(status.lentTokens, 'compile')} lent make's token meanwhile`);
  }
  const tiers = Object.entries(status.tiers);
  if (tiers.length > 0) {
    lines.push(`sandbox: ${tiers.map(([tier, n]) => `tier ${tier} for ${n}`).join(', ')}`);
  }
  if (status.uploads.files > 0) {
    const { files, bytes, sentBytes } = status.uploads;
    lines.push(`${count(files, 'file')} uploaded: ${size(bytes)}, ${size(sentBytes)} on the wire`);
  }
  if (status.headers.created + status.headers.changed > 0) lines.push(...listHeaders(status));
  if (status.stale > 0) lines.push(`${count(status.stale, 'compile')} repeated: files changed`);
  if (status.healed > 0) {
    lines.push(`closure-healed: ${status.healed} × a header that tscc had not foreseen`);
  }
  if (status.verified > 0) {
    const { verified, mismatches } = status;
    lines.push(`verified: ${count(verified, 'compile')} done here too, ${mismatches} differ`);
  }
  for (const [excuse, n] of byCount(status.unverified)) {
    lines.push(`unverified: ${n} × ${excuse} (${VERIFY_EXCUSES[excuse as VerifyExcuse]})`);
  }
  for (const [reason, n] of byCount(status.recovered)) {
    const how =
      reason === 'daemon-lost' ? 'another session daemon was asked' : 'another server did it';
    lines.push(`recovered: ${n} × ${reason} (${how})`);
  }
  if (status.races.run > 0) {
    const { run, won } = status.races;
    lines.push(`raced: ${count(run, 'straggler')} on a second server, ${won} done there first`);
  }
  for (const [reason, n] of byCount(status.demotions)) {
    lines.push(`plain: ${n} × ${reason} (${explainDemotion(reason as DemotionReason)})`);
  }
  for (const [reason, n] of byCount(status.declines)) {
    lines.push(`local: ${n} × ${reason} (${explainDecline(reason as DeclineReason)})`);
  }
  for (const [reason, n] of byCount(status.fallbacks)) {
    lines.push(`fallback: ${n} × ${reason} (${FALLBACK_REASONS[reason as FallbackReason]})`);
  }
  const other = byCount(status.other);
  if (other.length > 0) {
    lines.push(`other commands: ${other.map(([kind, n]) => `${n} × ${kind}`).join(', ')}`);
  }
  for (const [name, host] of Object.entries(status.hosts)) {
    if (host.state !== 'up') lines.push(`host ${name} is ${host.state}`);
  }
  return lines;
}

/** Headers generated during the build: how many, and the last ones with their times. */
function listHeaders({ headers, started }: SessionStatus): string[] {
  const newest = Object.entries(headers.files).toReversed().slice(0, REPORT.headerLines);
  return [
    `generated headers: ${headers.created} created, ${headers.changed} changed`,
    ...newest.map(([path, { created, changed, last }]) => {
      const after = started === null ? '' : ` after ${seconds(last - started)}`;
      const times = created + changed === 1 ? '' : `, ${created + changed} times`;
      return `  ${changed > 0 ? 'changed' : 'created'}${after}: ${path}${times}`;
    }),
  ];
}

function listOutcomes(status: SessionStatus): string {
  const parts = Object.entries(status.outcomes).filter(([, n]) => n > 0);
  return parts.length === 0 ? 'none' : parts.map(([name, n]) => `${n} ${name}`).join(', ');
}

function byCount(counts: Readonly<Record<string, number | undefined>>): [string, number][] {
  return Object.entries(counts)
    .map(([reason, n]): [string, number] => [reason, n ?? 0])
    .toSorted(([, a], [, b]) => b - a);
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
