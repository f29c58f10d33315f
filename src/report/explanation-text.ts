/** An explanation as lines for people. Pure. */
import type { Again } from './analysis/rebuilds.js';
import { againText } from './again-text.js';
import type { Explanation } from './explanation.js';

const PHASE_NAMES: Readonly<Record<string, string>> = {
  preprocessQueue: 'preprocess queue',
  remoteQueue: 'queue',
};

/**
 * Lines without a newline at the end; the first names the file.
 *
 * @param again why it was compiled again, where that is known
 */
export function explanationLines(compile: Explanation, again?: Again): string[] {
  const { outcome, host, source, output } = compile;
  const named = output === null || output === source ? source : `${output} (${source})`;
  const lines = [`${named}: ${outcome}${host === null ? '' : ` on ${host}`}`];
  if (compile.reason !== null) {
    const detail = compile.detail === null ? '' : ` (${compile.detail})`;
    lines.push(`  ${compile.reasonKind} ${compile.reason}: ${compile.meaning}${detail}`);
  }
  if (again !== undefined) lines.push(`  ${againText(again)}`);
  lines.push(`  at ${clockTime(compile.time)}, command ${compile.id} of the session`);
  if (compile.askedAgain) {
    lines.push('  daemon-lost: the session daemon that had it first ended without a verdict');
  }
  if (compile.retries > 0) lines.push(`  after ${count(compile.retries, 'other server')} failed`);
  for (const { host, reason, detail } of compile.failures) {
    lines.push(`    ${reason} on ${host} (${detail})`);
  }
  if (compile.choiceMeaning !== null) lines.push(`  ${host}: ${compile.choiceMeaning}`);
  if (compile.race !== null) {
    const { loser, isLater } = compile.race;
    lines.push(
      `  raced: ${isLater ? `begun later than on ${loser}, and done first` : `done before ${loser}, which had begun later`}`,
    );
  }
  if (compile.stale > 0) {
    lines.push(`  repeated ${count(compile.stale, 'time')}: a file changed meanwhile`);
  }
  for (const path of compile.healed) lines.push(`  closure-healed: ${path} had to be added`);
  if (compile.closureSize !== null) lines.push(`  closure: ${count(compile.closureSize, 'entry')}`);
  if (compile.bytes !== null) {
    const { source, sent, received, output } = compile.bytes;
    lines.push(`  bytes: source ${source}, sent ${sent}, received ${received}, output ${output}`);
  }
  if (compile.cpu !== null) {
    const { preprocess, remote } = compile.cpu;
    const here = preprocess > 0 ? `, preprocessor here ${milliseconds(preprocess)}` : '';
    lines.push(`  processor time: there ${milliseconds(remote)}${here}`);
  }
  if (compile.phases !== null) lines.push(`  waits: ${phaseList(compile.phases)}`);
  if (compile.waited !== null) lines.push(`  waited ${milliseconds(compile.waited)} to start here`);
  if (compile.ran !== null) lines.push(`  ran ${milliseconds(compile.ran)}`);
  lines.push(`  in ${compile.cwd}: ${compile.argv.join(' ')}`);
  return lines;
}

/** Those that took time, and the sum. */
function phaseList(phases: Readonly<Partial<Record<string, number>>>): string {
  const times = Object.entries(phases).map(([name, time]) => ({ name, time: time ?? 0 }));
  const sum = times.reduce((total, { time }) => total + time, 0);
  return [
    ...times
      .filter(({ time }) => time >= 0.05)
      .map(({ name, time }) => `${PHASE_NAMES[name] ?? name} ${milliseconds(time)}`),
    `in all ${milliseconds(sum)}`,
  ].join(', ');
}

function milliseconds(time: number): string {
  return `${time < 10 ? time.toFixed(1) : Math.round(time)} ms`;
}

function clockTime(time: number): string {
  return new Date(time).toISOString().replace('T', ' ').replace(/\..*$/, ' UTC');
}

function count(n: number, noun: string): string {
  const plural = noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`;
  return `${n} ${n === 1 ? noun : plural}`;
}
