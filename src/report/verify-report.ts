/** What `tscc verify` found, from the journal of its own daemon. Pure. */
import {
  explainDecline,
  FALLBACK_REASONS,
  type DeclineReason,
  type FallbackReason,
} from '../core/reasons.js';
import { VERIFY_EXCUSES, type JournalLine, type VerifyExcuse } from './events.js';

/** `tscc verify --json`; fields may be added. */
export interface VerifyReport {
  readonly schema: 1;
  /** Whose compiles they are. */
  readonly session: string;
  /** Outputs that servers made in it. */
  readonly compiles: number;
  /** How many of them were to be compiled again. */
  readonly picked: number;
  /** Compiled there and here, mismatches included. */
  readonly verified: number;
  readonly mismatches: readonly Mismatch[];
  /** `{REASON: n}`: those that could not be compared. */
  readonly unverified: Readonly<Record<string, number>>;
}

export interface Mismatch {
  readonly source: string;
  readonly output: string;
  readonly cwd: string;
  readonly argv: readonly string[];
  readonly host: string;
  readonly differences: readonly string[];
  /** Directory with the files of both sides; null when they could not be kept. */
  readonly kept: string | null;
}

/** Reasons that only `tscc verify` has. */
const OWN_REASONS = {
  gone: 'the directory of the compile, or of its output, is not there any more',
  'mounted-below': 'a file system is mounted in a directory that it writes to',
  'not-text': 'its command has bytes that are not UTF-8, which the journal does not keep',
  'not-done': 'it was interrupted, or did not come to an end',
} as const;

export type OwnReason = keyof typeof OWN_REASONS;

type Counts = Readonly<Record<string, number>>;

/**
 * @param lines of the daemon that compiled again
 * @param left compiles that it was not given, by reason
 */
export function verifyReport(
  session: string,
  compiles: number,
  picked: number,
  lines: Iterable<JournalLine>,
  left: Counts,
): VerifyReport {
  const identities = new Map<number, { cwd: string; argv: readonly string[] }>();
  const verdicts: Extract<JournalLine, { event: 'verify' }>[] = [];
  const unverified: Record<string, number> = { ...left };
  const count = (reason: string) => (unverified[reason] = (unverified[reason] ?? 0) + 1);
  for (const line of lines) {
    if ('cwd' in line) identities.set(line.id, line);
    if (line.event === 'verify') verdicts.push(line);
    if (line.event !== 'local') continue;
    const reason = 'decline' in line ? line.decline : line.fallback;
    if (reason !== 'verify-mismatch') count(reason);
  }
  let verified = 0;
  for (const { verdict } of verdicts) {
    if (verdict === 'same' || verdict === 'mismatch') verified++;
    else count(verdict);
  }
  const told = Object.values(unverified).reduce((sum, n) => sum + n, verified);
  if (told < picked) unverified['not-done'] = picked - told;
  const mismatches = verdicts
    .filter(({ verdict }) => verdict === 'mismatch')
    .map(({ id, source, output, host, differences, kept }) => {
      const { cwd, argv } = identities.get(id) ?? { cwd: '', argv: [] };
      return { source, output, cwd, argv, host, differences, kept: kept ?? null };
    });
  return { schema: 1, session, compiles, picked, verified, mismatches, unverified };
}

/** Lines for people, without a newline at the end. */
export function verifyLines(report: VerifyReport): string[] {
  const { session, compiles, picked, verified, mismatches } = report;
  const lines = mismatches.flatMap(({ source, output, host, differences, kept }) => [
    `MISMATCH: ${output} (${source}): ${host} made another one than this host`,
    ...differences.map((difference) => `  ${difference}`),
    ...(kept === null ? [] : [`  both are in ${kept}`]),
  ]);
  for (const [reason, n] of Object.entries(report.unverified)) {
    lines.push(`not compared: ${n} × ${reason} (${meaningOf(reason)})`);
  }
  lines.push(
    `session ${session}: ${picked} of ${compiles} remote compiles done again, ` +
      `${verified} compared, ${mismatches.length === 0 ? 'all the same' : `${mismatches.length} differ`}`,
  );
  return lines;
}

function meaningOf(reason: string): string {
  return (
    OWN_REASONS[reason as OwnReason] ??
    VERIFY_EXCUSES[reason as VerifyExcuse] ??
    FALLBACK_REASONS[reason as FallbackReason] ??
    explainDecline(reason as DeclineReason)
  );
}
